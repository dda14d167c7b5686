/* SPDX-License-Identifier: ISC */
/* The pool, seen from loops: where jobs run and report, lanes, cancelling, sharing, the end, and what it costs.
 *
 * Jobs meet the test through a gate: a mutex and a condition that the test opens when it has seen enough. Checks are
 * made on the loop's thread only; a job leaves what it has seen in its own record. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "refuse.h"
#include "sys/sys.h"

typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int inside, most; /* jobs that wait at the gate; how many there were at once */
    bool open;
} gate;

static void gate_init(gate *g) {
    *g = (gate){.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
}

static void gate_pass(gate *g) {
    pthread_mutex_lock(&g->lock);
    g->inside++;
    if (g->inside > g->most) g->most = g->inside;
    pthread_cond_broadcast(&g->moved);
    while (!g->open) pthread_cond_wait(&g->moved, &g->lock);
    g->inside--;
    pthread_mutex_unlock(&g->lock);
}

static void gate_open(gate *g) {
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->moved);
    pthread_mutex_unlock(&g->lock);
}

/* Waits until that many jobs stand at the gate. */
static void gate_await(gate *g, int inside) {
    pthread_mutex_lock(&g->lock);
    while (g->inside < inside) pthread_cond_wait(&g->moved, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

typedef struct job {
    gy_work work;
    gate *gate;
    pthread_t thread;
    int ran, done, err;
    gy_ns now; /* what the loop's clock said when it reported */
} job;

static void job_run(gy_work *work) {
    job *j = GY_OF(work, job, work);
    j->thread = pthread_self();
    j->ran++;
    if (j->gate) gate_pass(j->gate);
}

static void job_done(gy_work *work, int err) {
    job *j = GY_OF(work, job, work);
    j->done++;
    j->err = err;
    j->now = gy_loop_now(work->loop);
}

static int job_submit(gy_loop *loop, gy_pool *pool, job *j, gy_lane lane) {
    return gy_pool_submit(loop, &j->work, (gy_work_opts){.run = job_run, .done = job_done, .lane = lane, .pool = pool});
}

static void pool_nap(void) {
    const struct timespec ms = {0, 1000000};
    nanosleep(&ms, NULL);
}

static gy_loop *pool_loop(const char *backend) {
    gy_loop *loop;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    return loop;
}

/* Runs the loop until a job has reported, without waiting for others. */
static void pool_until(gy_loop *loop, const int *flag) {
    while (!*flag) CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
}

/* Hands over what was submitted. */
static void pool_hand_over(gy_loop *loop) { CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1); }

/* ---- the way there and back -------------------------------------------------------------------------------------- */

TEST_BACKENDS(pool, a_job_runs_elsewhere_and_reports_here) {
    gy_loop *loop = pool_loop(backend);
    for (int lane = 0; lane < GY_LANE_COUNT; lane++) {
        job j = {.done = 0};
        CHECK_EQ(job_submit(loop, NULL, &j, (gy_lane)lane), 0);
        CHECK_EQ(job_submit(loop, NULL, &j, (gy_lane)lane), -EALREADY);
        CHECK(gy_loop_alive(loop));
        CHECK_EQ(gy_loop_free(loop), -EBUSY);
        CHECK_EQ(j.ran + j.done, 0);
        CHECK_EQ(gy_loop_run(loop), 0);
        CHECK_EQ(j.ran, 1);
        CHECK_EQ(j.done, 1);
        CHECK_EQ(j.err, 0);
        CHECK(!pthread_equal(j.thread, pthread_self()));
        CHECK(j.work.loop == loop);
    }
    CHECK_EQ(gy_loop_free(loop), 0);
}

static void again_done(gy_work *work, int err) {
    job *j = GY_OF(work, job, work);
    job_done(work, err);
    gy_work_opts opts = {.run = job_run, .done = again_done};
    if (j->done < 50) CHECK_EQ(gy_pool_submit(work->loop, work, opts), 0);
}

TEST_BACKENDS(pool, a_job_may_be_submitted_again_from_its_report) {
    gy_loop *loop = pool_loop(backend);
    job j = {.done = 0};
    gy_work silent = {0};
    CHECK_EQ(gy_pool_submit(loop, &j.work, (gy_work_opts){.run = job_run, .done = again_done}), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(j.ran, 50);
    CHECK_EQ(j.done, 50);
    gy_work_opts none = {.done = job_done}, lane = {.run = job_run, .lane = GY_LANE_COUNT};
    CHECK_EQ(gy_pool_submit(loop, &silent, none), -EINVAL);
    CHECK_EQ(gy_pool_submit(loop, &silent, lane), -EINVAL);
    job quiet = {.done = 0};
    CHECK_EQ(gy_pool_submit(loop, &quiet.work, (gy_work_opts){.run = job_run}), 0); /* nobody is told */
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(quiet.ran, 1);
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* ---- lanes and limits -------------------------------------------------------------------------------------------- */

TEST_BACKENDS(pool, a_lane_that_hangs_leaves_the_others_alone) {
    gy_loop *loop = pool_loop(backend);
    gy_pool *pool;
    gate g;
    static job stuck[40], quick[10];
    memset(stuck, 0, sizeof stuck);
    memset(quick, 0, sizeof quick);
    gate_init(&g);
    gy_pool_opts opts = {.threads = {2, 2, 3}};
    CHECK_EQ(gy_pool_new(&pool, opts), 0);
    for (int i = 0; i < 40; i++) {
        stuck[i].gate = &g;
        CHECK_EQ(job_submit(loop, pool, &stuck[i], GY_LANE_SLOW), 0);
    }
    pool_hand_over(loop);
    gate_await(&g, 3);
    for (int i = 0; i < 10; i++) CHECK_EQ(job_submit(loop, pool, &quick[i], i % 2 ? GY_LANE_IO : GY_LANE_CPU), 0);
    for (int i = 0; i < 10; i++) pool_until(loop, &quick[i].done);
    gy_pool_stats stats;
    gy_pool_stats_get(pool, &stats);
    CHECK_EQ(stats.lane[GY_LANE_SLOW].running, 3);
    CHECK_EQ(stats.lane[GY_LANE_SLOW].queued, 37);
    CHECK_EQ(stats.lane[GY_LANE_SLOW].done, 0);
    CHECK(stats.threads <= 7);
    gate_open(&g);
    CHECK_EQ(gy_loop_run(loop), 0);
    for (int i = 0; i < 40; i++) CHECK(stuck[i].done == 1 && stuck[i].err == 0);
    CHECK_EQ(g.most, 3); /* never more threads than the lane may have */
    CHECK_EQ(gy_loop_free(loop), 0);
    gy_pool_free(pool);
}

TEST(pool, options_out_of_range_are_refused) {
    gy_pool *pool = (gy_pool *)&pool;
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.threads = {1025}}), -EINVAL);
    CHECK(pool == NULL);
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.idle = -1}), -EINVAL);
    gy_pool_free(NULL);
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.threads = {1024, 1024, 1024}, .stack = 65536}), 0);
    gy_pool_stats stats;
    gy_pool_stats_get(pool, &stats);
    CHECK_EQ(stats.threads, 0); /* none before there is work */
    gy_pool_free(pool);
}

