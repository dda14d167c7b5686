/* SPDX-License-Identifier: ISC */
/* Alarms: at a time of day, and what happens when somebody sets the clock. No test may set the machine's clock, so the
 * loop has `wall_shift`, which is added to it, and gyi_alarm_look() says what the kernel would have said. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"

static gy_loop *loop;

struct watch {
    gy_alarm alarm;
    int calls, stop_after;
    gy_ns wall;
};

static void watch_run(gy_alarm *alarm) {
    struct watch *w = GY_OF(alarm, struct watch, alarm);
    w->calls++;
    w->wall = gyi_alarm_wall(loop);
    if (w->calls == w->stop_after) gy_alarm_stop(alarm);
}

static int free_number_before;

static int free_number(void) {
    int fd = dup(1);
    close(fd);
    return fd;
}

static void begin(const char *backend) {
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    free_number_before = free_number();
}

static void end(void) {
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(free_number(), free_number_before); /* the notice is open only while alarms are active */
    CHECK_EQ(gy_loop_free(loop), 0);
}

static void start(struct watch *w, gy_ns at, gy_ns every) {
    CHECK_EQ(gy_alarm_start(loop, &w->alarm, (gy_alarm_opts){.fn = watch_run, .at = at, .every = every}), 0);
}

static void set_clock(gy_ns by) {
    loop->wall_shift += by;
    gyi_alarm_look(loop);
}

TEST_BACKENDS(alarms, fire_at_their_time_and_not_before) {
    struct watch w = {.calls = 0};
    begin(backend);
    gy_ns at = gyi_alarm_wall(loop) + GY_MS(5);
    start(&w, at, 0);
    CHECK(gy_alarm_active(&w.alarm));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(w.calls, 1);
    CHECK(w.wall >= at);
    CHECK(!gy_alarm_active(&w.alarm));
    end();
}

TEST_BACKENDS(alarms, a_time_gone_by_fires_at_once) {
    struct watch w = {.calls = 0}, epoch = {.calls = 0};
    begin(backend);
    start(&w, gyi_alarm_wall(loop) - GY_S(3600), 0);
    start(&epoch, 0, 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(w.calls, 1);
    CHECK_EQ(epoch.calls, 1);
    end();
}

TEST_BACKENDS(alarms, a_jump_forward_fires_what_it_has_passed) {
    struct watch w = {.calls = 0}, later = {.calls = 0};
    begin(backend);
    gy_ns at = gyi_alarm_wall(loop) + GY_S(3600);
    start(&w, at, 0);
    start(&later, at + GY_S(3600), 0);
    set_clock(GY_S(4000));
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(w.calls, 1);
    CHECK(w.wall >= at);
    CHECK_EQ(later.calls, 0);
    gy_alarm_stop(&later.alarm);
    end();
}

TEST_BACKENDS(alarms, a_jump_back_makes_them_wait) {
    struct watch w = {.calls = 0};
    begin(backend);
    gy_ns at = gyi_alarm_wall(loop) + GY_MS(5);
    start(&w, at, 0);
    set_clock(-GY_MS(20));
    gy_ns from = gyi_loop_clock(loop);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(w.calls, 1);
    CHECK(w.wall >= at);
    CHECK(gyi_loop_clock(loop) - from >= GY_MS(20));
    end();
}

/* Nobody said anything: the alarm finds out by itself when its timer fires. */
TEST_BACKENDS(alarms, never_fire_early_even_when_the_jump_was_not_noticed) {
    struct watch w = {.calls = 0};
    begin(backend);
    gy_ns at = gyi_alarm_wall(loop) + GY_MS(3);
    start(&w, at, 0);
    loop->wall_shift -= GY_MS(10);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(w.calls, 1);
    CHECK(w.wall >= at);
    end();
}

TEST(alarms, a_day_on_sim) {
    struct watch w = {.stop_after = 24};
    begin("sim");
    gy_ns at = gyi_alarm_wall(loop) + GY_S(60);
    start(&w, at, GY_S(3600));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(w.calls, 24);
    CHECK_EQ(w.wall, at + GY_S(3600) * 23);
    end();
}

TEST(alarms, missed_repetitions_are_skipped) {
    struct watch w = {.stop_after = 2};
    begin("sim");
    gy_ns at = gyi_alarm_wall(loop) + GY_S(60);
    start(&w, at, GY_S(3600));
    set_clock(GY_S(3600) * 10);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(w.calls, 1);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(w.calls, 2);
    CHECK_EQ(w.wall, at + GY_S(3600) * 10); /* in phase */
    end();
}

TEST(alarms, times_and_periods_of_any_size) {
    struct watch never = {.calls = 0}, past = {.calls = 0}, every = {.calls = 0};
    begin("sim");
    start(&never, GY_FOREVER, 0);
    start(&past, INT64_MIN, 0);
    start(&every, 1, GY_FOREVER);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_EQ(never.calls, 0);
    CHECK_EQ(past.calls, 1);
    CHECK_EQ(every.calls, 1);
    gy_alarm_stop(&never.alarm);
    gy_alarm_stop(&every.alarm);
    end();
}

TEST_BACKENDS(alarms, stop_and_start_anew) {
    struct watch a = {.calls = 0}, b = {.calls = 0};
    begin(backend);
    gy_alarm_stop(&a.alarm);
    CHECK_EQ(gy_alarm_start(loop, &a.alarm, (gy_alarm_opts){.at = 1}), -EINVAL);
    CHECK(!gy_alarm_active(&a.alarm));
    start(&a, gyi_alarm_wall(loop) + GY_S(3600), 0);
    start(&b, gyi_alarm_wall(loop) + GY_S(3600), 0);
    start(&a, gyi_alarm_wall(loop) + GY_MS(2), 0);
    CHECK_EQ(loop->active, 2);
    gy_alarm_stop(&b.alarm);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(b.calls, 0);
    start(&b, gyi_alarm_wall(loop) + GY_MS(1), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(b.calls, 1);
    end();
}
