/* SPDX-License-Identifier: ISC */
/* Alarms as promises. */
#include <errno.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

TEST_BACKENDS(settle_alarm, rings_or_is_called_off) {
    gy_loop *loop;
    gy_alarm past = {0}, never = {0}, bad = {0};
    gy_cancel token = {0};
    outcome a = {.count = 0}, b = {.count = 0}, c = {.count = 0};
    past.user = &a;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    gy_alarm_opts opts = {.fn = gy_settle_alarm, .at = 1};
    outcome_of(GY_PROMISE(loop, alarm, &past, gy_alarm_start(loop, &past, opts)), &a);
    opts.at = INT64_MAX / 2;
    outcome_of(GY_PROMISE_UNTIL(&token, loop, alarm, &never, gy_alarm_start(loop, &never, opts)), &b);
    outcome_of(GY_PROMISE(loop, alarm, &bad, gy_alarm_start(loop, &bad, (gy_alarm_opts){.at = 1})), &c);
    while (!a.count) gy_loop_step(loop, GY_STEP_WAIT);
    CHECK_EQ(a.err, 0);
    CHECK(past.user == &a);
    CHECK_EQ(b.count, 0);
    gy_cancel_now(&token, GY_ECANCELED);
    CHECK(!gy_alarm_active(&never));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(b.err, GY_ECANCELED);
    CHECK_EQ(c.err, -EINVAL);
    CHECK_EQ(gy_loop_free(loop), 0);
}