TEST_BACKENDS(pool, idle_threads_end_and_come_again) {
    gy_loop *loop = pool_loop(backend);
    gy_pool *pool;
    gy_pool_stats stats;
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.idle = GY_MS(2)}), 0);
    for (int round = 0; round < 3; round++) {
        static job j[8];
        gate g;
        gate_init(&g);
        for (int i = 0; i < 8; i++) {
            j[i] = (job){.gate = &g};
            CHECK_EQ(job_submit(loop, pool, &j[i], GY_LANE_IO), 0);
        }
        pool_hand_over(loop);
        gate_await(&g, 4);
        gate_open(&g);
        CHECK_EQ(gy_loop_run(loop), 0);
        for (int i = 0; i < 8; i++) CHECK(j[i].done == 1 && j[i].err == 0);
        do {
            pool_nap();
            gy_pool_stats_get(pool, &stats);
        } while (stats.threads); /* the runner's time limit says when this was never */
    }
    CHECK_EQ(stats.lane[GY_LANE_IO].done, 24);
    CHECK_EQ(gy_loop_free(loop), 0);
    gy_pool_free(pool);
}

/* ---- cancelling and the end -------------------------------------------------------------------------------------- */

TEST_BACKENDS(pool, cancel_before_and_after_the_start) {
    gy_loop *loop = pool_loop(backend);
    gy_pool *pool;
    gate g;
    gate_init(&g);
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.threads = {1, 1, 1}}), 0);
    job running = {.gate = &g}, queued = {.done = 0}, submitted = {.done = 0};
    CHECK_EQ(gy_pool_cancel(&running.work), -EALREADY);
    CHECK_EQ(job_submit(loop, pool, &running, GY_LANE_IO), 0);
    pool_hand_over(loop);
    gate_await(&g, 1);
    CHECK_EQ(job_submit(loop, pool, &queued, GY_LANE_IO), 0);
    pool_hand_over(loop);
    CHECK_EQ(job_submit(loop, pool, &submitted, GY_LANE_IO), 0);
    CHECK_EQ(gy_pool_cancel(&running.work), -EBUSY);
    CHECK_EQ(gy_pool_cancel(&queued.work), 0);
    CHECK_EQ(gy_pool_cancel(&submitted.work), 0);
    CHECK_EQ(gy_pool_cancel(&queued.work), -EBUSY); /* about to report */
    CHECK_EQ(gy_pool_cancel(&submitted.work), -EBUSY);
    CHECK_EQ(queued.done + submitted.done, 0);
    pool_until(loop, &queued.done);
    pool_until(loop, &submitted.done);
    CHECK_EQ(queued.err, GY_ECANCELED);
    CHECK_EQ(submitted.err, GY_ECANCELED);
    CHECK_EQ(running.done, 0);
    gate_open(&g);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(running.err, 0);
    CHECK_EQ(queued.ran + submitted.ran, 0);
    CHECK_EQ(queued.done + submitted.done + running.done, 3);
    CHECK_EQ(gy_pool_cancel(&running.work), -EALREADY);
    CHECK_EQ(gy_loop_free(loop), 0);
    gy_pool_free(pool);
}

