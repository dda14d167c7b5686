/* SPDX-License-Identifier: ISC */
/* Requests as promises: the nodes, the chain in `user`, tokens, and timers. */
#include <errno.h>
#include <stdlib.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

static gy_loop *loop;
static char mine;

static void begin(void) { CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0); }

static void end(void) {
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* A request that does nothing by itself. */
typedef struct dummy {
    void *user;
    int started, cancelled;
} dummy;

static void dummy_cancel(void *request) { ((dummy *)request)->cancelled++; }

static const gy_request_kind gy_kind_dummy = {dummy_cancel}, gy_kind_deaf = {NULL};

static int dummy_start(dummy *d, int answer) {
    d->started++;
    return answer;
}

TEST(request, settles_with_a_value_and_gives_user_back) {
    dummy d = {.user = &mine};
    outcome o = {.count = 0};
    begin();
    outcome_of(GY_PROMISE(loop, dummy, &d, dummy_start(&d, 0)), &o);
    CHECK_EQ(d.started, 1);
    CHECK(d.user != &mine);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.count, 0);
    gy_request_settle(&d.user, &gy_kind_dummy, gy_num(42));
    CHECK(d.user == &mine);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.count, 1);
    CHECK_EQ(o.err, 0);
    CHECK_EQ(o.value.num, 42);
    end();
}

TEST(request, an_error_of_the_start_rejects) {
    dummy d = {.user = &mine};
    outcome o = {.count = 0};
    begin();
    outcome_of(GY_PROMISE(loop, dummy, &d, dummy_start(&d, -EBUSY)), &o);
    CHECK(d.user == &mine);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.count, 1);
    CHECK_EQ(o.err, -EBUSY);
    end();
}

/* A start that has the answer at once. */
static int dummy_start_settled(dummy *d, gy_value value) {
    d->started++;
    gy_request_settle(&d->user, &gy_kind_dummy, value);
    return 0;
}

TEST(request, may_be_settled_by_its_own_start) {
    dummy d = {.user = &mine}, inner = {.user = &mine}, failing = {.user = &mine};
    outcome o = {.count = 0}, i = {.count = 0}, f = {.count = 0};
    begin();
    outcome_of(GY_PROMISE(loop, dummy, &d,
                          (outcome_of(GY_PROMISE(loop, dummy, &inner, dummy_start_settled(&inner, gy_num(1))), &i),
                           dummy_start_settled(&d, gy_num(2)))), &o);
    outcome_of(GY_PROMISE(loop, dummy, &failing, dummy_start_settled(&failing, gy_err(-EPIPE))), &f);
    CHECK(d.user == &mine && inner.user == &mine && failing.user == &mine);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(i.value.num, 1);
    CHECK_EQ(o.value.num, 2);
    CHECK_EQ(f.err, -EPIPE);
    CHECK_EQ(o.count + i.count + f.count, 3);
    end();
}

static int dummy_start_cancelling(dummy *d, gy_cancel *token) {
    gy_cancel_now(token, -EIO);
    CHECK_EQ(d->cancelled, 0);
    d->started++;
    return 0;
}

TEST(request, is_cancelled_when_it_has_been_started) {
    dummy d = {.user = &mine}, refused = {.user = &mine};
    outcome o = {.count = 0}, r = {.count = 0};
    gy_cancel token = {0}, other = {0};
    begin();
    outcome_of(GY_PROMISE_UNTIL(&token, loop, dummy, &d, dummy_start_cancelling(&d, &token)), &o);
    CHECK_EQ(d.cancelled, 1);
    gy_request_settle(&d.user, &gy_kind_dummy, gy_err(GY_ECANCELED));
    outcome_of(GY_PROMISE_UNTIL(&other, loop, dummy, &refused, (dummy_start_cancelling(&refused, &other), -EBUSY)), &r);
    CHECK_EQ(refused.cancelled, 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.err, GY_ECANCELED);
    CHECK_EQ(r.err, -EBUSY);
    end();
}

TEST(request, kinds_of_one_handle_do_not_disturb_each_other) {
    dummy d = {.user = &mine};
    outcome first = {.count = 0}, second = {.count = 0}, third = {.count = 0};
    begin();
    outcome_of(GY_PROMISE(loop, dummy, &d, dummy_start(&d, 0)), &first);
    outcome_of(GY_PROMISE(loop, deaf, &d, dummy_start(&d, 0)), &second);
    outcome_of(GY_PROMISE(loop, dummy, &d, dummy_start(&d, -EBUSY)), &third);
    gy_request_settle(&d.user, &gy_kind_dummy, gy_err(-EIO));
    CHECK(d.user != &mine);
    gy_request_settle(&d.user, &gy_kind_deaf, gy_num(2));
    CHECK(d.user == &mine);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(first.err, -EIO);
    CHECK_EQ(second.value.num, 2);
    CHECK_EQ(third.err, -EBUSY);
    end();
}

