/* SPDX-License-Identifier: ISC */
/* Timers on a running loop: when they fire, in which order, and what stop, restart and a full turn do to them. The ids
 * in the names (T2, T5 ...) are those of the rules in docs/internals/.
 *
 * What needs an hour runs on the "sim" backend. On the others only order and "never early" are asserted: a slow machine
 * makes timers late, and no test fails of that. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"
#include "sys/clock.h"

static gy_loop *loop;

static void begin(const char *backend) { CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0); }

static void end(void) {
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gyi_wheel_check(&loop->wheel));
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static bool is_sim(void) { return strcmp(gy_loop_backend(loop), "sim") == 0; }

static uint64_t turns(void) {
    gy_loop_stats s;
    gy_loop_stats_get(loop, &s);
    return s.turns;
}

/* A timer that keeps account. */
struct clock {
    gy_timer timer;
    int fired, stop_after;
    uint64_t missed;
    gy_ns due[32], at[32];
};

static int order[64], orders;

static void clock_run(gy_timer *timer) {
    struct clock *c = GY_OF(timer, struct clock, timer);
    if (c->fired < 32) {
        c->due[c->fired] = gy_timer_due(timer);
        c->at[c->fired] = gyi_loop_clock(loop);
    }
    c->fired++;
    c->missed += gy_timer_missed(timer);
    if (orders < 64) order[orders++] = (int)(intptr_t)timer->user;
    if (c->stop_after && c->fired == c->stop_after) gy_timer_stop(timer);
}

static void start(struct clock *c, gy_timer_opts opts) {
    opts.fn = clock_run;
    gy_timer_start(loop, &c->timer, opts);
}

static void busy(gy_ns time) {
    for (gy_ns until = gyi_clock_mono() + time; gyi_clock_mono() < until;) continue;
}

/* ---- once -------------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(timers, T4_fires_once_and_never_early) {
    struct clock c[20];
    memset(c, 0, sizeof c);
    begin(backend);
    for (int i = 0; i < 20; i++) start(&c[i], (gy_timer_opts){.after = GY_US(1 + i * 731)});
    gy_ns due[20];
    for (int i = 0; i < 20; i++) due[i] = gy_timer_due(&c[i].timer);
    CHECK_EQ(gy_loop_run(loop), 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(c[i].fired, 1);
        CHECK_EQ(c[i].due[0], due[i]);
        CHECK(c[i].at[0] >= due[i]);
        CHECK(!gy_timer_active(&c[i].timer));
        CHECK_EQ(gy_timer_remaining(&c[i].timer), -1);
        CHECK_EQ(c[i].missed, 0);
    }
    end();
}

TEST_BACKENDS(timers, T3_a_delay_counts_from_the_call_and_not_from_the_turn) {
    struct clock c = {.fired = 0};
    begin(backend);
    gy_ns before = gyi_loop_clock(loop);
    if (!is_sim()) busy(GY_MS(3));
    start(&c, (gy_timer_opts){.after = GY_MS(1)});
    CHECK(gy_timer_due(&c.timer) >= before + GY_MS(is_sim() ? 1 : 4));
    end();
    CHECK_EQ(c.fired, 1);
}

TEST_BACKENDS(timers, absolute_zero_negative_and_functionless) {
    struct clock a = {.fired = 0}, b = {.fired = 0}, c = {.fired = 0}, d = {.fired = 0};
    begin(backend);
    gy_ns now = gy_loop_now(loop);
    start(&a, (gy_timer_opts){.at = now + GY_MS(2)});
    CHECK_EQ(gy_timer_due(&a.timer), now + GY_MS(2));
    start(&b, (gy_timer_opts){.at = -5});
    start(&c, (gy_timer_opts){.after = -GY_S(5)});
    CHECK(gy_timer_due(&c.timer) >= now);
    gy_timer_start(loop, &d.timer, (gy_timer_opts){.after = 1});
    CHECK(!gy_timer_active(&d.timer));
    gy_timer_stop(&d.timer);
    gy_timer_restart(&d.timer, now); /* never started: ignored */
    CHECK(!gy_timer_active(&d.timer));
    end();
    CHECK_EQ(a.fired, 1);
    CHECK_EQ(b.fired, 1);
    CHECK_EQ(c.fired, 1);
    CHECK_EQ(d.fired, 0);
}

