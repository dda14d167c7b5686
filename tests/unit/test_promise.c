/* SPDX-License-Identifier: ISC */
/* Promises, rule by rule (P1 to P7 of docs/internals/promise.md): states, reactions, the count of jobs, and who owns
 * values. A ticker counts rounds: it is a microtask that queues itself again, started before the promises, so the round
 * in which a callback runs is the number of jobs that had to run one after the other. */
#include <errno.h>
#include <string.h>

#include "gyre/gyre.h"
#include "gyre/promise.h"
#include "harness.h"

static gy_loop *loop;
static gy_job ticker;
static int ticks;
static char trace[128];
static int drops;

static void tick(gy_job *job) {
    if (++ticks < 12) gy_microtask(loop, job, tick);
}

static void drop(void *ptr) {
    (void)ptr;
    drops++;
}

static void silent(gy_loop *l, gy_promise *p) {
    (void)l;
    (void)p;
}

static void begin(void) {
    ticks = drops = 0;
    trace[0] = 0;
    ticker = (gy_job){0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_promise_on_unhandled(loop, silent), 0);
    gy_microtask(loop, &ticker, tick);
}

static void end(void) {
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static gy_promise *pending(void) {
    gy_promise *p;
    CHECK_EQ(gy_promise_new(loop, &p), 0);
    return p;
}

static gy_promise *fulfilled(int64_t num) {
    gy_promise *p = pending();
    CHECK_EQ(gy_promise_resolve(p, gy_num(num)), 0);
    return p;
}

static gy_promise *rejected(int err) {
    gy_promise *p = pending();
    CHECK_EQ(gy_promise_reject(p, err), 0);
    return p;
}

/* Reactions. */
static gy_value note(gy_value v, void *ctx) {
    (void)v;
    strcat(trace, ctx);
    return gy_num(0);
}

static gy_value record(gy_value v, void *ctx) {
    int *out = ctx;
    out[0] = ticks;
    out[1] = gy_value_err(v) ? gy_value_err(v) : (int)v.num;
    return gy_num(0);
}

static gy_value add_one(gy_value v, void *ctx) {
    (void)ctx;
    return gy_num(v.num + 1);
}

static gy_value fail(gy_value v, void *ctx) {
    (void)v;
    return gy_err(*(int *)ctx);
}

static gy_value adopt(gy_value v, void *ctx) {
    (void)v;
    return gy_adopt(ctx);
}

static gy_value same(gy_value v, void *ctx) {
    (void)ctx;
    return v;
}

static gy_value last_adopt(void *ctx) { return gy_adopt(ctx); }
static gy_value last_value(void *ctx) { return gy_own(ctx, drop); }
static gy_value last_fail(void *ctx) { return gy_err(*(int *)ctx); }

/* Runs until all is quiet, and says in which round the promise was seen settled; `*outcome` is with what. */
static int rounds(gy_promise *p, int *outcome) {
    int got[2] = {0, 0};
    gy_then_catch(p, record, record, got);
    CHECK_EQ(gy_loop_run(loop), 0);
    if (outcome) *outcome = got[1];
    return got[0];
}

/* ---- P1 to P5 ------------------------------------------------------------------------------------------------ */

TEST(promise, p01_it_settles_once) {
    begin();
    gy_promise *p = pending();
    CHECK_EQ(gy_promise_state_of(p), GY_PENDING);
    CHECK_EQ(gy_promise_value(p).num, 0);
    CHECK_EQ(gy_promise_resolve(p, gy_num(7)), 0);
    CHECK_EQ(gy_promise_state_of(p), GY_FULFILLED);
    CHECK_EQ(gy_promise_resolve(p, gy_num(8)), -EALREADY);
    CHECK_EQ(gy_promise_reject(p, -EIO), -EALREADY);
    CHECK_EQ(gy_promise_value(p).num, 7);
    gy_promise_free(p);
    end();
}

TEST(promise, p01_a_promise_that_follows_another_is_locked) {
    begin();
    gy_promise *p = pending(), *q = pending();
    CHECK_EQ(gy_promise_resolve(p, gy_adopt(q)), 0);
    CHECK_EQ(gy_promise_state_of(p), GY_PENDING);
    CHECK_EQ(gy_promise_resolve(p, gy_num(1)), -EALREADY);
    CHECK_EQ(gy_promise_reject(p, -EIO), -EALREADY);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_promise_state_of(p), GY_PENDING);
    CHECK_EQ(gy_promise_resolve(q, gy_num(5)), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_promise_value(p).num, 5);
    gy_promise_free(p);
    gy_promise_free(q);
    end();
}

