/* SPDX-License-Identifier: ISC */
/* Promises and timers, in virtual time. */
#include <errno.h>

#include "gyre/gyre.h"
#include "gyre/promise.h"
#include "harness.h"
#include "task/task.h"

static gy_loop *loop;
static gy_ns start;

static void begin(void) {
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    start = gy_loop_now(loop);
}

static void end(void) {
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gyi_list_empty(&((gyi_task *)loop->task)->blocks));
    CHECK_EQ(gy_loop_free(loop), 0);
}

static gy_value note(gy_value v, void *ctx) {
    int64_t *out = ctx;
    out[0] = gy_loop_now(loop) - start;
    out[1] = gy_value_err(v) ? gy_value_err(v) : v.num;
    return gy_num(0);
}

TEST(time, a_delay_is_fulfilled_when_it_is_over) {
    int64_t a[2] = {0}, b[2] = {0};
    begin();
    gy_then(gy_delay(loop, GY_MS(20)), note, a);
    gy_then(gy_delay(loop, GY_MS(5)), note, b);
    gy_delay(loop, 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a[0], GY_MS(20));
    CHECK_EQ(b[0], GY_MS(5));
    end();
}

static gy_value pause(gy_value v, void *ctx) {
    (void)v;
    (void)ctx;
    return gy_adopt(gy_delay(loop, GY_MS(3)));
}

TEST(time, a_reaction_may_return_a_delay) {
    int64_t a[2] = {0};
    begin();
    gy_then(gy_then(gy_then(gy_delay(loop, GY_MS(1)), pause, NULL), pause, NULL), note, a);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a[0], GY_MS(7));
    end();
}

TEST(time, what_takes_too_long_is_rejected) {
    int64_t a[2] = {0};
    begin();
    gy_promise *p;
    CHECK_EQ(gy_promise_new(loop, &p), 0);
    gy_catch(gy_promise_timeout(p, GY_MS(10)), note, a);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a[0], GY_MS(10));
    CHECK_EQ(a[1], -ETIMEDOUT);
    CHECK(p->reactions == NULL);
    gy_promise_free(p);
    CHECK(gy_promise_timeout(NULL, 1) == NULL);
    end();
}

TEST(time, what_is_in_time_settles_as_it_would_and_the_timer_is_stopped) {
    int64_t a[2] = {0}, b[2] = {0};
    begin();
    gy_promise *p, *q;
    CHECK_EQ(gy_promise_new(loop, &p), 0);
    CHECK_EQ(gy_promise_new(loop, &q), 0);
    gy_then(gy_promise_timeout(p, GY_S(10)), note, a);
    gy_catch(gy_promise_timeout(q, GY_S(10)), note, b);
    gy_promise_resolve(p, gy_num(6));
    gy_promise_reject(q, -EIO);
    gy_promise_free(p);
    gy_promise_free(q);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a[1], 6);
    CHECK_EQ(b[1], -EIO);
    CHECK_EQ(gy_loop_now(loop), start);
    end();
}

TEST(time, a_promise_that_is_gone_times_out) {
    int64_t a[2] = {0};
    begin();
    gy_promise *p;
    CHECK_EQ(gy_promise_new(loop, &p), 0);
    gy_catch(gy_promise_timeout(p, GY_MS(10)), note, a);
    gy_promise_free(p);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a[1], -ETIMEDOUT);
    end();
}

TEST(time, a_loop_may_be_freed_while_they_wait) {
    begin();
    gy_promise_timeout(gy_delay(loop, GY_S(1)), GY_S(2));
    gy_then(gy_delay(loop, GY_MS(1)), NULL, NULL);
    CHECK_EQ(gy_loop_free(loop), 0);
}
