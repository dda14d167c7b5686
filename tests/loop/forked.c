/* SPDX-License-Identifier: ISC */
/* The child after fork(): what was on its way when the process was doubled.
 *
 * A server forks its workers with a loop that is in use. In the child, gy_loop_reopen() gives the loop kernel objects
 * of its own; the rest of its state is memory, which the child has as it was. So what had been sent arrives in both
 * processes, a signal that was raised is told in both, and only what the threads of the pool had in their hands is
 * lost, because a child has no threads but one. None of that may keep the child's loop from ending.
 *
 * A child says what it found by its exit status, and meets an alarm if it hangs. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#ifdef __linux__
#include <sys/timerfd.h>
#endif
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"

#if defined(__has_feature)
# if __has_feature(thread_sanitizer)
#  define FORKED_TSAN 1
# endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(FORKED_TSAN)
enum { FORKED_THREADS = 0 }; /* ThreadSanitizer ends a child of a program with threads that starts a thread */
#else
enum { FORKED_THREADS = 1 };
#endif

static gy_loop *loop;

static void begin(const char *backend) { CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0); }

/* Runs `fn` in a child. @return 0, or what it answered, or 1000 and the signal that ended it. */
static int in_child(int (*fn)(void)) {
    int status = -1;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(20);
        int found = gy_loop_reopen(loop) ? 100 : fn();
        _exit(found);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static bool steps(int count) {
    while (count-- > 0)
        if (gy_loop_step(loop, GY_STEP_POLL) < 0) return false;
    return true;
}

/* ---- what other threads have sent -------------------------------------------------------------------------------- */

static gy_async bell, other_bell;
static gy_message letter, other_letter;
static int bells, letters;

static void on_bell(gy_async *async) {
    (void)async;
    bells++;
}

static void on_letter(gy_message *message) {
    (void)message;
    letters++;
}

static void send_all(void) {
    bells = letters = 0;
    gy_async_send(&bell);
    gy_post(loop, &letter, on_letter);
    gy_async_send(&other_bell);
    gy_post(loop, &other_letter, on_letter);
}

/* In the parent or the child: all arrives, and all can be sent again. */
static int all_arrives(void) {
    if (!steps(3)) return 1;
    if (bells != 2) return 2;
    if (letters != 2) return 3;
    gy_async_send(&bell);
    if (gy_post(loop, &letter, on_letter)) return 4;
    if (!steps(3)) return 5;
    if (bells != 3 || letters != 3) return 6;
    gy_async_stop(&bell);
    gy_async_stop(&other_bell);
    return gy_loop_free(loop) ? 7 : 0;
}

TEST_BACKENDS(forked, what_was_sent_before_arrives_in_both_processes) {
    begin(backend);
    CHECK_EQ(gy_async_start(loop, &bell, on_bell), 0);
    CHECK_EQ(gy_async_start(loop, &other_bell, on_bell), 0);
    send_all();
    CHECK_EQ(in_child(all_arrives), 0);
    CHECK_EQ(all_arrives(), 0);
}

/* Stopping looks for the entry where it was sent to. */
static int stop_while_sent(void) {
    gy_async_stop(&other_bell);
    gy_async_stop(&bell);
    if (!steps(3)) return 1;
    if (bells) return 2;
    if (letters != 2) return 3;
    return gy_loop_free(loop) ? 4 : 0;
}

TEST_BACKENDS(forked, what_was_sent_before_can_be_stopped_in_both_processes) {
    begin(backend);
    CHECK_EQ(gy_async_start(loop, &bell, on_bell), 0);
    CHECK_EQ(gy_async_start(loop, &other_bell, on_bell), 0);
    send_all();
    CHECK_EQ(in_child(stop_while_sent), 0);
    CHECK_EQ(stop_while_sent(), 0);
}

static void *send_soon(void *arg) {
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    gy_async_send(&bell);
    return arg;
}

/* The child's loop sleeps, and is woken through a door of its own. */
static int sleeps_and_is_woken(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, send_soon, NULL)) return 1;
    for (int i = 0; i < 100 && !bells; i++)
        if (gy_loop_step(loop, GY_STEP_WAIT) < 0) return 2;
    if (!bells) return 3;
    pthread_join(thread, NULL);
    gy_async_stop(&bell);
    return gy_loop_free(loop) ? 4 : 0;
}