static void *pool_opener(void *arg) {
    pool_nap();
    pool_nap();
    gate_open(arg);
    return NULL;
}

/* Freed while one job runs, some are queued, and some have not been handed over: all report, through a loop that
 * outlives the pool. */
TEST_BACKENDS(pool, free_with_jobs_on_every_stage) {
    enum { QUEUED = 20, LATE = 5 };
    gy_loop *loop = pool_loop(backend);
    gy_pool *pool;
    gate g;
    pthread_t opener;
    static job queued[QUEUED], late[LATE];
    memset(queued, 0, sizeof queued);
    memset(late, 0, sizeof late);
    gate_init(&g);
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.threads = {1, 1, 1}}), 0);
    job running = {.gate = &g};
    CHECK_EQ(job_submit(loop, pool, &running, GY_LANE_CPU), 0);
    pool_hand_over(loop);
    gate_await(&g, 1);
    for (int i = 0; i < QUEUED; i++) CHECK_EQ(job_submit(loop, pool, &queued[i], GY_LANE_CPU), 0);
    pool_hand_over(loop);
    for (int i = 0; i < LATE; i++) CHECK_EQ(job_submit(loop, pool, &late[i], (gy_lane)(i % 3)), 0);
    CHECK_EQ(pthread_create(&opener, NULL, pool_opener, &g), 0);
    gy_pool_free(pool);
    CHECK_EQ(running.ran, 1);
    CHECK_EQ(running.done, 0);
    pthread_join(opener, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(running.done == 1 && running.err == 0);
    for (int i = 0; i < QUEUED; i++) CHECK(!queued[i].ran && queued[i].done == 1 && queued[i].err == GY_ECANCELED);
    for (int i = 0; i < LATE; i++) CHECK(!late[i].ran && late[i].done == 1 && late[i].err == GY_ECANCELED);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(pool, cancel_after_the_pool_was_freed) {
    gy_loop *loop = pool_loop(backend);
    gy_pool *pool;
    gate g;
    pthread_t opener;
    gate_init(&g);
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.threads = {1, 1, 1}}), 0);
    job running = {.gate = &g}, queued = {.done = 0};
    CHECK_EQ(job_submit(loop, pool, &running, GY_LANE_IO), 0);
    CHECK_EQ(job_submit(loop, pool, &queued, GY_LANE_IO), 0);
    pool_hand_over(loop);
    gate_await(&g, 1);
    CHECK_EQ(pthread_create(&opener, NULL, pool_opener, &g), 0);
    gy_pool_free(pool);
    CHECK_EQ(gy_pool_cancel(&queued.work), -EBUSY);
    CHECK_EQ(gy_pool_cancel(&running.work), -EBUSY);
    pthread_join(opener, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(queued.err, GY_ECANCELED);
    CHECK_EQ(running.err, 0);
    CHECK_EQ(queued.done + running.done, 2);
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* ---- sharing ----------------------------------------------------------------------------------------------------- */

enum { SHARED = 2000 };

typedef struct sharer {
    const char *backend;
    gy_pool *pool;
    job jobs[SHARED];
    int wrong;
} sharer;

static void *sharer_main(void *arg) {
    sharer *s = arg;
    gy_loop *loop;
    s->wrong = gy_loop_new(&loop, (gy_loop_opts){.backend = s->backend});
    if (s->wrong) return NULL;
    for (int i = 0; i < SHARED; i++) s->wrong |= job_submit(loop, s->pool, &s->jobs[i], (gy_lane)(i % 3));
    s->wrong |= gy_loop_run(loop) | gy_loop_free(loop);
    return NULL;
}

TEST_BACKENDS(pool, two_loops_share_one) {
    static sharer s[2];
    gy_pool *pool;
    pthread_t threads[2];
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.idle = GY_MS(1)}), 0);
    for (int i = 0; i < 2; i++) {
        memset(&s[i], 0, sizeof s[i]);
        s[i].backend = backend;
        s[i].pool = pool;
        CHECK_EQ(pthread_create(&threads[i], NULL, sharer_main, &s[i]), 0);
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    gy_pool_free(pool);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(s[i].wrong, 0);
        for (int j = 0; j < SHARED; j++) CHECK(s[i].jobs[j].ran == 1 && s[i].jobs[j].done == 1);
    }
}

