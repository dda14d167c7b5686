/* SPDX-License-Identifier: ISC */
/* Timers that meddle with timers, in one pass; references; and virtual time. What one timer does alone is in timers.c,
 * from which this was split because it grew too long. The ids are those of docs/internals/. */
#include <string.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"
#include "sys/clock.h"

static gy_loop *loop;
static int fired, turn_of_hook;

static void begin(const char *backend) {
    fired = turn_of_hook = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
}

static void end(void) {
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gyi_wheel_check(&loop->wheel));
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static void tally(gy_timer *timer) {
    (void)timer;
    fired++;
}

static void count_turn(gy_hook *hook) {
    (void)hook;
    turn_of_hook++;
}

static gy_timer other;
static int turn_of_other;

static void other_run(gy_timer *timer) {
    (void)timer;
    fired++;
    turn_of_other = turn_of_hook;
}

static void start_other(gy_timer *timer) {
    (void)timer;
    gy_timer_start(loop, &other, (gy_timer_opts){.fn = other_run, .at = 1}); /* as due as can be */
    turn_of_other = -1;
}

TEST_BACKENDS(timers, T6_a_timer_started_by_a_timer_does_not_fire_in_the_same_pass) {
    gy_timer t = {0};
    gy_hook hook = {0};
    begin(backend);
    other = (gy_timer){0};
    CHECK_EQ(gy_hook_start(loop, &hook, GY_HOOK_AFTER_POLL, count_turn), 0);
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = start_other, .at = 1});
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(fired, 0);
    CHECK_EQ(turn_of_hook, 1);
    end();
    CHECK_EQ(fired, 1);
    CHECK_EQ(turn_of_other, 1);
}

static void start_self(gy_timer *timer) {
    if (++fired < 50) gy_timer_start(loop, timer, (gy_timer_opts){.fn = start_self, .at = 1});
}

static int io_after;

static void io_run(gy_io *io, int err, unsigned events) {
    (void)err;
    (void)events;
    io_after = fired;
    gy_io_stop(io);
}

TEST_BACKENDS(timers, T6_a_timer_that_starts_itself_does_not_starve_io) {
    gy_timer t = {0};
    gy_io io = {0};
    int ends[2];
    begin(backend);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    io_after = -1;
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = start_self, .at = 1});
    CHECK_EQ(gy_io_start(loop, &io, ends[0], GY_READABLE, io_run), 0);
    end();
    CHECK_EQ(fired, 50);
    CHECK(io_after >= 0 && io_after <= 2);
    close(ends[0]);
    close(ends[1]);
}

static gy_timer *target;

static void stop_target(gy_timer *timer) {
    (void)timer;
    fired++;
    gy_timer_stop(target);
    CHECK(!gy_timer_active(target));
    memset(target, 0xa5, sizeof *target); /* the memory is ours again, so this is nobody's business */
}

TEST_BACKENDS(timers, T7_stop_of_a_timer_that_was_collected_in_this_turn) {
    gy_timer a = {0}, b = {0}, c = {0};
    begin(backend);
    target = &b;
    gy_timer_start(loop, &a, (gy_timer_opts){.fn = stop_target, .at = 1});
    gy_timer_start(loop, &b, (gy_timer_opts){.fn = tally, .at = 1, .every = GY_MS(1)});
    gy_timer_start(loop, &c, (gy_timer_opts){.fn = tally, .at = 1});
    end();
    CHECK_EQ(fired, 2);
}

static void restart_target(gy_timer *timer) {
    (void)timer;
    gy_timer_restart(target, gy_loop_now(loop) + GY_MS(1));
    gy_timer_restart(target, gy_loop_now(loop) + GY_MS(2));
}

TEST_BACKENDS(timers, T10_restart_of_a_timer_that_was_collected_in_this_turn) {
    gy_timer a = {0}, b = {0};
    begin(backend);
    target = &b;
    gy_timer_start(loop, &a, (gy_timer_opts){.fn = restart_target, .at = 1});
    gy_timer_start(loop, &b, (gy_timer_opts){.fn = tally, .at = 1});
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(fired, 0);
    CHECK_EQ(loop->active, 1);
    end();
    CHECK_EQ(fired, 1);
}

static gy_ns pass_now[2];

static void slow_run(gy_timer *timer) {
    pass_now[0] = gy_loop_now(loop);
    gy_timer_start(loop, &other, (gy_timer_opts){.fn = other_run, .after = 1});
    for (gy_ns until = gyi_clock_mono() + GY_MS(2); gyi_clock_mono() < until;) continue;
    (void)timer;
}

static void see_run(gy_timer *timer) {
    (void)timer;
    pass_now[1] = gy_loop_now(loop);
    CHECK_EQ(fired, 0); /* what came due meanwhile waits for the next pass */
}

TEST_BACKENDS(timers, T5_one_now_for_a_pass) {
    gy_timer a = {0}, b = {0};
    begin(backend);
    other = (gy_timer){0};
    gy_timer_start(loop, &a, (gy_timer_opts){.fn = slow_run, .at = 1});
    gy_timer_start(loop, &b, (gy_timer_opts){.fn = see_run, .at = 1});
    end();
    CHECK_EQ(pass_now[0], pass_now[1]);
    CHECK_EQ(fired, 1);
}

