/* SPDX-License-Identifier: ISC */
/* What the tests of coroutines share: a loop in which nothing may be allocated, a request that does nothing by itself,
 * and a coroutine that awaits three of them. */
#ifndef GY_TESTS_UNIT_COROS_H
#define GY_TESTS_UNIT_COROS_H

#include <errno.h>
#include <stdlib.h>

#include "gyre/gyre.h"
#include "harness.h"

static gy_loop *loop;
static int allowed;

static inline void *counted_alloc(size_t size, void *ctx) {
    (void)ctx;
    return allowed-- > 0 ? malloc(size) : NULL;
}

static inline void counted_free(void *ptr, void *ctx) {
    (void)ctx;
    free(ptr);
}

/* From here on, nothing may be allocated. */
static inline void begin(void) {
    allowed = 1000;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim", .alloc = {counted_alloc, counted_free, NULL}}), 0);
    allowed = 0;
}

static void run(void) { CHECK_EQ(gy_loop_run(loop), 0); }

static inline void end(void) {
    run();
    CHECK_EQ(allowed, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* A request that does nothing by itself. */
typedef struct dummy {
    void *user;
    int started, cancelled;
} dummy;

static const gy_request_kind gy_kind_dummy;

static inline void dummy_cancel(void *request) {
    dummy *d = request;
    d->cancelled++;
    gy_request_settle(&d->user, &gy_kind_dummy, gy_err(GY_ECANCELED));
}

static const gy_request_kind gy_kind_dummy = {dummy_cancel}, gy_kind_deaf = {NULL};

static inline int dummy_start(dummy *d, int answer) {
    d->started++;
    return answer;
}

/* What most tests here run: a few requests, one after the other, and what became of each. */
typedef struct job {
    gy_coro co;
    gy_timer timer;
    dummy first, second, last;
    int step, answer, err[4], dones, done_err;
    gy_value value[3], result;
    gy_coro *other;
} job;

static inline void job_done(gy_coro *co, int err) {
    job *j = GY_OF(co, job, co);
    CHECK(!gy_coro_active(co));
    j->dones++;
    j->done_err = err;
    j->result = co->value;
}

static inline void job_runs(gy_coro *co) {
    job *j = GY_OF(co, job, co);
    GY_ASYNC_BEGIN(co);
    j->step = 1;
    GY_AWAIT_REQUEST(co, dummy, &j->first, dummy_start(&j->first, j->answer));
    j->err[0] = co->err;
    j->value[0] = co->value;
    j->step = 2;
    GY_AWAIT_REQUEST(co, dummy, &j->second, dummy_start(&j->second, 0));
    j->err[1] = co->err;
    j->step = 3;
    GY_AWAIT_REQUEST(co, deaf, &j->last, dummy_start(&j->last, 0));
    j->err[2] = co->err;
    j->step = 4;
    GY_ASYNC_END(co, j->err[0] ? gy_err(j->err[0]) : gy_num(77));
}

static inline void settle(dummy *d, const gy_request_kind *kind, gy_value value) {
    gy_request_settle(&d->user, kind, value);
    run();
}

#endif