TEST_BACKENDS(timers, T2_same_due_time_fires_in_the_order_of_start) {
    struct clock c[40];
    memset(c, 0, sizeof c);
    begin(backend);
    orders = 0;
    gy_ns at = gy_loop_now(loop) + GY_MS(2);
    for (int i = 0; i < 40; i++) {
        int which = i * 17 % 40;
        c[which].timer.user = (void *)(intptr_t)i;
        start(&c[which], (gy_timer_opts){.at = at});
    }
    end();
    CHECK_EQ(orders, 40);
    for (int i = 0; i < 40; i++) CHECK_EQ(order[i], i);
}

TEST_BACKENDS(timers, fire_in_the_order_of_their_due_times) {
    struct clock c[40];
    memset(c, 0, sizeof c);
    begin(backend);
    orders = 0;
    gy_ns at = gy_loop_now(loop) + GY_US(10);
    for (int i = 0; i < 40; i++) {
        int which = i * 23 % 40;
        c[which].timer.user = (void *)(intptr_t)which;
        start(&c[which], (gy_timer_opts){.at = at + which * 50001});
    }
    end();
    CHECK_EQ(orders, 40);
    for (int i = 0; i < 40; i++) CHECK_EQ(order[i], i);
}

/* ---- repeating --------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(timers, T8_repeats_in_phase) {
    struct clock c = {.stop_after = 10};
    begin(backend);
    start(&c, (gy_timer_opts){.after = GY_US(300), .every = GY_MS(1)});
    gy_ns first = gy_timer_due(&c.timer);
    end();
    CHECK_EQ(c.fired, 10);
    for (int i = 0; i < 10; i++) {
        CHECK(c.at[i] >= c.due[i]);
        CHECK_EQ((c.due[i] - first) % GY_MS(1), 0);
        if (i) CHECK(c.due[i] > c.due[i - 1]);
    }
    /* Every period was either fired for or counted. */
    CHECK_EQ((uint64_t)((c.due[9] - first) / GY_MS(1)) + 1 <= 10 + c.missed, 1);
}

TEST_BACKENDS(timers, first_after_one_period_unless_told_otherwise) {
    struct clock c = {.stop_after = 1};
    begin(backend);
    gy_ns now = gyi_loop_clock(loop);
    start(&c, (gy_timer_opts){.every = GY_MS(2)});
    CHECK(gy_timer_due(&c.timer) >= now + GY_MS(2));
    end();
}

static void fire_late(gy_timer *timer) {
    clock_run(timer);
    if (GY_OF(timer, struct clock, timer)->fired == 1) busy(GY_MS(10));
}

TEST_BACKENDS(timers, T8_counts_the_periods_that_were_missed) {
    struct clock c = {.stop_after = 2};
    begin(backend);
    gy_ns at = gy_loop_now(loop);
    if (is_sim()) {
        /* Virtual time is never late by itself, so the loop is told another time, and collects by hand. */
        loop->now = at + GY_MS(10) + 5;
        c.stop_after = 1;
        start(&c, (gy_timer_opts){.at = at, .every = GY_MS(1)});
        gyi_timer_collect(loop);
        end();
        CHECK_EQ(c.missed, 10);
        return;
    }
    gy_timer_start(loop, &c.timer, (gy_timer_opts){.fn = fire_late, .at = at, .every = GY_MS(1)});
    end();
    CHECK_EQ(c.fired, 2);
    CHECK(c.missed >= 9);
    CHECK_EQ((c.due[1] - at) % GY_MS(1), 0);
    CHECK(c.at[1] >= c.due[1]);
}

static void restart_self(gy_timer *timer) {
    clock_run(timer);
    struct clock *c = GY_OF(timer, struct clock, timer);
    CHECK(gy_timer_active(timer));
    if (c->fired == 1) gy_timer_restart(timer, gy_loop_now(loop) + GY_MS(3));
    if (c->fired == 3) gy_timer_start(loop, timer, (gy_timer_opts){.fn = clock_run, .after = GY_US(10)});
}

TEST_BACKENDS(timers, a_repeating_timer_may_restart_and_start_itself) {
    struct clock c = {.fired = 0};
    begin(backend);
    gy_timer_start(loop, &c.timer, (gy_timer_opts){.fn = restart_self, .every = GY_MS(1)});
    end();
    CHECK_EQ(c.fired, 4);
    CHECK(c.due[1] >= c.due[0] + GY_MS(3));
    CHECK_EQ((c.due[2] - c.due[1]) % GY_MS(1), 0); /* the period survived the restart */
}

static void free_self(gy_timer *timer) {
    gy_timer_stop(timer);
    free(GY_OF(timer, struct clock, timer));
}

