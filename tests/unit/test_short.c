/* SPDX-License-Identifier: ISC */
/* Short jobs: a lane that is sure of them does with few workers, as long as a loop minds it. How sure the lane is, and
 * how few are enough, is set by the tests, since machines differ; a job that is not short after all is a gate, which
 * stays closed until a test opens it. */
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "pool/pool.h"
#include "sys/clock.h"

enum { WORKERS = 4, JOBS = 64, MANY = 160, CERTAIN = 1000, NEVER = 1 << 30 };

typedef struct short_job {
    gy_work work;
    gyi_thread by;
    bool told;
    int err;
} short_job;

static gy_loop *loop;
static gy_pool *pool;
static gyi_lane *lane;
static short_job jobs[MANY];
static atomic_int ran;
static int told;
static gy_ns lasts;

/* A lane that is certain of its jobs, and content with one worker. */
static void begin(const char *backend) {
    told = 0;
    lasts = 0;
    atomic_store(&ran, 0);
    memset(jobs, 0, sizeof jobs);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.threads = {[GY_LANE_IO] = WORKERS}}), 0);
    lane = &pool->lane[GY_LANE_IO];
    loop->spin.good = NEVER; /* it has been good for something often enough */
    lane->few = 1;
    lane->sure = CERTAIN;
}

static void end(void) {
    CHECK(!loop->spin.minded);
    gy_pool_free(pool);
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* On virtual time a loop does not spin, and minds nothing. */
static bool spins(void) { return !loop->poller.ops->now; }

static void job_run(gy_work *work) {
    GY_OF(work, short_job, work)->by = pthread_self();
    gy_ns until = gyi_clock_mono() + lasts;
    while (lasts && gyi_clock_mono() < until) continue;
    atomic_fetch_add(&ran, 1);
}

static void job_done(gy_work *work, int err) {
    short_job *job = GY_OF(work, short_job, work);
    job->told = true;
    job->err = err;
    told++;
}

static void submit(short_job *job, gy_work_run_fn *run, gy_work_done_fn *done) {
    CHECK_EQ(gy_pool_submit(loop, &job->work, (gy_work_opts){.run = run, .done = done, .pool = pool}), 0);
}

static void submit_some(int from, int to) {
    for (int i = from; i < to; i++) submit(&jobs[i], job_run, job_done);
}

/* ---- gates ------------------------------------------------------------------------------------------------------- */

static struct {
    gyi_mutex lock;
    gyi_cond entered, opened; /* each has one kind of thread waiting */
    int inside;
    bool open;
} gate = {.lock = GYI_MUTEX_INIT};

static void gate_begin(void) {
    CHECK_EQ(gyi_cond_init(&gate.entered), 0);
    CHECK_EQ(gyi_cond_init(&gate.opened), 0);
    gate.inside = 0;
    gate.open = false;
}

static void gate_run(gy_work *work) {
    (void)work;
    gyi_mutex_lock(&gate.lock);
    gate.inside++;
    gyi_cond_signal(&gate.entered);
    while (!gate.open) gyi_cond_wait(&gate.opened, &gate.lock, GY_FOREVER);
    gyi_cond_signal(&gate.opened); /* each has the next one go */
    gyi_mutex_unlock(&gate.lock);
}

static void gate_wait_for(int count) {
    gyi_mutex_lock(&gate.lock);
    while (gate.inside < count) gyi_cond_wait(&gate.entered, &gate.lock, GY_FOREVER);
    gyi_mutex_unlock(&gate.lock);
}

static void gate_open(void) {
    gyi_mutex_lock(&gate.lock);
    gate.open = true;
    gyi_cond_signal(&gate.opened);
    gyi_mutex_unlock(&gate.lock);
}

/* Opens the gate when all others behind it have been told. */
static void job_done_before_gate(gy_work *work, int err) {
    job_done(work, err);
    CHECK(!jobs[0].told);
    if (told == JOBS - 1) gate_open();
}

static void submit_behind_gate(void) {
    submit(&jobs[0], gate_run, job_done);
    for (int i = 1; i < JOBS; i++) submit(&jobs[i], job_run, job_done_before_gate);
}

/* ---- few are enough ---------------------------------------------------------------------------------------------- */

static void mind_nothing(void) {
    loop->spin.off = NEVER;
    loop->spin.good = 0;
}

/* Another loop is said to mind the lane, and never looks. */
static void mind_for_ever(gy_loop *other) {
    mind_nothing();
    lane->minder = other;
}

TEST_BACKENDS(short_jobs, one_thread_is_started_for_many) {
    gy_loop *other;
    begin(backend);
    CHECK_EQ(gy_loop_new(&other, (gy_loop_opts){.backend = backend}), 0);
    mind_for_ever(other);
    submit_some(0, JOBS);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, JOBS);
    CHECK_EQ(lane->threads, 1);
    CHECK_EQ(gy_loop_free(other), 0);
    end();
}

