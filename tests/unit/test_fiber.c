/* SPDX-License-Identifier: ISC */
/* Fibers by themselves: starting, waiting, values, cancelling, and the end of a loop. The order against promises is in
 * tests/loop/fibers.c. */
#include "task/fiber.h"

#include <errno.h>
#include <stdlib.h>

#include "harness.h"

static gy_loop *loop;
static int drops, live, reports;

static void *fiber_alloc(size_t size, void *ctx) {
    (void)ctx;
    live++;
    return malloc(size);
}

static void fiber_free(void *ptr, void *ctx) {
    (void)ctx;
    live--;
    free(ptr);
}

static void unhandled(gy_loop *l, gy_promise *p) {
    (void)l;
    (void)p;
    reports++;
}

static void begin(void) {
    drops = live = reports = 0;
    gy_loop_opts opts = {.backend = "sim", .alloc = {.alloc = fiber_alloc, .free = fiber_free}};
    CHECK_EQ(gy_loop_new(&loop, opts), 0);
    CHECK_EQ(gy_promise_on_unhandled(loop, unhandled), 0);
}

static void end(void) {
    gy_fiber_stats stats;
    CHECK_EQ(gy_loop_run(loop), 0);
    gy_fiber_stats_get(loop, &stats);
    CHECK_EQ(stats.fibers, 0);
    CHECK(gyi_list_empty(&((gyi_task *)loop->task)->fibers));
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(live, 0);
}

static void drop(void *ptr) {
    ++*(int *)ptr;
    drops++;
}

static gy_promise *start(gy_fiber_fn *fn, void *arg) {
    return gy_fiber_start(loop, (gy_fiber_opts){.fn = fn, .arg = arg});
}

static gy_promise *pending(void) {
    gy_promise *p;
    CHECK_EQ(gy_promise_new(loop, &p), 0);
    return p;
}

/* Waits for the promise and returns what it got. */
static gy_value pass(void *arg) { return gy_await(arg); }

static gy_value seven(void *arg) {
    if (arg) ++*(int *)arg;
    return gy_num(7);
}

static gy_value fail(void *arg) {
    (void)arg;
    return gy_err(-EIO);
}

static gy_value seven_value(gy_value v, void *ctx) {
    (void)v;
    (void)ctx;
    return gy_num(7);
}

TEST(fiber, the_record_is_small) {
    if (sizeof(void *) != 8 || sizeof(gyi_context) > 8 || sizeof(gyi_switch_watch) > 8) SKIP("not the plain build");
    CHECK(sizeof(gyi_fiber) <= 256);
    CHECK(sizeof(gyi_stack) + sizeof(gy_promise) <= 96);
}

TEST(fiber, it_begins_inside_the_call_and_its_value_settles_its_promise) {
    int ran = 0;
    begin();
    gy_promise *p = gy_promise_ref(start(seven, &ran));
    CHECK_EQ(ran, 1);
    CHECK_EQ(gy_promise_state_of(p), GY_FULFILLED);
    CHECK_EQ(gy_promise_value(p).num, 7);
    CHECK_EQ(gy_promise_resolve(p, gy_num(1)), -EALREADY);
    gy_promise_free(p);
    gy_promise *q = start(fail, NULL); /* nobody handles it */
    CHECK_EQ(gy_value_err(gy_promise_value(q)), -EIO);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(reports, 1);
    end();
}

TEST(fiber, await_returns_the_value_when_it_is_there) {
    begin();
    gy_promise *p = pending(), *f = gy_promise_ref(start(pass, p));
    CHECK_EQ(gy_promise_state_of(f), GY_PENDING);
    CHECK_EQ(gy_promise_resolve(f, gy_num(1)), -EALREADY);
    CHECK_EQ(gy_loop_run(loop), 0); /* it does not keep the loop alive */
    gy_promise_resolve(p, gy_num(5));
    CHECK_EQ(gy_promise_state_of(f), GY_PENDING);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_promise_value(f).num, 5);
    gy_promise_free(p);
    gy_promise_free(f);
    end();
}

TEST(fiber, await_returns_the_error_and_counts_as_handling) {
    begin();
    gy_promise *p = pending(), *f = gy_promise_ref(start(pass, p));
    gy_promise_reject(p, -EPIPE);
    gy_catch(f, NULL, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_value_err(gy_promise_value(f)), -EPIPE);
    CHECK_EQ(reports, 1); /* of the last of the chain, and not of `p` */
    gy_promise_free(p);
    gy_promise_free(f);
    end();
}

