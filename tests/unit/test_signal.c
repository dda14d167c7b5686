/* SPDX-License-Identifier: ISC */
/* Watchers of signals when the kernel refuses the handler, and watchers that come and go. What they are told is in
 * tests/loop/signals.c. */
#include <errno.h>
#include <signal.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"
#include "refuse.h"

static void run(gy_signal *signal, unsigned count) {
    (void)count;
    gy_signal_stop(signal);
}

TEST(signal, a_refused_handler_leaves_the_watcher_idle) {
    gy_loop *loop;
    gy_signal s = {.user = NULL};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    refuse(GYI_SYS_SIGACTION, -ENOMEM);
    int err = gy_signal_start(loop, &s, SIGUSR1, run);
    refuse_nothing();
    CHECK_EQ(err, -ENOMEM);
    CHECK(!gy_signal_active(&s) && !gy_loop_alive(loop));
    CHECK_EQ(gy_signal_start(loop, &s, SIGUSR1, run), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(signal, loops_leave_in_any_order) {
    gy_loop *loop[3];
    gy_signal s[3] = {{.user = NULL}, {.user = NULL}, {.user = NULL}};
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(gy_loop_new(&loop[i], (gy_loop_opts){.backend = "sim"}), 0);
        CHECK_EQ(gy_signal_start(loop[i], &s[i], SIGUSR1, run), 0);
    }
    CHECK_EQ(gy_loop_free(loop[1]), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(gy_loop_run(loop[0]), 0);
    CHECK_EQ(gy_loop_run(loop[2]), 0);
    CHECK_EQ(gy_loop_free(loop[2]), 0);
    CHECK_EQ(gy_loop_free(loop[0]), 0);
}