TEST_BACKENDS(short_jobs, a_lane_that_is_not_sure_or_not_minded_starts_more) {
    for (int minded = 0; minded < 2; minded++) {
        begin(backend);
        gate_begin();
        if (minded) mind_for_ever(loop);
        if (minded) lane->sure = 0;
        mind_nothing();
        for (int i = 0; i < WORKERS; i++) submit(&jobs[i], gate_run, job_done);
        CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
        gate_wait_for(WORKERS);
        gate_open();
        lane->minder = NULL;
        CHECK_EQ(gy_loop_run(loop), 0);
        CHECK_EQ(told, WORKERS);
        end();
    }
}

/* All workers are busy, and the jobs are done by the one that is free last. */
TEST_BACKENDS(short_jobs, workers_that_are_not_needed_rest) {
    gy_loop *other;
    begin(backend);
    gate_begin();
    CHECK_EQ(gy_loop_new(&other, (gy_loop_opts){.backend = backend}), 0);
    mind_nothing();
    for (int i = 0; i < WORKERS; i++) submit(&jobs[i], gate_run, job_done);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    gate_wait_for(WORKERS);
    mind_for_ever(other);
    lasts = GY_US(100); /* so that the others would come in time */
    submit_some(WORKERS, JOBS);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    gate_open();
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, JOBS);
    for (int i = WORKERS + 1; i < JOBS; i++) CHECK(pthread_equal(jobs[i].by, jobs[WORKERS].by));
    CHECK_EQ(gy_loop_free(other), 0);
    end();
}

/* ---- a job that is not short after all --------------------------------------------------------------------------- */

TEST_BACKENDS(short_jobs, before_the_loop_sleeps_it_has_more_called) {
    begin(backend);
    gate_begin();
    submit_behind_gate();
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, JOBS);
    CHECK(lane->sure < CERTAIN / 2 || !spins()); /* it has forgotten what it knew */
    end();
}

static gy_job awake;

static void stay_awake(gy_job *job) {
    if (told < JOBS - 1) gy_immediate(loop, job, stay_awake);
}

TEST_BACKENDS(short_jobs, a_loop_that_never_sleeps_looks) {
    begin(backend);
    gate_begin();
    submit_behind_gate();
    gy_immediate(loop, &awake, stay_awake);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, JOBS);
    end();
}

static void stop(gy_job *job) {
    (void)job;
    CHECK_EQ(loop->spin.minded == lane, spins());
    gy_loop_stop(loop);
}

static void submit_and_stop(gy_job *job) {
    submit_behind_gate();
    gy_defer(loop, job, stop); /* after they were handed over */
}

TEST_BACKENDS(short_jobs, a_loop_that_is_not_run_any_more_has_more_called) {
    begin(backend);
    gate_begin();
    gy_defer(loop, &awake, submit_and_stop);
    CHECK_EQ(gy_loop_run(loop), 1);
    CHECK(!loop->spin.minded);
    for (int i = 0; i < 20000 && atomic_load(&ran) < JOBS - 1; i++) usleep(1000);
    CHECK_EQ(atomic_load(&ran), JOBS - 1);
    CHECK(!gate.open);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, JOBS);
    end();
}

/* A job that is let go of is at nobody's work. */
static void gate_ended(gy_work *work, int err) {
    (void)work, (void)err;
    atomic_fetch_add(&ran, JOBS);
}