TEST(fiber, outside_of_fibers_waiting_is_refused) {
    begin();
    gy_promise *p = pending();
    CHECK_EQ(gy_value_err(gy_await(p)), -EPERM);
    CHECK_EQ(gy_value_err(gy_await_shielded(p)), -EPERM);
    CHECK_EQ(gy_value_err(gy_await(NULL)), -EINVAL);
    CHECK_EQ(gy_fiber_sleep(loop, 1), -EPERM);
    CHECK_EQ(gy_fiber_yield(loop), -EPERM);
    CHECK(gy_fiber_self(loop) == NULL);
    CHECK(!gy_fiber_cancel(NULL) && !gy_fiber_cancel(p) && !gy_fiber_cancelled(NULL) && !gy_fiber_cancelled(p));
    gy_promise_free(p);
    p = start(NULL, NULL);
    CHECK_EQ(gy_value_err(gy_promise_value(p)), -EINVAL);
    p = gy_fiber_start(loop, (gy_fiber_opts){.fn = seven, .stack = (size_t)1 << 31});
    CHECK_EQ(gy_value_err(gy_promise_value(p)), -ENOMEM);
    CHECK_EQ(gy_fiber_tune(loop, (gy_fiber_tuning){.stack = (size_t)1 << 31}), -EINVAL);
    end();
}

static gy_value itself(void *arg) {
    *(gy_promise **)arg = gy_fiber_self(loop);
    CHECK_EQ(gy_loop_run(loop), -EBUSY);
    CHECK_EQ(gy_loop_free(loop), -EBUSY);
    return gy_await(gy_fiber_self(loop));
}

TEST(fiber, it_knows_itself_and_does_not_wait_for_itself) {
    gy_promise *self = NULL;
    begin();
    gy_promise *p = start(itself, &self);
    CHECK(p == self);
    CHECK_EQ(gy_value_err(gy_promise_value(p)), -EDEADLK);
    gy_catch(p, NULL, NULL);
    end();
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

static gy_value lent_until(void *arg) {
    gy_promise **two = arg;
    int *first = gy_await(two[0]).ptr;
    gy_promise_free(two[0]);
    CHECK_EQ(*first, 10); /* not destroyed: the fiber holds it */
    gy_value again = gy_await(two[1]);
    CHECK_EQ(*first, 11); /* destroyed by that await */
    gy_promise_free(two[1]);
    return again; /* shares the value of the last promise */
}

TEST(fiber, a_value_is_lent_until_the_next_await_and_the_last_may_be_returned) {
    int one = 10, other = 20;
    begin();
    gy_promise *two[] = {pending(), pending()};
    gy_promise_resolve(two[0], gy_own(&one, drop));
    gy_promise_resolve(two[1], gy_own(&other, drop));
    gy_promise *f = gy_promise_ref(start(lent_until, two));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gy_promise_value(f).ptr == &other);
    CHECK_EQ(drops, 1);
    gy_promise_free(f);
    CHECK_EQ(drops, 2);
    end();
}

static gy_value same_twice(void *arg) {
    gy_promise *p = arg;
    CHECK_EQ(*(int *)gy_await(p).ptr, 1);
    gy_promise_free(p);
    gy_value v = gy_await(p); /* held by this fiber only */
    CHECK_EQ(*(int *)v.ptr, 1);
    return gy_num(3);
}

TEST(fiber, a_promise_can_be_awaited_again_while_the_fiber_holds_it) {
    int one = 1;
    begin();
    gy_promise *p = pending();
    gy_promise_resolve(p, gy_own(&one, drop));
    gy_promise *f = gy_promise_ref(start(same_twice, p));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_promise_value(f).num, 3);
    CHECK_EQ(drops, 1);
    gy_promise_free(f);
    end();
}

static void drop_other(void *ptr) { gy_promise_free(*(gy_promise **)ptr); }

static gy_value robbed(void *arg) {
    gy_promise **two = arg;
    gy_await(two[0]);
    gy_promise_free(two[0]);
    return gy_await(two[1]); /* the destructor of the first value gives the second promise back */
}

TEST(fiber, a_destructor_may_take_away_what_is_awaited) {
    begin();
    gy_promise *two[] = {pending(), pending()};
    gy_promise_resolve(two[0], gy_own(&two[1], drop_other));
    gy_promise *f = gy_promise_ref(start(robbed, two));
    gy_catch(f, NULL, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_value_err(gy_promise_value(f)), GY_ECLOSED);
    gy_promise_free(f);
    end();
}

