/* SPDX-License-Identifier: ISC */
/* A timer that fires once: enough to need the library, its headers and its threads. */
#include <gyre/gyre.h>

static int fired;

static void on_timer(gy_timer *timer) {
    (void)timer;
    fired++;
}

int main(void) {
    gy_loop *loop;
    gy_timer timer = {0};
    if (gy_loop_new(&loop, (gy_loop_opts){0})) return 2;
    gy_timer_start(loop, &timer, (gy_timer_opts){.after = GY_MS(1), .fn = on_timer});
    gy_loop_run(loop);
    gy_loop_free(loop);
    return fired == 1 ? 0 : 1;
}