/* The lane does not wait for its thread. */
static void gate_wait_for_ended(void) {
    while (atomic_load(&ran) < JOBS) usleep(1000);
}

TEST_BACKENDS(short_jobs, a_worker_whose_job_was_let_go_of_does_not_count) {
    gy_loop *other;
    begin(backend);
    gate_begin();
    CHECK_EQ(gy_loop_new(&other, (gy_loop_opts){.backend = backend}), 0);
    mind_for_ever(other);
    submit(&jobs[0], gate_run, job_done);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    gate_wait_for(1);
    CHECK_EQ(gyi_pool_abandon(&jobs[0].work, gate_ended), 0);
    submit_some(1, JOBS);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, JOBS - 1);
    CHECK_EQ(lane->threads, 2);
    gate_open();
    CHECK_EQ(gy_loop_free(other), 0);
    end();
    gate_wait_for_ended();
}

/* ---- who minds --------------------------------------------------------------------------------------------------- */

static void second_minds(gy_job *job) {
    gy_loop *first = loop;
    CHECK_EQ(first->spin.minded == lane, spins());
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = gy_loop_backend(first)}), 0);
    loop->spin.good = NEVER;
    submit_some(JOBS / 2, JOBS);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK(!lane->minder);
    loop = first;
    (void)job;
}

static void first_minds(gy_job *job) {
    submit_some(0, JOBS / 2);
    gy_defer(loop, job, second_minds);
}

TEST_BACKENDS(short_jobs, another_loop_may_take_over) {
    begin(backend);
    gy_defer(loop, &awake, first_minds);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, JOBS);
    CHECK_EQ(atomic_load(&pool->refs), 1);
    end();
}

TEST_BACKENDS(short_jobs, whoever_looks_sees_that_nothing_is_done) {
    gy_loop *other;
    begin(backend);
    CHECK_EQ(gy_loop_new(&other, (gy_loop_opts){.backend = backend}), 0);
    lane->minder = other;
    lane->done = 1;
    CHECK(!gyi_lane_look(lane, loop, GY_US(60))); /* something was done, and he is told that he is relieved */
    gyi_lane_leave(lane, loop);
    CHECK(lane->minder == other);
    CHECK(gyi_lane_look(lane, other, GY_US(100))); /* too early to say */
    CHECK(lane->minder == other);
    CHECK(!gyi_lane_look(lane, loop, GY_US(110)));
    CHECK(!lane->minder);
    CHECK(!gyi_lane_look(lane, other, GY_US(120)));
    CHECK_EQ(gy_loop_free(other), 0);
    end();
}

/* Two loops that hand over in turn to a lane whose jobs are stuck. */
TEST_BACKENDS(short_jobs, taking_over_does_not_begin_the_patience_anew) {
    gy_loop *other;
    gyi_entry none;
    begin(backend);
    gyi_list_init(&none);
    CHECK_EQ(gy_loop_new(&other, (gy_loop_opts){.backend = backend}), 0);
    gyi_lane_hand_over(lane, &none, loop);
    gy_ns from = lane->looked;
    for (int i = 0; i < 10; i++) {
        gy_loop *next = i % 2 ? loop : other;
        next->now = from + GY_US(5) * i;
        gyi_lane_hand_over(lane, &none, next);
        CHECK(gyi_lane_look(lane, next, next->now));
    }
    CHECK(!gyi_lane_look(lane, loop, from + GY_US(50)));
    CHECK(!lane->minder);
    CHECK_EQ(gy_loop_free(other), 0);
    end();
}

static void free_pool(gy_job *job) {
    (void)job;
    CHECK_EQ(loop->spin.minded == lane, spins());
    gy_pool_free(pool);
    pool = NULL;
}

static void submit_and_free_pool(gy_job *job) {
    submit_some(0, JOBS);
    gy_defer(loop, job, free_pool);
}

TEST_BACKENDS(short_jobs, a_pool_may_be_freed_while_it_is_minded) {
    begin(backend);
    gy_defer(loop, &awake, submit_and_free_pool);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, JOBS);
    for (int i = 0; i < JOBS; i++) CHECK(jobs[i].err == 0 || jobs[i].err == GY_ECANCELED);
    end();
}