TEST(promise, p02_a_second_settling_destroys_its_value) {
    begin();
    gy_promise *p = fulfilled(1), *q = pending();
    CHECK_EQ(gy_promise_resolve(p, gy_own(&drops, drop)), -EALREADY);
    CHECK_EQ(drops, 1);
    CHECK_EQ(gy_promise_resolve(p, gy_adopt(q)), -EALREADY);
    CHECK_EQ(gy_promise_resolve(gy_then(p, NULL, NULL), gy_num(3)), -EALREADY); /* it is the chain's to settle */
    gy_promise_free(q);
    gy_promise_free(p);
    end();
}

TEST(promise, p03_reactions_run_later_in_order_and_once) {
    begin();
    gy_promise *p = pending();
    gy_then(p, note, "a");
    gy_then(p, note, "b");
    CHECK_EQ(gy_promise_resolve(p, gy_num(0)), 0);
    gy_then(p, note, "c");
    CHECK_STR(trace, "");
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(trace, "abc");
    gy_promise_free(p);
    end();
    CHECK_STR(trace, "abc");
}

TEST(promise, p03_without_a_function_the_outcome_passes_through) {
    int outcome, err = -EIO;
    begin();
    gy_promise *p = fulfilled(4), *q = rejected(err);
    CHECK_EQ(rounds(gy_then(p, NULL, NULL), &outcome), 2);
    CHECK_EQ(outcome, 4);
    rounds(gy_then(q, note, "x"), &outcome);
    CHECK_EQ(outcome, -EIO);
    rounds(gy_catch(p, note, "x"), &outcome);
    CHECK_EQ(outcome, 4);
    rounds(gy_finally(p, NULL, NULL), &outcome);
    CHECK_EQ(outcome, 4);
    CHECK_STR(trace, "");
    gy_promise_free(p);
    gy_promise_free(q);
    end();
}

TEST(promise, p04_what_a_reaction_returns_settles_the_derived_promise) {
    int outcome, err = -ENOENT, positive = 3;
    begin();
    gy_promise *p = fulfilled(4);
    rounds(gy_then(p, add_one, NULL), &outcome);
    CHECK_EQ(outcome, 5);
    rounds(gy_then(p, fail, &err), &outcome);
    CHECK_EQ(outcome, -ENOENT);
    rounds(gy_then(p, fail, &positive), &outcome);
    CHECK_EQ(outcome, -EINVAL);
    rounds(gy_then(gy_catch(gy_then(p, fail, &err), same, NULL), note, "not"), &outcome);
    CHECK_EQ(outcome, -ENOENT);
    rounds(gy_then(p, adopt, NULL), &outcome);
    CHECK_EQ(outcome, -EINVAL);
    CHECK_STR(trace, "");
    gy_promise_free(p);
    end();
}

TEST(promise, p04_a_promise_cannot_follow_itself) {
    int outcome;
    begin();
    gy_promise *p = pending();
    CHECK_EQ(gy_promise_resolve(p, gy_adopt(p)), 0);
    CHECK_EQ(gy_value_err(gy_promise_value(p)), -EDEADLK);
    rounds(p, &outcome);
    CHECK_EQ(outcome, -EDEADLK);
    gy_promise_free(p);
    end();
}

static gy_promise *own_derived;
static gy_value adopt_own(gy_value v, void *ctx) {
    (void)v;
    (void)ctx;
    return gy_adopt(own_derived);
}
static gy_value last_adopt_own(void *ctx) {
    (void)ctx;
    return gy_adopt(own_derived);
}

TEST(promise, p04_a_reaction_cannot_return_its_own_promise) {
    int outcome;
    begin();
    gy_promise *p = fulfilled(1);
    own_derived = gy_then(p, adopt_own, NULL);
    rounds(own_derived, &outcome);
    CHECK_EQ(outcome, -EDEADLK);
    own_derived = gy_finally(p, last_adopt_own, NULL);
    rounds(own_derived, &outcome);
    CHECK_EQ(outcome, -EDEADLK);
    gy_promise_free(p);
    end();
}