TEST_BACKENDS(forked, threads_of_the_child_wake_its_loop) {
    begin(backend);
    bells = 0;
    CHECK_EQ(gy_async_start(loop, &bell, on_bell), 0);
    CHECK(steps(1));
    CHECK_EQ(in_child(sleeps_and_is_woken), 0);
    CHECK(steps(2));
    CHECK_EQ(bells, 0); /* the parent's loop was not meant */
    CHECK_EQ(sleeps_and_is_woken(), 0);
}

/* ---- signals ----------------------------------------------------------------------------------------------------- */

static gy_signal alert;
static unsigned alerts;

static void on_alert(gy_signal *s, unsigned count) {
    (void)s;
    alerts += count;
}

static int signals_are_told(void) {
    if (!steps(3)) return 1;
    if (alerts != 2) return 2;
    raise(SIGUSR1);
    if (!steps(3)) return 3;
    if (alerts != 3) return 4;
    return gy_loop_free(loop) ? 5 : 0;
}

TEST_BACKENDS(forked, a_signal_raised_before_is_told_and_those_that_follow_too) {
    begin(backend);
    alerts = 0;
    alert = (gy_signal){.user = NULL};
    CHECK_EQ(gy_signal_start(loop, &alert, SIGUSR1, on_alert), 0);
    raise(SIGUSR1);
    raise(SIGUSR1);
    CHECK_EQ(in_child(signals_are_told), 0);
    CHECK_EQ(signals_are_told(), 0);
}

/* ---- the notice of a clock that was set -------------------------------------------------------------------------- */

#ifdef __linux__

static gy_alarm dawn;

static void on_dawn(gy_alarm *a) { (void)a; }

static int notice_is_read(void) {
    if (!steps(3)) return 1;
    if (!loop->clock_open || !gyi_watch_active(&loop->clock)) return 2;
    return loop->stats.stale ? 3 : 0; /* the one that is shared is not watched any more */
}

/* A child that hears of it first takes nothing away from its parent. Setting the clock is not for tests; a notice that
 * comes because its timer has run out looks the same. */
TEST_BACKENDS(forked, the_notice_of_a_clock_that_was_set_is_for_each_process) {
    const struct itimerspec now = {.it_value = {.tv_nsec = 1}};
    begin(backend);
    dawn = (gy_alarm){.user = NULL};
    CHECK_EQ(gy_alarm_start(loop, &dawn, (gy_alarm_opts){.fn = on_dawn, .at = INT64_C(4000000000) * GY_S(1)}), 0);
    if (!loop->clock_open) SKIP("virtual time, which nobody sets");
    struct pollfd notice = {.fd = loop->clock_fd, .events = POLLIN};
    CHECK_EQ(timerfd_settime(loop->clock_fd, TFD_TIMER_ABSTIME, &now, NULL), 0);
    CHECK_EQ(poll(&notice, 1, 5000), 1);
    CHECK_EQ(in_child(notice_is_read), 0);
    CHECK_EQ(poll(&notice, 1, 0), 1);
    CHECK(steps(3));
    CHECK_EQ(poll(&notice, 1, 0), 0);
    gy_alarm_stop(&dawn);
    CHECK_EQ(gy_loop_free(loop), 0);
}

#endif

/* ---- jobs of the pool -------------------------------------------------------------------------------------------- */

static gy_work work, next_work;
static int reports, report_err;
static _Atomic int begun, gate;

static void work_run(gy_work *w) {
    (void)w;
    atomic_fetch_add(&begun, 1);
}