TEST(fiber, a_promise_that_goes_away_ends_the_wait) {
    begin();
    gy_promise *p = pending(), *f = gy_promise_ref(start(pass, p));
    gy_promise_free(p);
    CHECK_EQ(gy_promise_state_of(f), GY_PENDING);
    CHECK(gy_fiber_cancel(f)); /* too late to matter */
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_value_err(gy_promise_value(f)), GY_ECLOSED);
    gy_promise_free(f);
    end();
}

/* ---- many and deep --------------------------------------------------------------------------------------------- */

typedef struct chain {
    int depth, *sum;
} chain;

static gy_value nested(void *arg) {
    const chain *c = arg;
    chain next = {c->depth - 1, c->sum};
    ++*c->sum;
    if (!c->depth) return gy_num(0);
    gy_value v = gy_await(start(nested, &next));
    return gy_value_err(v) ? v : gy_num(v.num + 1);
}

TEST(fiber, fibers_start_fibers) {
    int sum = 0;
    chain c = {50, &sum};
    begin();
    gy_promise *f = gy_promise_ref(start(nested, &c));
    CHECK_EQ(sum, 51);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_promise_value(f).num, 50);
    gy_promise_free(f);
    end();
}

static int recurse(gy_promise *p, int depth) {
    volatile int here = depth;
    if (depth == 0) return (int)gy_await(p).num;
    return recurse(p, depth - 1) + here - depth + 1;
}

static gy_value deep(void *arg) { return gy_num(recurse(arg, 200)); }

TEST(fiber, await_works_at_the_bottom_of_deep_calls) {
    begin();
    gy_promise *p = pending(), *f;
    f = gy_promise_ref(gy_fiber_start(loop, (gy_fiber_opts){.fn = deep, .arg = p, .stack = 262144}));
    gy_promise_resolve(p, gy_num(1000));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_promise_value(f).num, 1200);
    gy_promise_free(p);
    gy_promise_free(f);
    end();
}

static gy_value add(void *arg) {
    gy_value v = gy_await(((gy_promise **)arg)[0]);
    drops += (int)v.num;
    return gy_num(0);
}

TEST(fiber, thousands_wait_for_one_promise_and_stacks_are_used_again) {
    begin();
    for (int round = 1; round <= 3; round++) {
        gy_promise *p = pending();
        for (int i = 0; i < 3000; i++) start(add, &p);
        gy_fiber_stats stats;
        gy_fiber_stats_get(loop, &stats);
        CHECK_EQ(stats.fibers, 3000);
        CHECK_EQ(stats.unguarded, 0);
        gy_promise_resolve(p, gy_num(1));
        CHECK_EQ(gy_loop_run(loop), 0);
        CHECK_EQ(drops, 3000 * round);
        gy_promise_free(p);
        gy_fiber_stats_get(loop, &stats);
        CHECK_EQ(stats.fibers, 0);
        CHECK_EQ(stats.kept, 1024);
    }
    end();
}

/* ---- cancelling ------------------------------------------------------------------------------------------------ */

typedef struct trial {
    gy_promise *p;
    int steps[4];
} trial;

static gy_value stubborn(void *arg) {
    trial *t = arg;
    t->steps[0] = gy_value_err(gy_await(t->p));
    t->steps[1] = gy_fiber_sleep(loop, GY_S(1));
    t->steps[2] = gy_fiber_yield(loop);
    t->steps[3] = (int)gy_await_shielded(t->p).num;
    return gy_num(gy_fiber_cancelled(gy_fiber_self(loop)));
}

TEST(fiber, a_cancelled_fiber_cleans_up_and_every_wait_says_so) {
    trial t = {0};
    begin();
    t.p = pending();
    gy_ns before = gy_loop_now(loop);
    gy_promise *f = gy_promise_ref(start(stubborn, &t));
    CHECK(gy_fiber_cancel(f));
    CHECK(!gy_fiber_cancel(f));
    CHECK(gy_fiber_cancelled(f));
    CHECK_EQ(t.steps[0], 0); /* not before the next microtask */
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(t.steps[0], GY_ECANCELED);
    CHECK_EQ(t.steps[1], GY_ECANCELED);
    CHECK_EQ(t.steps[2], GY_ECANCELED);
    CHECK_EQ(gy_promise_state_of(f), GY_PENDING);
    CHECK(gy_loop_now(loop) == before);
    gy_promise_resolve(t.p, gy_num(4));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(t.steps[3], 4);
    CHECK_EQ(gy_promise_value(f).num, 1);
    CHECK(!gy_fiber_cancel(f) && !gy_fiber_cancelled(f)); /* it has ended */
    gy_promise_free(f);
    gy_promise_free(t.p);
    end();
}

