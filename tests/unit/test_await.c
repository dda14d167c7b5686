/* SPDX-License-Identifier: ISC */
/* Awaiting requests: what has been begun has ended when the await returns, whatever becomes of the fiber. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gyre/fiber.h"
#include "gyre/request.h"
#include "harness.h"

static gy_loop *loop;

/* A request that a test settles, in the fiber's own memory, and what the test does with it. */
typedef struct dummy {
    void *user;
    bool cancelled;
} dummy;

static void dummy_cancel(void *request) { ((dummy *)request)->cancelled = true; }

static const gy_request_kind gy_kind_dummy = {dummy_cancel}, gy_kind_deaf = {NULL};

static dummy *seen; /* where it lies */
static gy_value result;

static gy_value await_dummy(void *arg) {
    dummy d = {.user = arg};
    seen = &d;
    result = gy_await_req(GY_PROMISE(loop, dummy, &d, 0));
    CHECK(d.user == arg);
    return result;
}

static gy_value await_deaf(void *arg) {
    dummy d = {.user = arg};
    seen = &d;
    return result = gy_await_req(GY_PROMISE(loop, deaf, &d, 0));
}

static gy_promise *begin(gy_fiber_fn *fn) {
    seen = NULL;
    result = gy_num(-1);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    return gy_promise_ref(gy_fiber_start(loop, (gy_fiber_opts){.fn = fn}));
}

static void end(gy_promise *fiber) {
    gy_fiber_stats stats;
    gy_catch(fiber, NULL, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    gy_promise_free(fiber);
    gy_fiber_stats_get(loop, &stats);
    CHECK_EQ(stats.fibers, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(await, a_request_gives_its_outcome) {
    gy_promise *fiber = begin(await_dummy);
    gy_request_settle(&seen->user, &gy_kind_dummy, gy_num(42));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gy_value_err(result) == 0 && result.num == 42);
    end(fiber);
}

static gy_value ignore(gy_value v, void *ctx) {
    (void)v;
    (void)ctx;
    return gy_num(0);
}

TEST(await, a_cancelled_fiber_cancels_the_request_and_waits_until_it_has_let_go) {
    gy_promise *fiber = begin(await_dummy);
    gy_catch(fiber, ignore, NULL);
    CHECK(gy_fiber_cancel(fiber));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(seen->cancelled);
    CHECK_EQ(gy_promise_state_of(fiber), GY_PENDING);
    gy_request_settle(&seen->user, &gy_kind_dummy, gy_err(GY_ECANCELED));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_value_err(result), GY_ECANCELED);
    CHECK_EQ(gy_promise_state_of(fiber), GY_REJECTED);
    end(fiber);
}

TEST(await, a_request_that_cannot_be_cancelled_is_waited_for_and_its_outcome_kept) {
    gy_promise *fiber = begin(await_deaf);
    CHECK(gy_fiber_cancel(fiber));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_promise_state_of(fiber), GY_PENDING);
    gy_request_settle(&seen->user, &gy_kind_deaf, gy_num(7));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gy_value_err(result) == 0 && result.num == 7);
    end(fiber);
}

TEST(await, an_outcome_that_comes_together_with_the_cancellation_is_not_lost) {
    gy_promise *fiber = begin(await_dummy);
    CHECK(gy_fiber_cancel(fiber)); /* its microtask has not run when the request is done */
    gy_request_settle(&seen->user, &gy_kind_dummy, gy_num(3));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gy_value_err(result) == 0 && result.num == 3);
    end(fiber);
}

static gy_value await_twice(void *arg) {
    dummy refused = {0};
    CHECK_EQ(gy_value_err(gy_await_req(GY_PROMISE(loop, deaf, &refused, -EIO))), -EIO);
    return await_dummy(arg);
}

TEST(await, a_request_that_was_not_started_is_an_error_and_one_begun_when_cancelled_is_cancelled) {
    gy_promise *fiber = begin(await_twice);
    gy_catch(fiber, ignore, NULL);
    CHECK(gy_fiber_cancel(fiber)); /* in the first await, which has failed but was not told yet */
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(seen && seen->cancelled);
    gy_request_settle(&seen->user, &gy_kind_dummy, gy_err(GY_ECANCELED));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_value_err(result), GY_ECANCELED);
    end(fiber);
}

static gy_value await_timer(void *arg) {
    gy_timer timer = {0};
    gy_timer_opts opts = {.after = GY_S(60), .fn = gy_settle_timer};
    (void)arg;
    return result = gy_await_req(GY_PROMISE(loop, timer, &timer, (gy_timer_start(loop, &timer, opts), 0)));
}

TEST(await, a_timer_on_the_stack_of_a_cancelled_fiber_is_stopped) {
    gy_promise *fiber = begin(await_timer);
    gy_catch(fiber, ignore, NULL);
    gy_ns before = gy_loop_now(loop);
    CHECK(gy_fiber_cancel(fiber));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_value_err(result), GY_ECANCELED);
    CHECK(gy_loop_now(loop) - before < GY_S(60));
    end(fiber);
}

static gy_value await_plain(void *arg) {
    (void)arg;
    return result = gy_await_req(gy_delay(loop, GY_MS(1)));
}

TEST(await, other_promises_are_awaited_as_ever) {
    gy_promise *fiber = begin(await_plain);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_value_err(result), 0);
    CHECK_EQ(gy_value_err(gy_await_req(NULL)), -EINVAL);
    gy_promise *p = gy_promise_ref(gy_delay(loop, GY_MS(1)));
    CHECK_EQ(gy_value_err(gy_await_req(p)), -EPERM);
    gy_promise_free(p);
    end(fiber);
}

static gy_stream server, client;

static gy_value await_accept(void *arg) {
    (void)arg;
    return result = gy_await_req(gy_promise_accept(&server, &client, NULL));
}

TEST(await, accepting_is_called_off_with_the_fiber) {
    memset(&server, 0, sizeof server);
    memset(&client, 0, sizeof client);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    gy_listen_opts opts = {.addr = "127.0.0.1:0", .fn = gy_settle_accept};
    CHECK_EQ(gy_tcp_listen(loop, &server, opts), 0);
    gy_promise *fiber = gy_promise_ref(gy_fiber_start(loop, (gy_fiber_opts){.fn = await_accept}));
    gy_catch(fiber, ignore, NULL);
    CHECK(gy_fiber_cancel(fiber));
    while (gy_promise_state_of(fiber) == GY_PENDING) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(gy_value_err(result), GY_ECANCELED);
    gy_stream_close(&server, NULL);
    end(fiber);
}
