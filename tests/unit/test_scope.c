/* SPDX-License-Identifier: ISC */
/* Scopes: nothing outlives its owner, the first error cancels the rest, and cancelling goes down and never up. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"

static gy_loop *loop;
static int ended, cancelled, reports;
static gy_scope *shared;

static void unhandled(gy_loop *l, gy_promise *p) {
    (void)l;
    (void)p;
    reports++;
}

static void begin(void) {
    ended = cancelled = reports = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_promise_on_unhandled(loop, unhandled), 0);
}

/* A child that takes so many milliseconds; a negative number fails then. */
static gy_value child(void *arg) {
    intptr_t ms = (intptr_t)arg;
    int err = gy_fiber_sleep(loop, GY_MS(ms < 0 ? -ms : ms));
    ended++;
    cancelled += err == GY_ECANCELED;
    if (!err && ms < 0) err = -EIO;
    return err ? gy_err(err) : gy_num(ms);
}

static gy_promise *scope_start(gy_scope *scope, gy_fiber_fn *fn, intptr_t arg) {
    return gy_scope_start(loop, scope, (gy_fiber_opts){.fn = fn, .arg = (void *)arg});
}

/* Runs a fiber to its end and gives its result, an error or a number. */
static int run(gy_fiber_fn *fn) {
    begin();
    gy_promise *f = gy_promise_ref(gy_fiber_start(loop, (gy_fiber_opts){.fn = fn}));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gy_promise_state_of(f) != GY_PENDING);
    gy_value v = gy_promise_value(f);
    int got = gy_value_err(v) ? gy_value_err(v) : (int)v.num;
    gy_promise_free(f);
    gy_fiber_stats stats;
    gy_fiber_stats_get(loop, &stats);
    CHECK_EQ(stats.fibers, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    return got;
}

static gy_value all_well(void *arg) {
    (void)arg;
    gy_scope scope = {0};
    for (int i = 1; i <= 5; i++) scope_start(&scope, child, i);
    CHECK_EQ(ended, 0);
    int err = gy_scope_wait(&scope);
    CHECK_EQ(ended, 5);
    CHECK_EQ(gy_scope_wait(&scope), 0); /* it is closed, and can be used again */
    scope_start(&scope, child, 1);
    CHECK_EQ(gy_scope_wait(&scope), 0);
    CHECK_EQ(ended, 6);
    return gy_num(err);
}

TEST(scope, it_waits_for_all) {
    CHECK_EQ(run(all_well), 0);
    CHECK_EQ(cancelled, 0);
}

static gy_value one_fails(void *arg) {
    (void)arg;
    gy_scope scope = {0};
    scope_start(&scope, child, 1);
    scope_start(&scope, child, 50);
    scope_start(&scope, child, -5);
    scope_start(&scope, child, -60);
    gy_ns before = gy_loop_now(loop);
    int err = gy_scope_wait(&scope);
    CHECK_EQ(gy_loop_now(loop) - before, GY_MS(5));
    return gy_err(err);
}

TEST(scope, the_first_error_cancels_the_rest_and_is_returned) {
    CHECK_EQ(run(one_fails), -EIO);
    CHECK_EQ(ended, 4);
    CHECK_EQ(cancelled, 2);
    CHECK_EQ(reports, 1); /* of the fiber itself: children count as handled */
}

static gy_value collects(void *arg) {
    (void)arg;
    gy_scope scope = {.policy = GY_SCOPE_COLLECT};
    gy_promise *p = gy_promise_ref(scope_start(&scope, child, 50));
    scope_start(&scope, child, -5);
    CHECK_EQ(gy_scope_wait(&scope), -EIO);
    CHECK_EQ(gy_promise_value(p).num, 50);
    gy_promise_free(p);
    return gy_num(9);
}

TEST(scope, it_may_let_all_run_to_their_end) {
    CHECK_EQ(run(collects), 9);
    CHECK_EQ(cancelled, 0);
}

static gy_value cancels(void *arg) {
    (void)arg;
    gy_scope scope = {0};
    gy_scope_cancel(&scope);
    scope_start(&scope, child, 50);
    scope_start(&scope, child, 60);
    gy_scope_cancel(&scope);
    scope_start(&scope, child, 70); /* starts cancelled */
    gy_ns before = gy_loop_now(loop);
    int err = gy_scope_wait(&scope);
    CHECK(gy_loop_now(loop) == before);
    return gy_num(err);
}

TEST(scope, what_was_cancelled_on_purpose_is_no_error) {
    CHECK_EQ(run(cancels), 0);
    CHECK_EQ(ended, 3);
    CHECK_EQ(cancelled, 3);
}

static gy_value parent(void *arg) {
    (void)arg;
    gy_scope scope = {0};
    scope_start(&scope, child, 50);
    scope_start(&scope, child, 60);
    int err = gy_scope_wait(&scope);
    CHECK_EQ(ended, 2);
    return gy_err(err);
}

static gy_value grandparent(void *arg) {
    (void)arg;
    gy_promise *p = gy_promise_ref(gy_fiber_start(loop, (gy_fiber_opts){.fn = parent}));
    gy_fiber_sleep(loop, GY_MS(10));
    CHECK_EQ(ended, 0);
    CHECK(gy_fiber_cancel(p));
    int err = gy_value_err(gy_await(p));
    CHECK_EQ(ended, 2);
    gy_promise_free(p);
    return gy_num(err);
}