TEST_BACKENDS(timers, a_timer_may_be_freed_in_its_callback) {
    begin(backend);
    for (int i = 0; i < 2; i++) {
        struct clock *c = calloc(1, sizeof *c);
        CHECK(c != NULL);
        gy_timer_start(loop, &c->timer, (gy_timer_opts){.fn = free_self, .after = 1, .every = i ? GY_MS(1) : 0});
    }
    end();
}

TEST(timers, a_period_of_any_length_does_not_overflow) {
    struct clock c = {.fired = 0};
    begin("sim");
    start(&c, (gy_timer_opts){.after = 1, .every = GY_FOREVER});
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(c.fired, 1);
    CHECK(gy_timer_active(&c.timer));
    CHECK(gy_timer_due(&c.timer) > gy_loop_now(loop));
    gy_timer_stop(&c.timer);
    end();
}

/* ---- slack, restart ---------------------------------------------------------------------------------------------- */

TEST_BACKENDS(timers, slack_moves_the_first_time_to_a_grid) {
    struct clock c[30];
    memset(c, 0, sizeof c);
    begin(backend);
    gy_ns now = gy_loop_now(loop), grid = INT64_C(1) << 22; /* the largest power of two within 5 ms */
    for (int i = 0; i < 30; i++) {
        gy_ns at = now + i * 7919;
        start(&c[i], (gy_timer_opts){.at = at, .slack = GY_MS(5)});
        gy_ns due = gy_timer_due(&c[i].timer);
        CHECK(due >= at && due <= at + GY_MS(5));
        CHECK_EQ(due % grid, 0);
    }
    uint64_t before = turns();
    end();
    CHECK(before == 0);
    for (int i = 0; i < 30; i++) CHECK_EQ(c[i].fired, 1);
}

TEST(timers, slack_saves_wake_ups) {
    struct clock c[30];
    memset(c, 0, sizeof c);
    begin("sim");
    for (int i = 0; i < 30; i++) start(&c[i], (gy_timer_opts){.after = GY_US(10 * i), .slack = GY_MS(5)});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(turns() <= 2);
    end();
}

TEST_BACKENDS(timers, restart_moves_it_in_both_directions) {
    struct clock c = {.fired = 0};
    begin(backend);
    gy_ns now = gy_loop_now(loop);
    start(&c, (gy_timer_opts){.at = now + GY_S(3600)});
    gy_timer_restart(&c.timer, now + GY_S(7200));
    CHECK_EQ(gy_timer_due(&c.timer), now + GY_S(7200));
    CHECK_EQ(gy_timer_remaining(&c.timer), GY_S(7200));
    gy_timer_restart(&c.timer, now + GY_MS(1));
    CHECK_EQ(gy_timer_due(&c.timer), now + GY_MS(1));
    CHECK_EQ(loop->active, 1);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(c.fired, 1);
    gy_timer_restart(&c.timer, -1); /* fired: active again, and gone by */
    CHECK(gy_timer_active(&c.timer));
    CHECK_EQ(gy_timer_remaining(&c.timer), 0);
    end();
    CHECK_EQ(c.fired, 2);
}

/* "Never" is a time like any other. A loop that goes on for ever instead is ended by the signal. */
TEST(timers, restart_takes_the_last_time_that_there_is) {
    struct clock c = {.fired = 0}, soon = {.fired = 0};
    begin("sim");
    alarm(5);
    start(&c, (gy_timer_opts){.after = GY_S(1)});
    gy_timer_restart(&c.timer, GY_FOREVER);
    start(&soon, (gy_timer_opts){.after = GY_S(2)});
    gy_timer_unref(&c.timer);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(soon.fired, 1);
    start(&soon, (gy_timer_opts){.after = GY_S(2)});
    gy_timer_stop(&soon.timer); /* the wheel must now look for the next one */
    gy_timer_stop(&c.timer);
    start(&c, (gy_timer_opts){.after = GY_S(1)});
    gy_timer_restart(&c.timer, GY_FOREVER);
    gy_timer_unref(&c.timer);
    CHECK(gy_loop_timeout(loop) != 0);
    gy_timer_stop(&c.timer);
    end();
    alarm(0);
}

TEST_BACKENDS(timers, remaining_is_seen_from_the_time_of_the_turn) {
    struct clock c = {.fired = 0};
    begin(backend);
    gy_ns now = gy_loop_now(loop);
    CHECK_EQ(gy_timer_remaining(&c.timer), -1);
    start(&c, (gy_timer_opts){.at = now + GY_S(5)});
    CHECK_EQ(gy_timer_remaining(&c.timer), GY_S(5));
    gy_timer_stop(&c.timer);
    CHECK_EQ(gy_timer_remaining(&c.timer), -1);
    end();
    CHECK_EQ(c.fired, 0);
}