static void it_minds(gy_job *job) {
    (void)job;
    CHECK_EQ(loop->spin.minded == lane, spins());
}

/* With another pool's job still out, and the pool freed at once. */
static void free_with_last(gy_work *work, int err) {
    job_done(work, err);
    if (told < JOBS - 1) return;
    CHECK(!loop->spin.minded);
    CHECK_EQ(atomic_load(&pool->refs), 1);
    gy_pool_free(pool);
    pool = NULL;
    gate_open();
}

static void submit_to_two_pools(gy_job *job) {
    for (int i = 1; i < JOBS; i++) submit(&jobs[i], job_run, free_with_last);
    CHECK_EQ(gy_pool_submit(loop, &jobs[0].work, (gy_work_opts){.run = gate_run, .done = job_done}), 0);
    gy_defer(loop, job, it_minds);
}

TEST_BACKENDS(short_jobs, without_a_job_there_the_loop_minds_nothing) {
    begin(backend);
    gate_begin();
    gy_defer(loop, &awake, submit_to_two_pools);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, JOBS);
    end();
}

static void let_go(gy_job *job) {
    (void)job;
    gate_wait_for(1);
    CHECK_EQ(loop->spin.minded == lane, spins());
    CHECK_EQ(gyi_pool_abandon(&jobs[0].work, gate_ended), 0);
    CHECK(!loop->spin.minded);
    gate_open();
}

static void submit_one_there(gy_job *job) {
    submit(&jobs[0], gate_run, job_done);
    CHECK_EQ(gy_pool_submit(loop, &jobs[1].work, (gy_work_opts){.run = job_run, .done = job_done}), 0);
    gy_defer(loop, job, let_go);
}

TEST_BACKENDS(short_jobs, a_job_that_was_let_go_of_is_none_there) {
    begin(backend);
    gate_begin();
    gy_defer(loop, &awake, submit_one_there);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(!jobs[0].told);
    CHECK(jobs[1].told);
    end();
    gate_wait_for_ended();
}

static void nobody_minds(gy_job *job) {
    (void)job;
    CHECK(!loop->spin.minded);
    CHECK(!lane->minder);
}

static void submit_one(gy_job *job) {
    submit_some(0, 1);
    gy_defer(loop, job, nobody_minds);
}

TEST_BACKENDS(short_jobs, a_single_job_is_not_minded) {
    begin(backend);
    gy_defer(loop, &awake, submit_one);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, 1);
    end();
}

static void submit_too_few(gy_job *job) {
    submit_some(0, JOBS);
    gy_defer(loop, job, nobody_minds);
}

static void submit_many(gy_job *job) {
    submit_some(0, MANY);
    gy_defer(loop, job, it_minds);
}

TEST_BACKENDS(short_jobs, a_loop_that_spun_in_vain_lately_minds_a_lane_only_for_many) {
    begin(backend);
    loop->spin.good = 7;
    gy_defer(loop, &awake, submit_too_few);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, JOBS);
    loop->spin.good = 0;
    gy_defer(loop, &awake, submit_many);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, JOBS + MANY);
    end();
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(short_jobs, the_lane_learns_that_jobs_are_short) {
    begin(backend);
    lane->sure = 0;
    mind_nothing();
    gy_ns until = gyi_clock_mono() + GY_S(20);
    while (!lane->sure && gyi_clock_mono() < until) {
        submit_some(0, JOBS);
        CHECK_EQ(gy_loop_run(loop), 0);
    }
    CHECK(lane->sure > 0);
    end();
}

TEST_BACKENDS(short_jobs, the_lane_learns_that_jobs_are_long) {
    gy_loop *other;
    begin(backend);
    CHECK_EQ(gy_loop_new(&other, (gy_loop_opts){.backend = backend}), 0);
    mind_for_ever(other);
    lasts = GY_US(20);
    submit_some(0, JOBS);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(lane->sure < CERTAIN);
    CHECK_EQ(gy_loop_free(other), 0);
    end();
}