TEST(fiber, what_is_settled_already_is_delivered_in_spite_of_a_cancellation) {
    begin();
    gy_promise *p = pending(), *f = gy_promise_ref(start(pass, p));
    gy_promise_resolve(p, gy_num(8));
    CHECK(gy_fiber_cancel(f));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_promise_value(f).num, 8);
    gy_promise_free(p);
    gy_promise_free(f);
    end();
}

static gy_value sleeper(void *arg) {
    int err = gy_fiber_sleep(loop, *(gy_ns *)arg);
    return err ? gy_err(err) : gy_num(1);
}

TEST(fiber, sleep_lasts_and_is_ended_by_cancelling) {
    gy_ns second = GY_S(1);
    begin();
    gy_ns before = gy_loop_now(loop);
    gy_promise *a = gy_promise_ref(start(sleeper, &second));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_promise_value(a).num, 1);
    CHECK_EQ(gy_loop_now(loop) - before, second);
    gy_promise *b = gy_promise_ref(start(sleeper, &second));
    gy_catch(b, NULL, NULL);
    gy_fiber_cancel(b);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_value_err(gy_promise_value(b)), GY_ECANCELED);
    CHECK_EQ(gy_loop_now(loop) - before, second); /* its timer did not keep the loop alive */
    gy_promise_free(a);
    gy_promise_free(b);
    end();
}

static gy_value cancels_itself(void *arg) {
    gy_fiber_cancel(gy_fiber_self(loop));
    return gy_await(arg);
}

TEST(fiber, it_may_cancel_itself_and_what_it_awaits_is_handled) {
    begin();
    gy_promise *p = pending(), *f = gy_promise_ref(start(cancels_itself, p));
    gy_promise_reject(p, -EIO);
    gy_catch(f, seven_value, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_value_err(gy_promise_value(f)), GY_ECANCELED);
    CHECK_EQ(reports, 0);
    gy_promise_free(p);
    gy_promise_free(f);
    end();
}

/* ---- the end of a loop ----------------------------------------------------------------------------------------- */

static gy_value on_my_stack(void *arg) {
    int mine = 0;
    gy_promise *p = pending();
    gy_promise_resolve(p, gy_own(&mine, drop));
    gy_promise **all = arg;
    all[0] = p;
    gy_fiber_sleep(loop, GY_S(9));
    return gy_num(0);
}

TEST(fiber, a_loop_takes_its_fibers_along) {
    begin();
    gy_promise *p = pending(), *settled = pending(), *mine;
    gy_promise_resolve(settled, gy_num(1));
    gy_promise *f = gy_promise_ref(start(pass, p));
    start(pass, settled);
    start(on_my_stack, &mine);
    gy_promise_free(p);
    start(pass, f);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(drops, 1); /* the value that lay on a stack */
    CHECK_EQ(live, 0);
}

/* ---- other loops ----------------------------------------------------------------------------------------------- */

static gy_loop *inner;

static gy_value in_other_loop(void *arg) {
    CHECK_EQ(gy_value_err(gy_await(arg)), -EPERM); /* this fiber is of `inner` */
    return gy_num(1);
}

static gy_value runs_another(void *arg) {
    gy_promise *p;
    CHECK_EQ(gy_promise_new(inner, &p), 0);
    CHECK_EQ(gy_value_err(gy_await(p)), -EPERM);
    gy_promise_free(p);
    gy_fiber_start(inner, (gy_fiber_opts){.fn = in_other_loop, .arg = arg});
    CHECK_EQ(gy_loop_run(inner), 0);
    return gy_num(2);
}

TEST(fiber, it_belongs_to_its_loop) {
    begin();
    CHECK_EQ(gy_loop_new(&inner, (gy_loop_opts){.backend = "sim"}), 0);
    gy_promise *p = pending(), *f;
    f = gy_promise_ref(gy_fiber_start(loop, (gy_fiber_opts){.fn = runs_another, .arg = p, .stack = 262144}));
    CHECK_EQ(gy_promise_value(f).num, 2);
    gy_promise_free(p);
    gy_promise_free(f);
    CHECK_EQ(gy_loop_free(inner), 0);
    end();
}
