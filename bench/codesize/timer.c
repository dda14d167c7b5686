/* SPDX-License-Identifier: ISC */
/* The smallest program with a loop: a timer that fires ten times. */
#include "arena.h"
#include "gyre/timer.h"

static int left = 10;

static void on_timer(gy_timer *timer)
{
    if (--left == 0)
        gy_timer_stop(timer);
}

int main(void)
{
    gy_timer timer = {0};
    gy_loop *loop;

    if (gy_loop_new(&loop, (gy_loop_opts){.alloc = ARENA}) != 0)
        return 1;
    gy_timer_start(loop, &timer, (gy_timer_opts){.every = GY_MS(1), .fn = on_timer});
    gy_loop_run(loop);
    return gy_loop_free(loop) != 0;
}
