/* SPDX-License-Identifier: ISC */
/* Coroutines and promises: one awaits a promise, and one is a promise. */
#include <errno.h>
#include <stdlib.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

static gy_loop *loop;

static void begin(void) { CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0); }

static void end(void) {
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

typedef struct job {
    gy_coro co;
    gy_timer timer;
    gy_promise *first, *second;
    int step, err;
    gy_value value;
} job;

static void job_awaits(gy_coro *co) {
    job *j = GY_OF(co, job, co);
    GY_ASYNC_BEGIN(co);
    j->step = 1;
    GY_AWAIT(co, j->first);
    j->err = co->err;
    j->value = co->value;
    j->step = 2;
    if (!j->second) GY_RETURN(co, co->value);
    GY_AWAIT(co, j->second);
    j->step = 3;
    GY_ASYNC_END(co, gy_num(co->value.num + 1));
}

static void start(job *j) { CHECK_EQ(gy_coro_start(loop, &j->co, (gy_coro_opts){.fn = job_awaits}), 0); }

static gy_promise *fresh(void) {
    gy_promise *p;
    CHECK_EQ(gy_promise_new(loop, &p), 0);
    return p;
}

static gy_promise *settled(gy_value v) {
    gy_promise *p = fresh();
    gy_promise_resolve(p, v);
    return p;
}

static int dropped;
static void drop(void *ptr) { dropped += *(int *)ptr; }

TEST(coro_promise, awaits_values_and_errors) {
    begin();
    job j = {.first = settled(gy_err(-EIO)), .second = fresh()};
    start(&j);
    CHECK_EQ(j.step, 1);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(j.step, 2);
    CHECK_EQ(j.err, -EIO);
    gy_promise_resolve(j.second, gy_num(6));
    CHECK_EQ(j.step, 2);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(j.step, 3);
    CHECK_EQ(j.co.value.num, 7);
    gy_promise_free(j.first);
    gy_promise_free(j.second);
    end();
}

TEST(coro_promise, a_lent_value_lives_until_the_next_await_and_cannot_be_handed_on) {
    int one = 1, ten = 10;
    dropped = 0;
    begin();
    job j = {.first = settled(gy_own(&one, drop)), .second = fresh()};
    start(&j);
    gy_promise_free(j.first); /* the wait holds what is settled */
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(j.step, 2);
    CHECK(j.value.ptr == &one);
    CHECK_EQ(dropped, 1);
    gy_promise_resolve(j.second, gy_num(0));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(j.co.value.num, 1);
    gy_promise_free(j.second);

    job k = {.first = settled(gy_own(&ten, drop))};
    start(&k);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(k.co.err, -EINVAL);
    CHECK_EQ(dropped, 1);
    gy_promise_free(k.first);
    CHECK_EQ(dropped, 11);
    end();
}

/* The second promise is kept alive by nothing but the value of the first. */
static void drop_promise(void *ptr) { gy_promise_free(ptr); }

TEST(coro_promise, the_value_may_be_all_that_keeps_the_next_promise) {
    begin();
    gy_promise *next = settled(gy_num(20));
    job j = {.first = settled(gy_own(next, drop_promise)), .second = next};
    start(&j);
    gy_promise_free(j.first);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(j.step, 3);
    CHECK_EQ(j.co.value.num, 21);

    next = fresh();
    job k = {.first = settled(gy_own(next, drop_promise)), .second = next};
    start(&k);
    gy_promise_free(k.first);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(k.step, 3); /* nobody can settle it any more */
    CHECK(!gy_coro_active(&k.co));
    end();
}

TEST(coro_promise, the_errors_of_any_are_an_error) {
    begin();
    gy_promise *bad = settled(gy_err(-EPIPE));
    job j = {.first = gy_any(loop, &bad, 1)};
    start(&j);
    gy_promise_free(bad);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(j.err, -EPIPE);
    CHECK_EQ(j.co.err, -EPIPE);
    end();
}

TEST(coro_promise, a_promise_that_goes_away_or_is_none_is_an_error) {
    gy_loop *other;
    begin();
    job j = {.first = fresh()}, none = {.first = NULL}, foreign = {.step = 0};
    start(&j);
    gy_promise_free(j.first);
    CHECK_EQ(j.step, 1);
    start(&none);
    CHECK_EQ(gy_loop_new(&other, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_promise_new(other, &foreign.first), 0);
    start(&foreign);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(j.err, GY_ECLOSED);
    CHECK_EQ(none.err, -EINVAL);
    CHECK_EQ(foreign.err, -EINVAL);
    gy_promise_free(foreign.first);
    CHECK_EQ(gy_loop_free(other), 0);
    end();
}

TEST(coro_promise, cancelling_lets_go_of_a_promise_but_not_of_a_settled_one) {
    begin();
    gy_promise *p = fresh();
    job j = {.first = p}, k = {.first = p}, late = {.first = p};
    gy_cancel token = {0};
    CHECK_EQ(gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_awaits, .token = &token}), 0);
    start(&k);
    gy_cancel_now(&token, -EIO);
    gy_promise_resolve(p, gy_num(9));
    CHECK(gy_coro_cancel(&k.co));
    CHECK_EQ(gy_coro_start(loop, &late.co, (gy_coro_opts){.fn = job_awaits, .token = &token}), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(j.err, GY_ECANCELED);
    CHECK_EQ(k.err, 0);
    CHECK_EQ(k.value.num, 9);
    CHECK_EQ(late.err, GY_ECANCELED);
    gy_promise_free(p);
    gy_cancel_close(&token);
    end();
}

TEST(coro_promise, a_coroutine_is_a_promise) {
    outcome o = {.count = 0}, p = {.count = 0}, q = {.count = 0}, r = {.count = 0};
    int ten = 10;
    dropped = 0;
    begin();
    job j = {.first = fresh()}, ended = {.first = settled(gy_num(2))}, failing = {.first = settled(gy_err(-EIO))};
    job never = {.step = 0};
    start(&j);
    outcome_of(GY_PROMISE(loop, coro, &j.co, gy_coro_join(&j.co)), &o);
    start(&ended);
    start(&failing);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(!gy_coro_active(&ended.co));
    outcome_of(GY_PROMISE(loop, coro, &ended.co, gy_coro_join(&ended.co)), &p);
    outcome_of(GY_PROMISE(loop, coro, &failing.co, gy_coro_join(&failing.co)), &q);
    outcome_of(GY_PROMISE(loop, coro, &never.co, gy_coro_join(&never.co)), &r);
    CHECK_EQ(o.count, 0);
    gy_promise_resolve(j.first, gy_own(&ten, drop));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.err, -EINVAL); /* lent */
    CHECK_EQ(p.count, 1);
    CHECK_EQ(p.value.num, 2);
    CHECK_EQ(q.err, -EIO);
    CHECK_EQ(r.err, -EINVAL);
    gy_promise_free(j.first);
    gy_promise_free(ended.first);
    gy_promise_free(failing.first);
    CHECK_EQ(dropped, 10);
    end();
}

TEST(coro_promise, a_token_of_the_promise_cancels_the_coroutine) {
    outcome o = {.count = 0};
    gy_cancel token = {0};
    begin();
    job j = {.first = fresh()};
    start(&j);
    outcome_of(GY_PROMISE_UNTIL(&token, loop, coro, &j.co, gy_coro_join(&j.co)), &o);
    gy_cancel_now(&token, -EIO);
    CHECK(j.co.cancelled);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.err, GY_ECANCELED);
    gy_promise_free(j.first);
    gy_cancel_close(&token);
    end();
}

TEST(coro_promise, a_loop_may_go_while_one_waits) {
    begin();
    job j = {.first = fresh()};
    start(&j);
    gy_promise_free(gy_promise_ref(j.first));
    end(); /* with the promise, which is the loop's then */
    CHECK_EQ(j.step, 1);
}