#if defined(GYI_FAULTS) && GYI_FAULTS

/* What is known of the moment in which a thread of the pool wakes the loop. */
static struct {
    pthread_t owner;
    _Atomic int inside, freed;
    _Atomic int freed_inside;
} waking;

static int waking_fault(gyi_syscall kind) {
    if (kind != GYI_SYS_WAKE || pthread_equal(pthread_self(), waking.owner)) return 0;
    atomic_store(&waking.inside, 1);
    for (int i = 0; i < 100 && !atomic_load(&waking.freed); i++) pool_nap();
    atomic_store(&waking.inside, 0);
    return 0;
}

static void *waking_alloc(size_t size, void *ctx) {
    (void)ctx;
    return malloc(size);
}

static void waking_free(void *ptr, void *ctx) {
    (void)ctx;
    if (atomic_load(&waking.inside)) atomic_store(&waking.freed_inside, 1);
    free(ptr);
}

/* Keeps the loop turning until there is something to see, or, in virtual time, until there was nothing. */
static void waking_tick(gy_timer *timer) {
    const job *j = timer->user;
    if (atomic_load(&waking.inside) || j->done) gy_timer_stop(timer);
}

/* The report of a job is in the loop's hands before the thread has woken it. A loop that is awake for another reason
 * may be freed at once, but not under the feet of that thread. */
