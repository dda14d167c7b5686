/* SPDX-License-Identifier: ISC */
/* Jobs of a pool as promises. */
#include <errno.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

static void compute(gy_work *work) { *(int *)work->user = 42; }

/* While the promise waits, `user` is the library's: a job finds its struct by GY_OF(). */
typedef struct sum {
    gy_work work;
    int result;
} sum;

static void add(gy_work *work) { GY_OF(work, sum, work)->result = 42; }

TEST_BACKENDS(settle_work, computes) {
    gy_loop *loop;
    sum s = {.result = 0};
    gy_work bad = {0};
    int seen = 0;
    outcome o = {.count = 0}, p = {.count = 0};
    s.work.user = &seen;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    gy_work_opts opts = {.run = add, .done = gy_settle_work};
    outcome_of(GY_PROMISE(loop, work, &s.work, gy_pool_submit(loop, &s.work, opts)), &o);
    outcome_of(GY_PROMISE(loop, work, &bad, gy_pool_submit(loop, &bad, (gy_work_opts){.run = NULL})), &p);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(s.result, 42);
    CHECK(o.value.ptr == &s.work);
    CHECK_EQ(p.err, -EINVAL);
    compute(&s.work); /* `user` is the program's again */
    CHECK_EQ(seen, 42);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(settle_work, is_cancelled_before_it_begins) {
    gy_loop *loop;
    sum s = {.result = 0};
    gy_cancel token = {0};
    outcome o = {.count = 0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    gy_work_opts opts = {.run = add, .done = gy_settle_work};
    outcome_of(GY_PROMISE_UNTIL(&token, loop, work, &s.work, gy_pool_submit(loop, &s.work, opts)), &o);
    gy_cancel_now(&token, -EIO);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.err, GY_ECANCELED);
    CHECK_EQ(s.result, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}