TEST(promise, p04_promises_of_another_loop_are_refused) {
    gy_loop *other;
    gy_promise *foreign;
    int outcome;
    begin();
    CHECK_EQ(gy_loop_new(&other, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_promise_new(other, &foreign), 0);
    gy_promise *p = fulfilled(1);
    rounds(gy_then(p, adopt, foreign), &outcome);
    CHECK_EQ(outcome, -EINVAL);
    rounds(gy_finally(p, last_adopt, foreign), &outcome);
    CHECK_EQ(outcome, -EINVAL);
    rounds(gy_all(loop, &foreign, 1), &outcome);
    CHECK_EQ(outcome, -EINVAL);
    gy_promise_free(foreign);
    gy_promise_free(p);
    end();
    CHECK_EQ(gy_loop_free(other), 0);
}

TEST(promise, p05_finally_keeps_the_outcome_or_replaces_it_by_an_error) {
    int outcome, err = -EPIPE;
    begin();
    gy_promise *p = fulfilled(4), *q = rejected(-EIO), *slow = pending();
    rounds(gy_finally(p, last_value, &err), &outcome);
    CHECK_EQ(outcome, 4);
    CHECK_EQ(drops, 1);
    rounds(gy_finally(q, last_value, &err), &outcome);
    CHECK_EQ(outcome, -EIO);
    CHECK_EQ(drops, 2);
    rounds(gy_finally(p, last_fail, &err), &outcome);
    CHECK_EQ(outcome, -EPIPE);
    rounds(gy_finally(p, last_adopt, q), &outcome);
    CHECK_EQ(outcome, -EIO);
    int got[2] = {0, 0};
    gy_then(gy_finally(p, last_adopt, slow), record, got);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(got[1], 0); /* it waits */
    CHECK_EQ(gy_promise_resolve(slow, gy_num(9)), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(got[1], 4);
    gy_promise_free(p);
    gy_promise_free(q);
    gy_promise_free(slow);
    end();
}

/* ---- P6, P7: the count of jobs ------------------------------------------------------------------------------- */

#define COUNT(expected, made)                                                                                         \
    do {                                                                                                              \
        begin();                                                                                                      \
        gy_promise *p = fulfilled(1), *q = rejected(-EIO), *n = pending();                                            \
        gy_catch(q, same, NULL);                                                                                      \
        CHECK_EQ(rounds((made), NULL), (expected));                                                                   \
        gy_promise_free(p);                                                                                           \
        gy_promise_free(q);                                                                                           \
        gy_promise_free(n);                                                                                           \
        end();                                                                                                        \
    } while (0)

TEST(promise, p06_then_of_a_settled_promise_takes_1) {
    COUNT(1, p);
    COUNT(1, q);
}
TEST(promise, p06_then_that_returns_a_value_takes_2) {
    COUNT(2, gy_then(p, add_one, NULL));
    COUNT(2, gy_catch(q, add_one, NULL));
}
TEST(promise, p06_then_that_returns_a_promise_takes_4) {
    COUNT(4, gy_then(p, adopt, p));
    COUNT(4, gy_then(p, adopt, q));
}
TEST(promise, p06_p07_resolving_with_a_promise_takes_3) {
    COUNT(3, (gy_promise_resolve(n, gy_adopt(p)), n));
    COUNT(3, (gy_promise_resolve(n, gy_adopt(q)), n));
}
TEST(promise, p06_finally_takes_4) {
    COUNT(4, gy_finally(p, last_value, &drops));
    COUNT(4, gy_finally(q, last_value, &drops));
    COUNT(4, gy_finally(p, last_adopt, p));
    COUNT(4, gy_finally(p, last_adopt, q));
}
TEST(promise, p06_finally_that_fails_takes_2) {
    static int err = -EIO;
    COUNT(2, gy_finally(p, last_fail, &err));
}
TEST(promise, p06_all_and_its_like_of_settled_inputs_take_2) {
    COUNT(2, gy_all(loop, (gy_promise *[]){p, p}, 2));
    COUNT(2, gy_all(loop, (gy_promise *[]){q, p}, 2));
    COUNT(2, gy_all_settled(loop, (gy_promise *[]){p, q}, 2));
    COUNT(2, gy_any(loop, (gy_promise *[]){q, p}, 2));
    COUNT(2, gy_any(loop, (gy_promise *[]){q, q}, 2));
    COUNT(2, gy_race(loop, (gy_promise *[]){n, p}, 2));
}
TEST(promise, p06_all_of_nothing_takes_1) {
    COUNT(1, gy_all(loop, NULL, 0));
    COUNT(1, gy_all_settled(loop, NULL, 0));
    COUNT(1, gy_any(loop, NULL, 0));
}

/* ---- ownership ----------------------------------------------------------------------------------------------- */

TEST(promise, a_value_lives_as_long_as_a_promise_that_has_it) {
    begin();
    gy_promise *p = pending();
    gy_promise *q = gy_promise_ref(gy_then(gy_then(p, same, NULL), NULL, NULL)), *r = pending();
    gy_promise_resolve(r, gy_adopt(q));
    gy_promise_resolve(p, gy_own(&drops, drop));
    gy_promise_free(p);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gy_promise_value(r).ptr == &drops);
    gy_promise_free(q);
    CHECK_EQ(drops, 0);
    gy_promise_free(r);
    CHECK_EQ(drops, 1);
    end();
    CHECK_EQ(drops, 1);
}

static gy_value part(gy_value v, void *ctx) {
    (void)ctx;
    v.ptr = (char *)v.ptr + 1;
    return v;
}

TEST(promise, a_part_of_a_value_keeps_the_whole) {
    begin();
    gy_promise *p = pending(), *q = gy_promise_ref(gy_then(p, part, NULL));
    gy_promise_resolve(p, gy_own(trace, drop));
    gy_promise_free(p);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gy_promise_value(q).ptr == trace + 1);
    CHECK_EQ(drops, 0);
    gy_promise_free(q);
    CHECK_EQ(drops, 1);
    end();
}