static void work_wait(gy_work *w) {
    work_run(w);
    while (!atomic_load(&gate)) nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

static void work_done(gy_work *w, int err) {
    (void)w;
    reports++;
    report_err = err;
}

static void submit(gy_work *w, gy_work_run_fn *run) {
    CHECK_EQ(gy_pool_submit(loop, w, (gy_work_opts){.run = run, .done = work_done}), 0);
}

static void begin_work(const char *backend) {
    begin(backend);
    work = next_work = (gy_work){.user = NULL};
    reports = 0;
    report_err = 1;
    atomic_store(&begun, 0);
    atomic_store(&gate, 0);
}

/* The pool's threads have nothing in their hands any more. */
static void wait_for_threads(void) {
    gy_pool *pool;
    gy_pool_stats stats;
    CHECK_EQ(gy_loop_pool(loop, &pool), 0);
    do {
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
        gy_pool_stats_get(pool, &stats);
    } while (!stats.lane[GY_LANE_IO].done || stats.lane[GY_LANE_IO].running || atomic_load(&loop->reporting));
}

/* In the child: the loop ends, having heard `expected` reports, and has a pool when it wants one. */
static int reports_are(int expected, int err) {
    if (gy_loop_run(loop)) return 1;
    if (reports != expected) return 2;
    if (expected && report_err != err) return 3;
    if (loop->working) return 4;
    if (gy_pool_submit(loop, &next_work, (gy_work_opts){.run = work_run, .done = work_done})) return 5;
    if (gy_loop_run(loop)) return 6;
    if (reports != expected + 1 || report_err) return 7;
    return gy_loop_free(loop) ? 8 : 0;
}

static int reports_none(void) { return reports_are(0, 0); }
static int reports_done(void) { return reports_are(1, 0); }
static int reports_cancelled(void) { return reports_are(1, GY_ECANCELED); }

static int only_frees(void) { return gy_loop_free(loop) ? 1 : 0; }

static void end_work(int expected) {
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(reports, expected);
    CHECK_EQ(report_err, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* The threads that it had are not there; waiting for them would be for ever. */
TEST_BACKENDS(forked, a_pool_that_was_used_is_replaced) {
    if (!FORKED_THREADS) SKIP("ThreadSanitizer allows no threads after a fork");
    begin_work(backend);
    submit(&work, work_run);
    CHECK_EQ(gy_loop_run(loop), 0);
    wait_for_threads();
    reports = 0;
    CHECK_EQ(in_child(only_frees), 0);
    CHECK_EQ(in_child(reports_none), 0);
    submit(&work, work_run);
    end_work(1);
}

TEST_BACKENDS(forked, a_job_that_was_done_reports_in_both_processes) {
    if (!FORKED_THREADS) SKIP("ThreadSanitizer allows no threads after a fork");
    begin_work(backend);
    submit(&work, work_wait); /* not to be quicker than the turn that hands it over */
    CHECK(steps(1));
    atomic_store(&gate, 1);
    wait_for_threads();
    CHECK_EQ(in_child(reports_done), 0);
    end_work(1);
}

/* It has come as far as the callback queue. */
TEST_BACKENDS(forked, a_job_whose_report_is_queued_reports_in_both_processes) {
    gy_async stopped = {.user = NULL};
    if (!FORKED_THREADS) SKIP("ThreadSanitizer allows no threads after a fork");
    begin_work(backend);
    submit(&work, work_wait); /* not to be quicker than the turn that hands it over */
    CHECK(steps(1));
    atomic_store(&gate, 1);
    wait_for_threads();
    CHECK_EQ(gy_async_start(loop, &stopped, on_bell), 0);
    gy_async_send(&stopped);
    gy_async_stop(&stopped); /* brings all that was sent onto the queue */
    CHECK_EQ(reports, 0);
    CHECK_EQ(in_child(reports_done), 0);
    end_work(1);
}

TEST_BACKENDS(forked, a_job_that_was_not_handed_over_is_cancelled_in_the_child) {
    if (!FORKED_THREADS) SKIP("ThreadSanitizer allows no threads after a fork");
    begin_work(backend);
    submit(&work, work_run);
    CHECK_EQ(in_child(reports_cancelled), 0);
    end_work(1);
    CHECK_EQ(atomic_load(&begun), 1);
}

/* And who has cancelled it himself hears of it once. */
TEST_BACKENDS(forked, a_job_that_was_cancelled_reports_that_in_both_processes) {
    if (!FORKED_THREADS) SKIP("ThreadSanitizer allows no threads after a fork");
    begin_work(backend);
    submit(&work, work_run);
    CHECK_EQ(gy_pool_cancel(&work), 0);
    CHECK_EQ(in_child(reports_cancelled), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(reports, 1);
    CHECK_EQ(report_err, GY_ECANCELED);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(forked, a_job_at_work_is_not_waited_for_in_the_child) {
    if (!FORKED_THREADS) SKIP("ThreadSanitizer allows no threads after a fork");
    begin_work(backend);
    submit(&work, work_wait);
    while (!atomic_load(&begun)) CHECK(steps(1));
    CHECK_EQ(in_child(reports_none), 0);
    atomic_store(&gate, 1);
    end_work(1);
}

/* A reopen that fails may be repeated, and counts nothing twice. */
static int reopens_again(void) { return gy_loop_reopen(loop) ? 9 : reports_cancelled(); }

TEST_BACKENDS(forked, reopening_twice_is_as_good_as_once) {
    if (!FORKED_THREADS) SKIP("ThreadSanitizer allows no threads after a fork");
    begin_work(backend);
    submit(&work, work_run);
    CHECK_EQ(in_child(reopens_again), 0);
    end_work(1);
}
