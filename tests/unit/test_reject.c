/* SPDX-License-Identifier: ISC */
/* Rejections that nobody handles: rules P11 to P13. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "gyre/promise.h"
#include "harness.h"
#include "task/task.h"

static gy_loop *loop;
static char trace[128];
static gy_promise *seen, *wanted;
static gy_job jobs[8];

static void unhandled(gy_loop *l, gy_promise *p) {
    CHECK(l == loop);
    CHECK_EQ(gy_promise_state_of(p), GY_REJECTED);
    strcat(trace, "U");
    seen = p;
}

static void handled(gy_loop *l, gy_promise *p) {
    CHECK(l == loop && p != NULL);
    strcat(trace, "H");
}

static void begin_with(unsigned budget) {
    trace[0] = 0;
    memset(jobs, 0, sizeof jobs);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim", .job_budget = budget}), 0);
    CHECK_EQ(gy_promise_on_unhandled(loop, unhandled), 0);
    CHECK_EQ(gy_promise_on_handled(loop, handled), 0);
}

static void begin(void) { begin_with(0); }

static void run(void) {
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gyi_queue_check(&loop->queue));
}

static void end(void) {
    run();
    CHECK_EQ(gy_loop_free(loop), 0);
}

static gy_promise *rejected(void) {
    gy_promise *p;
    CHECK_EQ(gy_promise_new(loop, &p), 0);
    CHECK_EQ(gy_promise_reject(p, -EIO), 0);
    return p;
}

static gy_value caught(gy_value v, void *ctx) {
    (void)ctx;
    CHECK_EQ(gy_value_err(v), -EIO);
    strcat(trace, "c");
    return gy_num(0);
}

static void say(gy_job *job) { strcat(trace, job->user); }

static void catch_wanted(gy_job *job) {
    say(job);
    gy_catch(wanted, caught, NULL);
}

TEST(reject, p11_it_is_decided_after_ticks_and_microtasks_and_before_the_next_event) {
    begin();
    gy_promise *p = rejected();
    jobs[0].user = "t";
    jobs[1].user = "m";
    jobs[2].user = "i";
    gy_immediate(loop, &jobs[2], say);
    gy_microtask(loop, &jobs[1], say);
    gy_defer(loop, &jobs[0], say);
    run();
    CHECK_STR(trace, "tmUi");
    CHECK(seen == p);
    gy_promise_free(p);
    end();
}

TEST(reject, p11_a_handler_in_a_tick_or_microtask_of_the_drain_is_in_time) {
    begin();
    for (int late = 0; late < 2; late++) {
        wanted = rejected();
        jobs[0].user = "j";
        if (late) gy_microtask(loop, &jobs[0], catch_wanted);
        else gy_defer(loop, &jobs[0], catch_wanted);
        run();
        gy_promise_free(wanted);
    }
    CHECK_STR(trace, "jcjc");
    end();
}

TEST(reject, p11_p12_a_handler_in_an_immediate_is_late_and_told_of) {
    begin();
    wanted = rejected();
    jobs[0].user = "i";
    jobs[1].user = "n";
    gy_immediate(loop, &jobs[0], catch_wanted);
    gy_immediate(loop, &jobs[1], say);
    run();
    CHECK_STR(trace, "UicHn");
    gy_then(wanted, NULL, NULL); /* its own rejection is new, the first promise is not told of again */
    run();
    CHECK_STR(trace, "UicHnU");
    gy_promise_free(wanted);
    end();
}

TEST(reject, p13_each_is_reported_once_and_derived_ones_on_their_own) {
    begin();
    gy_promise *p = rejected(), *q = rejected();
    gy_then(gy_then(p, caught, NULL), caught, NULL);
    gy_finally(p, NULL, NULL);
    run();
    run();
    CHECK_STR(trace, "UUU"); /* `q`, and the ends of two chains */
    gy_promise_free(p);
    gy_promise_free(q);
    end();
    CHECK_STR(trace, "UUU");
}

TEST(reject, one_that_is_freed_at_once_is_reported) {
    begin();
    gy_promise_free(rejected());
    CHECK_STR(trace, "");
    end();
    CHECK_STR(trace, "U");
}

static void unhandled_catches(gy_loop *l, gy_promise *p) {
    unhandled(l, p);
    gy_catch(p, caught, NULL);
    gy_microtask(loop, &jobs[3], say);
}

TEST(reject, a_hook_may_handle_the_promise_and_queue_jobs) {
    begin();
    jobs[3].user = "m";
    CHECK_EQ(gy_promise_on_unhandled(loop, unhandled_catches), 0);
    gy_promise_free(rejected());
    gy_promise_free(rejected());
    end();
    CHECK_STR(trace, "UcmUcmHH");
}

static void stop(gy_loop *l, gy_promise *p) {
    unhandled(l, p);
    gy_loop_stop(l);
}

TEST(reject, a_stopped_loop_reports_the_rest_when_it_goes_on) {
    begin();
    CHECK_EQ(gy_promise_on_unhandled(loop, stop), 0);
    gy_promise_free(rejected());
    gy_promise_free(rejected());
    CHECK_EQ(gy_loop_run(loop), 1);
    CHECK_STR(trace, "U");
    CHECK_EQ(gy_loop_run(loop), 1);
    CHECK_STR(trace, "UU");
    end();
}

static int left;
static void again(gy_job *job) {
    strcat(trace, "m");
    if (left-- > 0) gy_microtask(loop, job, again);
}
static void event(gy_timer *timer) { strcat(trace, timer->user); }

TEST(reject, an_empty_budget_lets_events_pass_and_the_report_waits_for_the_jobs) {
    gy_timer timer[3] = {{.user = "1"}, {.user = "2"}, {.user = "3"}};
    begin_with(1);
    for (int i = 0; i < 3; i++) gy_timer_start(loop, &timer[i], (gy_timer_opts){.at = 1, .fn = event});
    left = 5;
    gy_microtask(loop, &jobs[0], again);
    gy_promise_free(rejected());
    run();
    CHECK_STR(trace, "m1m2m3mmmU");
    end();
}

TEST(reject, without_a_hook_it_is_one_line_on_standard_error) {
    int ends[2];
    char line[160] = "";
    begin();
    CHECK_EQ(gy_promise_on_unhandled(loop, NULL), 0);
    CHECK_EQ(pipe(ends), 0);
    int saved = dup(2);
    CHECK(saved >= 0 && dup2(ends[1], 2) == 2);
    gy_promise_free(rejected());
    CHECK_EQ(gy_loop_run(loop), 0);
    dup2(saved, 2);
    close(saved);
    close(ends[1]);
    CHECK(read(ends[0], line, sizeof line - 1) > 0);
    close(ends[0]);
    CHECK_STR(line, "gyre: a promise was rejected and nobody handled it: EIO\n");
    end();
}

TEST(reject, a_loop_may_be_freed_with_a_report_on_its_way) {
    begin();
    gy_promise *p = rejected();
    (void)p;
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_STR(trace, "");
}