TEST(promise, a_lent_value_cannot_be_given_to_another_promise) {
    begin();
    gy_promise *p = pending(), *q = pending();
    gy_promise_resolve(p, gy_own(trace, drop));
    CHECK_EQ(gy_promise_resolve(q, gy_promise_value(p)), 0);
    CHECK_EQ(gy_value_err(gy_promise_value(q)), -EINVAL);
    gy_promise_free(p);
    gy_promise_free(q);
    CHECK_EQ(drops, 1);
    end();
}

TEST(promise, a_value_nobody_looks_at_is_destroyed) {
    begin();
    gy_promise *p = fulfilled(0);
    gy_then(p, NULL, NULL);
    gy_promise_free(p);
    p = pending();
    gy_promise_resolve(p, gy_own(trace, drop));
    gy_promise_free(p);
    CHECK_EQ(drops, 1);
    gy_promise_free(NULL);
    CHECK(gy_promise_ref(NULL) == NULL && gy_then(NULL, same, NULL) == NULL && gy_finally(NULL, NULL, NULL) == NULL);
    end();
}

TEST(promise, who_waits_for_a_promise_that_is_gone_goes_too) {
    begin();
    gy_promise *p = pending(), *kept = gy_promise_ref(gy_then(p, note, "x")), *settled = pending();
    gy_then(gy_then(p, note, "x"), note, "y");
    gy_promise_resolve(settled, gy_own(trace, drop));
    gy_then(gy_finally(settled, last_adopt, p), note, "z"); /* waits for `p` with the value in its hands */
    gy_promise_free(settled);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(drops, 0);
    gy_promise_free(p);
    CHECK_EQ(drops, 1);
    CHECK_EQ(gy_promise_state_of(kept), GY_PENDING);
    gy_promise_free(kept);
    end();
    CHECK_STR(trace, "");
}

TEST(promise, a_long_chain_goes_without_deep_calls) {
    begin();
    gy_promise *p = pending(), *q = p;
    for (int i = 0; i < 200000; i++) q = gy_then(q, add_one, NULL);
    gy_promise_free(p);
    p = pending();
    gy_promise_resolve(p, gy_own(trace, drop));
    for (int i = 0; i < 200000; i++) { /* each follows the one before */
        q = pending();
        gy_promise_resolve(q, gy_adopt(p));
        gy_promise_free(p);
        p = q;
    }
    end();
    CHECK_EQ(drops, 1);
}

static gy_promise *inside;
static void drop_frees(void *ptr) {
    drops++;
    gy_promise_free(ptr);
}

TEST(promise, a_destructor_may_free_promises) {
    begin();
    gy_promise *p = NULL;
    for (int i = 0; i < 100000; i++) {
        inside = pending();
        gy_promise_resolve(inside, gy_own(p, drop_frees));
        p = inside;
    }
    gy_promise_free(p);
    CHECK_EQ(drops, 100000);
    end();
}