TEST(request, a_token_cancels_what_can_be_cancelled) {
    dummy d = {.user = NULL}, deaf = {.user = NULL}, late = {.user = NULL}, done = {.user = NULL};
    outcome o = {.count = 0}, p = {.count = 0}, q = {.count = 0};
    gy_cancel token = {0};
    begin();
    outcome_of(GY_PROMISE_UNTIL(&token, loop, dummy, &d, dummy_start(&d, 0)), &o);
    outcome_of(GY_PROMISE_UNTIL(&token, loop, deaf, &deaf, dummy_start(&deaf, 0)), &p);
    outcome_of(GY_PROMISE_UNTIL(&token, loop, dummy, &done, dummy_start(&done, 0)), &q);
    gy_request_settle(&done.user, &gy_kind_dummy, gy_num(1));
    gy_cancel_now(&token, -ETIMEDOUT);
    CHECK_EQ(d.cancelled, 1);
    CHECK_EQ(deaf.cancelled, 0);
    CHECK_EQ(done.cancelled, 0);
    gy_request_settle(&d.user, &gy_kind_dummy, gy_err(GY_ECANCELED));
    gy_request_settle(&deaf.user, &gy_kind_deaf, gy_num(3));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.err, GY_ECANCELED);
    CHECK_EQ(p.err, 0);
    CHECK_EQ(p.value.num, 3);
    o = (outcome){.count = 0};
    outcome_of(GY_PROMISE_UNTIL(&token, loop, dummy, &late, dummy_start(&late, 0)), &o);
    CHECK_EQ(late.started, 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.count, 1);
    CHECK_EQ(o.err, GY_ECANCELED);
    gy_cancel_close(&token);
    end();
}

TEST(request, the_loop_may_go_before_the_token) {
    dummy d = {.user = NULL};
    gy_cancel token = {0};
    begin();
    CHECK(GY_PROMISE_UNTIL(&token, loop, dummy, &d, dummy_start(&d, 0)) != NULL);
    end();
    gy_cancel_now(&token, -EIO);
    CHECK_EQ(d.cancelled, 0);
}

TEST(request, timers_are_promises_too) {
    gy_timer t = {.user = &mine}, u = {0};
    outcome o = {.count = 0}, p = {.count = 0};
    gy_cancel token = {0};
    begin();
    gy_timer_opts opts = {.after = GY_MS(5), .fn = gy_settle_timer};
    outcome_of(GY_PROMISE(loop, timer, &t, (gy_timer_start(loop, &t, opts), 0)), &o);
    outcome_of(GY_PROMISE_UNTIL(&token, loop, timer, &u, (gy_timer_start(loop, &u, opts), 0)), &p);
    gy_cancel_now(&token, -EIO);
    CHECK(!gy_timer_active(&u));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.count, 1);
    CHECK_EQ(o.err, 0);
    CHECK(t.user == &mine);
    CHECK_EQ(p.count, 1);
    CHECK_EQ(p.err, GY_ECANCELED);
    end();
}

static int allowed;
static void *few_alloc(size_t size, void *ctx) {
    (void)ctx;
    return allowed-- > 0 ? malloc(size) : NULL;
}
static void few_free(void *ptr, void *ctx) {
    (void)ctx;
    free(ptr);
}

TEST(request, nothing_is_started_without_memory) {
    dummy d = {.user = &mine};
    outcome o = {.count = 0};
    allowed = 1000;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim", .alloc = {few_alloc, few_free, NULL}}), 0);
    allowed = 0;
    CHECK(GY_PROMISE(loop, dummy, &d, dummy_start(&d, 0)) == NULL);
    allowed = 1000;
    gy_delay(loop, 0); /* from now on there is a promise to return */
    CHECK_EQ(gy_loop_run(loop), 0);
    allowed = 0;
    gy_promise *p = GY_PROMISE(loop, dummy, &d, dummy_start(&d, 0));
    CHECK_EQ(gy_promise_state_of(p), GY_REJECTED);
    CHECK_EQ(gy_value_err(gy_promise_value(p)), -ENOMEM);
    allowed = 1000;
    outcome_of(p, &o);
    CHECK_EQ(d.started, 0);
    CHECK(d.user == &mine);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.err, -ENOMEM);
    end();
}