TEST_BACKENDS(pool, a_loop_is_not_freed_while_a_thread_wakes_it) {
    gy_loop *loop;
    gy_pool *pool;
    gate g;
    gate_init(&g);
    job j = {.gate = &g};
    gy_timer tick = {.user = &j};
    pthread_t opener;
    memset(&waking, 0, sizeof waking);
    waking.owner = pthread_self();
    gy_loop_opts opts = {.backend = backend, .alloc = {waking_alloc, waking_free, NULL}};
    CHECK_EQ(gy_loop_new(&loop, opts), 0);
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.threads = {1, 1, 1}}), 0);
    CHECK_EQ(job_submit(loop, pool, &j, GY_LANE_IO), 0);
    pool_hand_over(loop);
    gate_await(&g, 1);
    gyi_sys_fault = waking_fault;
    gy_timer_start(loop, &tick, (gy_timer_opts){.fn = waking_tick, .every = GY_MS(1)});
    CHECK_EQ(pthread_create(&opener, NULL, pool_opener, &g), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(j.done, 1);
    CHECK_EQ(gy_loop_free(loop), 0);
    atomic_store(&waking.freed, 1);
    pthread_join(opener, NULL);
    gy_pool_free(pool);
    gyi_sys_fault = NULL;
    CHECK_EQ(waking.freed_inside, 0);
}

/* ---- threads that cannot be started ------------------------------------------------------------------------------ */

TEST_BACKENDS(pool, a_thread_that_cannot_start_is_reported) {
    gy_loop *loop = pool_loop(backend);
    static job j[5];
    memset(j, 0, sizeof j);
    refuse(GYI_SYS_THREAD, -EAGAIN);
    for (int i = 0; i < 5; i++) CHECK_EQ(job_submit(loop, NULL, &j[i], GY_LANE_IO), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    refuse_nothing();
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(j[i].ran, 0);
        CHECK_EQ(j[i].done, 1);
        CHECK_EQ(j[i].err, -EAGAIN);
        CHECK_EQ(job_submit(loop, NULL, &j[i], GY_LANE_IO), 0); /* and the next time it goes */
    }
    CHECK_EQ(gy_loop_run(loop), 0);
    for (int i = 0; i < 5; i++) CHECK(j[i].ran == 1 && j[i].err == 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

#endif

/* ---- virtual time ------------------------------------------------------------------------------------------------ */

static void *opener_main(void *arg) {
    for (int i = 0; i < 20; i++) pool_nap();
    gate_open(arg);
    return NULL;
}

/* Twenty real milliseconds of work, next to a timer of one virtual hour: the job is not overtaken by it. */
TEST(pool, virtual_time_stands_still_while_a_job_runs) {
    gy_loop *loop = pool_loop("sim");
    gate g;
    pthread_t opener;
    gate_init(&g);
    job j = {.gate = &g}, after = {.done = 0};
    gy_timer hour = {0};
    gy_ns begin = gy_loop_now(loop);
    gy_timer_start(loop, &hour, (gy_timer_opts){.fn = gy_timer_stop, .after = GY_S(3600)});
    CHECK_EQ(job_submit(loop, NULL, &j, GY_LANE_IO), 0);
    CHECK_EQ(pthread_create(&opener, NULL, opener_main, &g), 0);
    pool_until(loop, &j.done);
    CHECK_EQ(j.now, begin);
    CHECK(gy_timer_active(&hour));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_now(loop) - begin, GY_S(3600));
    CHECK_EQ(job_submit(loop, NULL, &after, GY_LANE_IO), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    pthread_join(opener, NULL);
    CHECK_EQ(gy_loop_free(loop), 0);
}