TEST(scope, cancelling_who_waits_cancels_the_children_which_are_waited_for) {
    CHECK_EQ(run(grandparent), GY_ECANCELED);
    CHECK_EQ(cancelled, 2);
}

static gy_value sibling(void *arg) {
    scope_start(shared, child, (intptr_t)arg);
    return gy_num(0);
}

static gy_value open_to_members(void *arg) {
    (void)arg;
    gy_scope scope = {0};
    shared = &scope;
    scope_start(&scope, sibling, 4);
    CHECK_EQ(gy_scope_wait(&scope), 0);
    return gy_num(ended);
}

TEST(scope, its_fibers_may_start_others_in_it) { CHECK_EQ(run(open_to_members), 1); }

static gy_value waits_for_another(void *arg) {
    (void)arg;
    return gy_num(gy_scope_wait(shared));
}

static gy_value owner(void *arg) {
    (void)arg;
    gy_scope scope = {0};
    shared = &scope;
    gy_promise *p = scope_start(&scope, waits_for_another, 0);
    CHECK_EQ(gy_promise_value(p).num, -EPERM);
    return gy_num(gy_scope_wait(&scope));
}

TEST(scope, only_its_owner_waits) {
    CHECK_EQ(run(owner), 0);
    begin();
    gy_scope scope = {0};
    CHECK_EQ(gy_scope_wait(&scope), 0);
    gy_promise *p = scope_start(&scope, child, 1);
    CHECK_EQ(gy_value_err(gy_promise_value(p)), -EPERM);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static gy_value later(gy_value v, void *ctx) {
    (void)v;
    (void)ctx;
    return gy_err(-ENXIO);
}

static gy_value adopts(void *arg) {
    (void)arg;
    return gy_adopt(gy_then(gy_delay(loop, GY_MS(1)), later, NULL));
}

static gy_value hears_of_adopted(void *arg) {
    (void)arg;
    gy_scope scope = {0};
    scope_start(&scope, adopts, 0);
    scope_start(&scope, child, 40);
    return gy_num(gy_scope_wait(&scope));
}

TEST(scope, it_hears_of_the_outcome_of_adopted_promises) {
    CHECK_EQ(run(hears_of_adopted), -ENXIO);
    CHECK_EQ(cancelled, 1);
    CHECK_EQ(reports, 0);
}

static gy_timer hour;

/* How it is cancelled depends on when: what a cancelled one still begins is part of its end. */
static gy_value adopts_a_request(void *arg) {
    if (arg) gy_fiber_sleep(loop, GY_S(10000));
    gy_timer_opts opts = {.after = arg ? GY_MS(5) : GY_S(3600), .fn = gy_settle_timer};
    return gy_adopt(GY_PROMISE(loop, timer, &hour, (gy_timer_start(loop, &hour, opts), 0)));
}

static gy_value cancels_adopted(void *late) {
    gy_scope scope = {0};
    gy_ns begun = gy_loop_now(loop);
    gy_promise *p = gy_promise_ref(scope_start(&scope, adopts_a_request, late != NULL));
    scope_start(&scope, child, -1);
    CHECK_EQ(gy_scope_wait(&scope), -EIO);
    CHECK_EQ(gy_value_err(gy_promise_value(p)), late ? 0 : GY_ECANCELED);
    gy_promise_free(p);
    return gy_num((gy_loop_now(loop) - begun) / GY_MS(1));
}

static gy_value cancels_late_adopted(void *arg) {
    (void)arg;
    return cancels_adopted(&hour);
}

TEST(scope, requests_that_are_adopted_are_cancelled_and_waited_for) {
    CHECK_EQ(run(cancels_adopted), 1);
    CHECK_EQ(run(cancels_late_adopted), 6);
    CHECK_EQ(reports, 0);
}

static gy_value fails_to_start(void *arg) {
    (void)arg;
    gy_scope scope = {0};
    scope_start(&scope, child, 40);
    scope_start(&scope, NULL, 0);
    return gy_num(gy_scope_wait(&scope));
}

TEST(scope, a_start_that_fails_is_an_error) {
    CHECK_EQ(run(fails_to_start), -EINVAL);
    CHECK_EQ(cancelled, 1);
}

static gy_value forgets(void *arg) {
    (void)arg;
    gy_scope scope = {0};
    scope_start(&scope, child, 40);
    return gy_num(3);
}

TEST(scope, one_that_was_forgotten_is_ended_and_told_of) {
    int out[2], old = dup(2);
    char text[200] = {0};
    CHECK_EQ(pipe(out), 0);
    CHECK(dup2(out[1], 2) == 2);
    int got = run(forgets);
    dup2(old, 2);
    close(old);
    close(out[1]);
    CHECK(read(out[0], text, sizeof text - 1) > 0);
    close(out[0]);
    CHECK_EQ(got, 3);
    CHECK_EQ(ended, 1);
    CHECK_EQ(cancelled, 1);
    CHECK(strstr(text, "without waiting for its scope") != NULL);
}

TEST(scope, a_loop_takes_it_along) {
    begin();
    gy_fiber_start(loop, (gy_fiber_opts){.fn = parent});
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(ended, 0);
}
