/* SPDX-License-Identifier: ISC */
/* The callback queue by hand: the halt mark, the place of the jobs, and what the checker sees. The order of everything
 * is tested in tests/loop/turn.c. */
#include <string.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"

static gy_loop *loop;
static int runs;

static void begin(unsigned budget) {
    runs = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim", .job_budget = budget}), 0);
}

static void run_job(gy_job *job) {
    (void)job;
    runs++;
}

static void run_entry(gyi_entry *entry) {
    (void)entry;
    runs++;
}

TEST(queue, a_halt_stands_in_front_once_and_a_stop_is_stronger) {
    gyi_entry e = {.run = run_entry};
    begin(0);
    gyi_queue *q = &loop->queue;
    CHECK(gyi_queue_check(q) && !gyi_queue_pending(q));
    CHECK_EQ(gyi_queue_resume(q), GYI_HALT_NONE);
    gyi_queue_push(loop, &e);
    gyi_queue_halt(q, GYI_HALT_STOP);
    gyi_queue_halt(q, GYI_HALT_BUDGET);
    CHECK(gyi_queue_check(q) && gyi_queue_pending(q));
    CHECK_EQ(gyi_queue_resume(q), GYI_HALT_STOP);
    CHECK(q->events.next == &e);
    gyi_queue_drop(&e);
    gyi_queue_drop(&e);
    CHECK(!gyi_queue_pending(q) && gyi_queue_check(q));
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(queue, jobs_wait_behind_a_halt_and_before_events) {
    gyi_entry e = {.run = run_entry};
    gy_job j = {.user = NULL};
    begin(0);
    gyi_queue *q = &loop->queue;
    gyi_queue_push(loop, &e);
    gyi_queue_halt(q, GYI_HALT_STOP);
    gy_defer(loop, &j, run_job);
    CHECK(q->events.next == &q->halt && q->halt.next == &q->drain && q->drain.next == &e);
    CHECK(gyi_queue_check(q));
    CHECK_EQ(gyi_queue_resume(q), GYI_HALT_STOP);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(runs, 2);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(queue, a_budget_of_one_lets_an_event_pass_after_each_job) {
    gyi_entry e[3] = {{.run = run_entry}, {.run = run_entry}, {.run = run_entry}};
    gy_job j[3] = {{.user = NULL}, {.user = NULL}, {.user = NULL}};
    begin(1);
    for (int i = 0; i < 3; i++) gyi_queue_push(loop, &e[i]);
    for (int i = 0; i < 3; i++) gy_defer(loop, &j[i], run_job);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(runs, 6);
    CHECK_EQ(gyi_queue_jobs(&loop->queue), 3);
    CHECK(gyi_queue_check(&loop->queue));
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(queue, a_job_without_a_function_is_not_queued) {
    gy_job j = {.user = NULL};
    begin(0);
    gy_defer(loop, &j, NULL);
    gy_microtask(loop, &j, NULL);
    gy_immediate(loop, &j, NULL);
    CHECK(!gy_loop_alive(loop) && !gy_job_cancel(&j));
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(queue, check_sees_jobs_that_nobody_will_run) {
    gy_job j = {.user = NULL};
    begin(0);
    gy_defer(loop, &j, run_job);
    CHECK(gyi_queue_check(&loop->queue));
    gyi_list_remove(&loop->queue.drain);
    CHECK(!gyi_queue_check(&loop->queue));
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* ---- micros that come while micros run ---------------------------------------------------------------------- */

enum { CHILDREN = 3 };
static char order[64];
static gy_job child[CHILDREN], tick;

static void note(char c) {
    size_t n = strlen(order);
    CHECK(gyi_queue_check(&loop->queue));
    order[n] = c;
    order[n + 1] = '\0';
}

static void note_child(gy_job *job) { note((char)('a' + (job - child))); }

static void note_tick(gy_job *job) {
    (void)job;
    note('t');
}

static void note_event(gyi_entry *entry) {
    (void)entry;
    note('e');
}

static void begin_children(gy_job *job) {
    note('m');
    gy_defer(job->loop, &tick, note_tick);
    for (int i = 0; i < CHILDREN; i++) gy_microtask(job->loop, &child[i], note_child);
}

static void last_of_both(gy_job *job) {
    (void)job;
    note('n');
}

/* Runs one event behind two micros, the first of which queues a tick and three more micros. */
static void micros(unsigned budget) {
    gyi_entry e = {.run = note_event};
    gy_job first = {.user = NULL}, second = {.user = NULL};
    order[0] = '\0';
    begin(budget);
    gyi_queue_push(loop, &e);
    gy_microtask(loop, &first, begin_children);
    gy_microtask(loop, &second, last_of_both);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gyi_queue_jobs(&loop->queue), 6);
    CHECK(gyi_queue_check(&loop->queue));
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(queue, L2_micros_of_micros_stand_behind_all_micros_and_before_ticks) {
    micros(0);
    CHECK_STR(order, "mnabcte");
}

TEST(queue, micros_beyond_the_budget_wait_and_keep_their_order) {
    micros(3);
    CHECK_STR(order, "mnaebct");
    micros(2);
    CHECK_STR(order, "mneabct");
}

static void stop_between(gy_job *job) {
    note('m');
    gy_microtask(job->loop, &child[0], note_child);
    gy_loop_stop(job->loop);
}

TEST(queue, a_micro_that_comes_after_a_stop_keeps_its_place) {
    gyi_entry e = {.run = note_event};
    gy_job first = {.user = NULL};
    order[0] = '\0';
    begin(1);
    gyi_queue_push(loop, &e);
    gy_microtask(loop, &first, stop_between);
    CHECK_EQ(gy_loop_run(loop), 1);
    CHECK_STR(order, "m");
    gy_microtask(loop, &child[1], note_child); /* outside of a run, with the budget used up */
    CHECK(gyi_queue_check(&loop->queue));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(order, "meab");
    CHECK_EQ(gy_loop_free(loop), 0);
}
