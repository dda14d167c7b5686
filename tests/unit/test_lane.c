/* SPDX-License-Identifier: ISC */
/* One lane, handed its jobs directly: how many threads it starts, what it refuses, and the states of a job. */
#include "harness.h"
#include "pool/pool.h"

enum { JOBS = 10 };

typedef struct lane_job {
    gy_work work;
    int ran, err;
} lane_job;

static void lane_run(gy_work *work) { GY_OF(work, lane_job, work)->ran++; }

static void lane_done(gy_work *work, int err) { GY_OF(work, lane_job, work)->err = err; }

/* A loop with its jobs submitted and not handed over. */
static gy_loop *lane_loop(gy_pool *pool, lane_job *jobs) {
    gy_loop *loop;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (lane_job){.err = 1};
        gy_work_opts opts = {.run = lane_run, .done = lane_done, .lane = GY_LANE_CPU, .pool = pool};
        CHECK_EQ(gy_pool_submit(loop, &jobs[i].work, opts), 0);
        CHECK_EQ(jobs[i].work.priv.away, GYI_WORK_SUBMITTED);
    }
    return loop;
}

TEST(lane, threads_come_with_work_and_end_with_the_lane) {
    gy_pool *pool;
    lane_job jobs[JOBS];
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.threads = {1, 2, 1}}), 0);
    gyi_lane *lane = &pool->lane[GY_LANE_CPU];
    gy_loop *loop = lane_loop(pool, jobs);
    CHECK_EQ(lane->threads, 0);
    CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK(gyi_list_empty(&loop->submitted));
    gyi_mutex_lock(&lane->lock);
    unsigned threads = lane->threads;
    gyi_mutex_unlock(&lane->lock);
    CHECK(threads >= 1 && threads <= 2);
    CHECK_EQ(gy_loop_run(loop), 0);
    for (int i = 0; i < JOBS; i++) {
        CHECK_EQ(jobs[i].ran, 1);
        CHECK_EQ(jobs[i].err, 0);
        CHECK_EQ(jobs[i].work.priv.away, GYI_WORK_HOME);
    }
    gyi_lane_close(lane);
    CHECK_EQ(lane->threads, 0);
    CHECK_EQ(lane->running, 0);
    CHECK_EQ(lane->queued, 0);
    CHECK_EQ(lane->done, JOBS);
    gy_pool_free(pool); /* closes it once more */
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(lane, a_closed_one_cancels_what_it_is_given) {
    gy_pool *pool;
    lane_job jobs[JOBS];
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){0}), 0);
    gyi_lane *lane = &pool->lane[GY_LANE_CPU];
    gy_loop *loop = lane_loop(pool, jobs);
    gyi_lane_close(lane);
    CHECK_EQ(gy_loop_run(loop), 0);
    for (int i = 0; i < JOBS; i++) {
        CHECK_EQ(jobs[i].ran, 0);
        CHECK_EQ(jobs[i].err, GY_ECANCELED);
    }
    CHECK_EQ(lane->cancelled, JOBS);
    CHECK_EQ(lane->threads, 0);
    gy_pool_free(pool);
    CHECK_EQ(gy_loop_free(loop), 0);
}
