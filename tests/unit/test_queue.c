/* SPDX-License-Identifier: ISC */
/* The callback queue by hand: the halt mark, the place of the jobs, and what the checker sees. The order of everything
 * is tested in tests/loop/turn.c. */
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
    gyi_queue_drop(loop, &e);
    gyi_queue_drop(loop, &e);
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
    CHECK_EQ(loop->queue.jobs, 3);
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
