/* SPDX-License-Identifier: ISC */
/* Jobs as promises. */
#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

static outcome a, b, c;
static int seen;

/* By the time when an immediate runs, ticks and microtasks are through. */
static gy_value look(gy_value value, void *ctx) {
    (void)value;
    (void)ctx;
    seen = a.count;
    return gy_num(0);
}

TEST_BACKENDS(settle_job, runs_in_its_place_or_is_called_off) {
    gy_loop *loop;
    gy_job tick = {0}, later = {0}, never = {0};
    gy_cancel token = {0};
    a = b = c = (outcome){.count = 0}; /* the tests of all backends may run in one process */
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    gy_promise *p = GY_PROMISE(loop, job, &later, (gy_immediate(loop, &later, gy_settle_job), 0));
    gy_then(p, look, NULL);
    outcome_of(p, &b);
    outcome_of(GY_PROMISE(loop, job, &tick, (gy_defer(loop, &tick, gy_settle_job), 0)), &a);
    p = GY_PROMISE_UNTIL(&token, loop, job, &never, (gy_immediate(loop, &never, gy_settle_job), 0));
    outcome_of(p, &c);
    gy_cancel_now(&token, GY_ECANCELED);
    CHECK_EQ(a.count, 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.count, 1);
    CHECK_EQ(b.count, 1);
    CHECK_EQ(seen, 1);
    CHECK_EQ(c.err, GY_ECANCELED);
    CHECK_EQ(gy_loop_free(loop), 0);
}
