/* SPDX-License-Identifier: ISC */
/* The metrics of a loop: that each counter counts what its comment in stats.h says, on a scenario that is known. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"
#include "sys/clock.h"

static gy_loop *loop;
static gy_loop_stats seen;

static void begin(const char *backend) { CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0); }

static gy_loop_stats stats(void) {
    gy_loop_stats s;
    gy_loop_stats_get(loop, &s);
    return s;
}

static void on_timer(gy_timer *timer) { gy_loop_stats_get(timer->loop, &seen); }
static void on_job(gy_job *job) { gy_loop_stats_get(job->loop, &seen); }
static void on_message(gy_message *message) { gy_loop_stats_get(message->loop, &seen); }

static void on_io(gy_io *io, int err, unsigned events) {
    (void)err;
    (void)events;
    gy_io_stop(io);
}

static uint64_t entries(const gy_histogram *h) {
    uint64_t n = 0;
    for (int i = 0; i < 24; i++) n += h->bucket[i];
    return n;
}

TEST_BACKENDS(stats, a_new_loop_has_done_nothing) {
    begin(backend);
    gy_loop_stats s = stats();
    CHECK_EQ(s.turns + s.io + s.timers + s.posts + s.jobs + s.callbacks + s.stale + s.waits + s.wakeups, 0);
    CHECK_EQ(s.waiting + s.busy, 0);
    CHECK_EQ(s.queued + s.queued_max + s.jobs_queued + s.active + s.timers_active, 0);
    CHECK_EQ(entries(&s.lag) + entries(&s.lateness), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(stats, count_what_has_happened) {
    int pair[2];
    gy_timer t[3];
    gy_job j[4];
    gy_message m = {.user = NULL};
    gy_io io = {.user = NULL};
    memset(t, 0, sizeof t);
    memset(j, 0, sizeof j);
    begin(backend);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(gy_io_start(loop, &io, pair[0], GY_READABLE, on_io), 0);
    for (int i = 0; i < 3; i++) gy_timer_start(loop, &t[i], (gy_timer_opts){.fn = on_timer, .at = 1});
    for (int i = 0; i < 2; i++) gy_defer(loop, &j[i], on_job);
    for (int i = 2; i < 4; i++) gy_microtask(loop, &j[i], on_job);
    CHECK_EQ(gy_post(loop, &m, on_message), 0);
    gy_loop_stats s = stats();
    CHECK_EQ(s.active, 4);
    CHECK_EQ(s.timers_active, 3);
    CHECK_EQ(s.jobs_queued, 4);
    CHECK_EQ(gy_loop_run(loop), 0);
    s = stats();
    CHECK_EQ(s.io, 1);
    CHECK_EQ(s.timers, 3);
    CHECK_EQ(s.posts, 1);
    CHECK_EQ(s.jobs, 4);
    CHECK_EQ(s.callbacks, 9);
    CHECK_EQ(s.active + s.timers_active + s.jobs_queued + s.queued, 0);
    CHECK_EQ(s.queued_max, 3);
    CHECK_EQ(entries(&s.lateness), 3);
    CHECK(s.turns >= 1 && s.waits >= 1 && s.waits <= s.turns);
    CHECK(s.changes >= 1);
    CHECK(s.syscalls >= s.waits + s.changes);
    CHECK_EQ(s.wakeups, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    close(pair[0]);
    close(pair[1]);
}

TEST_BACKENDS(stats, what_is_queued_are_entries_that_will_be_run) {
    gy_job job = {.user = NULL};
    begin(backend);
    gy_defer(loop, &job, on_job);
    gy_loop_stats s = stats();
    CHECK_EQ(s.jobs_queued, 1);
    gy_job_cancel(&job);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(s.queued, 0); /* a job is counted among the jobs, and nothing else is there */
}

TEST_BACKENDS(stats, time_is_spent_waiting_or_busy) {
    gy_timer t = {.user = NULL};
    begin(backend);
    gy_ns from = gyi_loop_clock(loop);
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = on_timer, .after = GY_MS(20)});
    CHECK_EQ(gy_loop_run(loop), 0);
    gy_ns passed = gyi_loop_clock(loop) - from;
    gy_loop_stats s = stats();
    CHECK(s.waiting > 0 && s.waiting <= passed);
    CHECK(s.busy >= 0 && s.waiting + s.busy <= passed);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(stats, time_is_exact_on_sim) {
    gy_timer t = {.user = NULL};
    begin("sim");
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = on_timer, .after = GY_MS(20)});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(stats().waiting, GY_MS(20));
    CHECK_EQ(stats().busy, 0);
    CHECK_EQ(stats().lateness.bucket[0], 1);
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* ---- histograms -------------------------------------------------------------------------------------------------- */

TEST(stats, percentiles_are_upper_bounds) {
    gy_histogram h = {{0}};
    CHECK_EQ(gy_histogram_percentile(&h, 50), 0);
    for (int i = 0; i < 90; i++) gyi_stats_add(&h, GY_US(3)); /* below 4096 ns */
    for (int i = 0; i < 10; i++) gyi_stats_add(&h, GY_MS(3)); /* below 4.2 ms */
    CHECK_EQ(entries(&h), 100);
    CHECK_EQ(gy_histogram_percentile(&h, 50), 4096);
    CHECK_EQ(gy_histogram_percentile(&h, 90), 4096);
    CHECK_EQ(gy_histogram_percentile(&h, 91), 1 << 22);
    CHECK_EQ(gy_histogram_percentile(&h, 100), 1 << 22);
    CHECK_EQ(gy_histogram_percentile(&h, 0), 4096);
    CHECK_EQ(gy_histogram_percentile(&h, -5), 4096);
    CHECK_EQ(gy_histogram_percentile(&h, 1000), 1 << 22);
    gyi_stats_add(&h, GY_S(100));
    CHECK_EQ(gy_histogram_percentile(&h, 100), GY_FOREVER);
}
