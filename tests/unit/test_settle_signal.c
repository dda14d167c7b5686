/* SPDX-License-Identifier: ISC */
/* The next signal as a promise. */
#include <errno.h>
#include <signal.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

TEST_BACKENDS(settle_signal, comes_once_and_stops_the_watcher) {
    gy_loop *loop;
    gy_signal first = {0}, never = {0}, bad = {0};
    gy_cancel token = {0};
    outcome a = {.count = 0}, b = {.count = 0}, c = {.count = 0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    outcome_of(GY_PROMISE(loop, signal, &first, gy_signal_start(loop, &first, SIGUSR1, gy_settle_signal)), &a);
    gy_promise *p =
        GY_PROMISE_UNTIL(&token, loop, signal, &never, gy_signal_start(loop, &never, SIGUSR2, gy_settle_signal));
    outcome_of(p, &b);
    outcome_of(GY_PROMISE(loop, signal, &bad, gy_signal_start(loop, &bad, SIGKILL, gy_settle_signal)), &c);
    CHECK_EQ(raise(SIGUSR1), 0);
    while (!a.count) gy_loop_step(loop, GY_STEP_WAIT);
    CHECK_EQ(a.err, 0);
    CHECK_EQ(a.value.num, 1);
    CHECK(!gy_signal_active(&first));
    gy_cancel_now(&token, GY_ECANCELED);
    CHECK(!gy_signal_active(&never));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(b.err, GY_ECANCELED);
    CHECK_EQ(c.err, -EINVAL);
    CHECK_EQ(gy_loop_free(loop), 0);
}