TEST_BACKENDS(timers, thousands_due_at_once_all_fire_once) {
    enum { MANY = 5000 };
    static gy_timer t[MANY];
    memset(t, 0, sizeof t);
    begin(backend);
    for (int i = 0; i < MANY; i++) gy_timer_start(loop, &t[i], (gy_timer_opts){.fn = tally, .at = 1});
    end();
    CHECK_EQ(fired, MANY);
}

/* ---- references -------------------------------------------------------------------------------------------------- */

static void unref_in_callback(gy_timer *timer) {
    fired++;
    gy_timer_unref(timer);
}

TEST_BACKENDS(timers, T11_ref_and_unref_are_idempotent_and_survive) {
    gy_timer t = {0}, keep = {0};
    begin(backend);
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = tally, .after = GY_S(3600)});
    gy_timer_ref(&t);
    CHECK_EQ(loop->active, 1);
    gy_timer_unref(&t);
    gy_timer_unref(&t);
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gy_timer_active(&t));
    gy_timer_stop(&t);
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = tally, .after = 1});
    CHECK_EQ(loop->active, 0);
    gy_timer_start(loop, &keep, (gy_timer_opts){.fn = tally, .after = GY_MS(2)});
    CHECK_EQ(gy_loop_run(loop), 0); /* it fires while the loop lives for another reason */
    CHECK_EQ(fired, 2);
    gy_timer_ref(&t);
    gy_timer_ref(&t);
    CHECK_EQ(loop->active, 0);
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = unref_in_callback, .every = GY_US(100)});
    CHECK_EQ(loop->active, 1);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(fired >= 3);
    gy_timer_stop(&t);
    CHECK_EQ(loop->active, 0);
    end();
}

TEST_BACKENDS(timers, move_from_one_loop_to_another) {
    gy_timer t = {0};
    gy_loop *second;
    begin(backend);
    CHECK_EQ(gy_loop_new(&second, (gy_loop_opts){.backend = backend}), 0);
    gy_timer_start(second, &t, (gy_timer_opts){.fn = tally, .after = GY_MS(1)});
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = tally, .after = GY_MS(1)});
    CHECK(!gy_loop_alive(second) && gy_loop_alive(loop));
    CHECK_EQ(gy_loop_run(second), 0);
    CHECK_EQ(fired, 0);
    CHECK_EQ(gy_loop_free(second), 0);
    end();
    CHECK_EQ(fired, 1);
}

/* ---- virtual time ------------------------------------------------------------------------------------------------ */

static uint64_t turns(void) {
    gy_loop_stats s;
    gy_loop_stats_get(loop, &s);
    return s.turns;
}

static void stop_at_3600(gy_timer *timer) {
    if (++fired == 3600) gy_timer_stop(timer);
}

TEST(timers, an_hour_of_seconds_takes_as_many_turns_and_little_real_time) {
    gy_timer t = {0};
    begin("sim");
    gy_ns from = gy_loop_now(loop), real = gyi_clock_mono();
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = stop_at_3600, .every = GY_S(1)});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(fired, 3600);
    CHECK_EQ(gy_loop_now(loop) - from, GY_S(3600));
    CHECK(turns() <= 3601);
    CHECK(gyi_clock_mono() - real < GY_S(20));
    end();
}

TEST(timers, a_long_timer_causes_no_turn_in_between) {
    static const gy_ns span[] = {GY_MS(3), GY_S(1), GY_S(100), GY_S(86400), GY_S(86400) * 30, GY_S(86400) * 365 * 5};
    for (size_t i = 0; i < sizeof span / sizeof *span; i++) {
        gy_timer t = {0};
        begin("sim");
        gy_ns from = gy_loop_now(loop);
        gy_timer_start(loop, &t, (gy_timer_opts){.fn = tally, .after = span[i] + 12345});
        CHECK_EQ(gy_loop_run(loop), 0);
        CHECK_EQ(fired, 1);
        CHECK_EQ(gy_loop_now(loop) - from, span[i] + 12345);
        CHECK_EQ(turns(), 1);
        end();
    }
}

TEST(timers, run_on_when_the_loop_is_older_than_the_wheel) {
    gy_timer old = {0}, far = {0}, a = {0}, b = {0};
    begin("sim");
    gy_timer_unref(&far);
    gy_timer_start(loop, &far, (gy_timer_opts){.fn = tally, .at = GY_FOREVER - 1});
    gy_timer_start(loop, &old, (gy_timer_opts){.fn = tally, .after = GY_S(86400) * 365 * 3});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(fired, 1);
    gy_ns from = gy_loop_now(loop);
    gy_timer_start(loop, &a, (gy_timer_opts){.fn = tally, .after = GY_S(1)});
    gy_timer_start(loop, &b, (gy_timer_opts){.fn = tally, .after = GY_S(2)});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(fired, 3);
    CHECK_EQ(gy_loop_now(loop) - from, GY_S(2));
    gy_timer_stop(&far);
    end();
}
