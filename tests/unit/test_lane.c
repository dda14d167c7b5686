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

/* ---- jobs that hang ---------------------------------------------------------------------------------------------- */

typedef struct hung {
    gy_work work;
    gyi_mutex lock;
    gyi_cond moved;
    bool inside, open, ended, reported;
} hung;

static void hung_run(gy_work *work) {
    hung *h = GY_OF(work, hung, work);
    gyi_mutex_lock(&h->lock);
    h->inside = true;
    gyi_cond_signal(&h->moved);
    while (!h->open) gyi_cond_wait(&h->moved, &h->lock, GY_FOREVER);
    gyi_mutex_unlock(&h->lock);
}

static void hung_done(gy_work *work, int err) {
    (void)err;
    GY_OF(work, hung, work)->reported = true;
}

static void hung_ended(gy_work *work, int err) {
    hung *h = GY_OF(work, hung, work);
    (void)err;
    gyi_mutex_lock(&h->lock);
    h->ended = true;
    gyi_cond_signal(&h->moved);
    gyi_mutex_unlock(&h->lock);
}

/* A job that hangs on a thread of the pool. */
static void hung_begin(gy_loop *loop, gy_pool *pool, hung *h) {
    *h = (hung){.inside = false};
    CHECK_EQ(gyi_mutex_init(&h->lock), 0);
    CHECK_EQ(gyi_cond_init(&h->moved), 0);
    CHECK_EQ(gyi_pool_abandon(&h->work, hung_ended), -EALREADY);
    gy_work_opts opts = {.run = hung_run, .done = hung_done, .lane = GY_LANE_SLOW, .pool = pool};
    CHECK_EQ(gy_pool_submit(loop, &h->work, opts), 0);
    CHECK_EQ(gyi_pool_abandon(&h->work, hung_ended), -EBUSY);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    gyi_mutex_lock(&h->lock);
    while (!h->inside) gyi_cond_wait(&h->moved, &h->lock, GY_FOREVER);
    gyi_mutex_unlock(&h->lock);
}

/* Lets it go on, and waits until it has had its last word. */
static void hung_end(hung *h) {
    gyi_mutex_lock(&h->lock);
    h->open = true;
    gyi_cond_signal(&h->moved);
    while (!h->ended) gyi_cond_wait(&h->moved, &h->lock, GY_FOREVER);
    gyi_mutex_unlock(&h->lock);
    CHECK(!h->reported);
}

TEST(lane, a_job_that_was_let_go_of_keeps_nobody_waiting) {
    gy_loop *loop;
    static hung h;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    hung_begin(loop, NULL, &h);
    CHECK_EQ(gy_loop_free(loop), -EBUSY);
    CHECK_EQ(gyi_pool_abandon(&h.work, hung_ended), 0);
    CHECK_EQ(gyi_pool_abandon(&h.work, hung_ended), -EBUSY);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0); /* and the pool with it */
    hung_end(&h);
}

TEST(lane, its_thread_comes_back_to_work) {
    gy_loop *loop;
    gy_pool *pool;
    gy_pool_stats stats;
    static hung h;
    lane_job next = {.err = 1};
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.threads = {1, 1, 1}}), 0);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    hung_begin(loop, pool, &h);
    CHECK_EQ(gyi_pool_abandon(&h.work, hung_ended), 0);
    gy_work_opts opts = {.run = lane_run, .done = lane_done, .lane = GY_LANE_SLOW, .pool = pool};
    CHECK_EQ(gy_pool_submit(loop, &next.work, opts), 0);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    gy_pool_stats_get(pool, &stats);
    CHECK_EQ(stats.threads, 1); /* hanging does not pile up threads */
    CHECK_EQ(stats.lane[GY_LANE_SLOW].queued, 1);
    hung_end(&h);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(next.err, 0);
    gy_pool_free(pool);
    CHECK_EQ(gy_loop_free(loop), 0);
}
