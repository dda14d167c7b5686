/* SPDX-License-Identifier: ISC */
/* One lane: threads that take jobs from a queue.
 *
 * Waking a thread costs more than a small job takes, so no more are called than are needed: handing over a batch calls
 * one, and a thread that takes a job calls the next one if there is more to do and nobody is on the way already. Small
 * jobs are then done by few threads in a row, and long ones soon have all threads at work. The one that is called is
 * the one that was busy last, through a condition of its own: one condition for all would wake the one that slept
 * longest, whose stack has left the caches.
 *
 * A thread that has been idle for long ends. Its place is kept, and joined before it is used again or the lane ends. */
#include "pool/pool.h"

#include "sys/clock.h"

/* ---- short jobs -------------------------------------------------------------------------------------------------- */

/* Jobs that are over before another thread could be woken for them do not wait for anything, so a worker for whom no
 * processor is free can only get in the way of the others and of the loop. While the lane is sure that its jobs are
 * short, few workers will do: those who find that enough are at work go and rest, and nobody is called. A job that is
 * not short after all would hold up those behind it. So this holds only while a loop minds the lane: it is awake, and
 * has more workers called when these do not get on. */
#define LANE_SHORT GY_US(5)
#define LANE_PATIENCE GY_US(50) /* how long nothing may be done */
enum { LANE_SPAN = 16, LANE_SURE = 4, LANE_SUREST = 6 };

/* Times a few jobs together, since to read the clock takes as long as a small one, without the lock. @return how long
 * the last LANE_SPAN took, or 0 when those are not done yet. */
static gy_ns lane_time(gyi_worker *worker) {
    if (++worker->jobs < LANE_SPAN) return 0;
    gy_ns now = gyi_clock_mono(), took = now - worker->since;
    worker->since = now;
    worker->jobs = 0;
    return took;
}

/* A thread that loses its processor takes long for short jobs, so the lane may become more than sure. */
static void lane_learn(gyi_lane *lane, gy_ns took) {
    if (!took) return;
    if (took < LANE_SPAN * LANE_SHORT) {
        if (lane->sure < LANE_SUREST) lane->sure++;
    } else if (lane->sure) {
        lane->sure--;
    }
}

/* Whether so many workers will do for all that is queued. */
static bool lane_content(const gyi_lane *lane, unsigned workers) {
    return lane->minder && lane->sure >= LANE_SURE && workers >= lane->few + lane->lost;
}

/* ---- calling threads, with the lock held ------------------------------------------------------------------------- */

/* Takes the worker that is to come, for lane_wake() once the lock is free; NULL when none is needed or idle. */
static gyi_worker *lane_call(gyi_lane *lane) {
    gyi_worker *worker = lane->idle;
    if (!worker || !lane->queued || lane->coming || lane_content(lane, lane->running)) return NULL;
    lane->idle = worker->next;
    lane->resting--;
    lane->coming++;
    worker->called = true;
    return worker;
}

/* Without the lock: who is woken wants it at once. The worker's place outlives its thread, so it is there. */
static void lane_wake(gyi_worker *worker) {
    if (worker) gyi_cond_signal(&worker->call);
}

/* Whoever was not called in time leaves the list by himself. */
static void lane_unlist(gyi_lane *lane, gyi_worker *worker) {
    gyi_worker **at = &lane->idle;
    while (*at != worker) at = &(*at)->next;
    *at = worker->next;
    lane->resting--;
}

/* Waits to be called. Whether the worker is to stay. */
static bool lane_rest(gyi_lane *lane, gyi_worker *worker) {
    int err = 0;
    worker->called = false;
    worker->next = lane->idle;
    lane->idle = worker;
    lane->resting++;
    while (!worker->called && !lane->closing && !err) err = gyi_cond_wait(&worker->call, &lane->lock, lane->pool->idle);
    if (worker->called) {
        lane->coming--;
        return true;
    }
    lane_unlist(lane, worker);
    return false;
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

/* Takes the first job, if there is one and others do not suffice, with the lock held. */
static gy_work *lane_take(gyi_lane *lane) {
    if (!lane->queued || lane_content(lane, lane->running)) return NULL;
    gy_work *work = GY_OF(gyi_list_take(&lane->queue), gy_work, priv.entry);
    work->priv.state = GYI_WORK_RUNNING;
    lane->queued--;
    lane->running++;
    return work;
}

/* A job that was let go of has ended: it has the last word, without the lock. Whether the lane has ended by then is
 * looked at before: from here on either the lane waits for this thread, or this thread holds the pool. */
static void lane_found(gyi_lane *lane, gyi_worker *worker, gy_work *work) {
    worker->late = lane->closed;
    lane->lost--;
    gyi_mutex_unlock(&lane->lock);
    work->priv.done(work, GY_ECANCELED);
    if (!worker->late) gyi_pool_unref(lane->pool);
    gyi_mutex_lock(&lane->lock);
}

/* A job was done, with the lock held. @return it, to be reported, or NULL when nobody wants it any more. */
static gy_work *lane_did(gyi_lane *lane, gyi_worker *worker, gy_work *work) {
    bool lost = work->priv.state == GYI_WORK_LOST;
    lane->running--;
    lane->done++;
    work->priv.state = GYI_WORK_TAKEN;
    if (!lost) return work;
    lane_found(lane, worker, work);
    return NULL;
}

/* Does jobs until there are none, with the lock held before and after, not between. A job is reported after the thread
 * counts as free again, and has taken the next one: the answer to a report is often the next job, and it must not find
 * everybody busy and call or start another thread for it. */
static void lane_work(gyi_lane *lane, gyi_worker *worker) {
    gy_work *work = lane_take(lane), *done = NULL;
    worker->since = gyi_clock_mono();
    worker->jobs = 0;
    while (work || done) {
        gyi_worker *next = lane_call(lane);
        gyi_mutex_unlock(&lane->lock);
        lane_wake(next);
        if (done) gyi_work_report(done, 0);
        if (work) work->priv.run(work);
        gy_ns took = lane_time(worker);
        gyi_mutex_lock(&lane->lock);
        lane_learn(lane, took);
        done = work ? lane_did(lane, worker, work) : NULL;
        work = lane_take(lane);
    }
}

static void *lane_thread(void *arg) {
    gyi_worker *worker = arg;
    gyi_lane *lane = worker->lane;
    gyi_mutex_lock(&lane->lock);
    lane->coming--;
    do lane_work(lane, worker);
    while (!lane->closing && lane_rest(lane, worker));
    gy_pool *held = worker->late ? lane->pool : NULL;
    worker->ended = !held;
    worker->next = lane->spare;
    lane->spare = worker;
    if (--lane->threads == lane->lost) gyi_cond_signal(&lane->ended);
    gyi_mutex_unlock(&lane->lock);
    if (!held) return NULL;
    gyi_thread_detach();
    gyi_pool_unref(held);
    return NULL;
}

/* A place for a thread: an old one, whose thread is joined, or a new one. */
static gyi_worker *lane_place(gyi_lane *lane) {
    gyi_worker *worker = lane->spare;
    if (worker) {
        lane->spare = worker->next;
        if (worker->ended) gyi_thread_join(worker->thread);
        worker->ended = false;
        return worker;
    }
    worker = gyi_alloc_zero(&lane->pool->alloc, sizeof *worker);
    if (!worker) return NULL;
    worker->lane = lane;
    if (!gyi_cond_init(&worker->call)) return worker;
    gyi_free(&lane->pool->alloc, worker);
    return NULL;
}

static int lane_start(gyi_lane *lane) {
    gyi_worker *worker = lane_place(lane);
    if (!worker) return -ENOMEM;
    int err = gyi_thread_start(&lane->sys, &worker->thread, lane->pool->stack, lane_thread, worker);
    if (err) {
        worker->next = lane->spare;
        lane->spare = worker;
        return err;
    }
    lane->threads++;
    lane->coming++;
    return 0;
}

static bool lane_short_of_threads(const gyi_lane *lane) {
    if (lane->threads >= lane->most || lane_content(lane, lane->running + lane->coming)) return false;
    return lane->queued > lane->threads - lane->running;
}

/* Starts threads for what is queued beyond what those that are free can take. @return 0, or the error when there is no
 * thread at all. */
static int lane_grow(gyi_lane *lane) {
    int err = 0;
    while (!err && lane_short_of_threads(lane)) err = lane_start(lane);
    return lane->threads ? 0 : err;
}

/* ---- for the loops ----------------------------------------------------------------------------------------------- */

static void lane_enqueue(gyi_lane *lane, gyi_entry *list, gy_loop *minder) {
    while (!gyi_list_empty(list)) {
        gy_work *work = GY_OF(list->next, gy_work, priv.entry);
        if (&work->priv.pool->lane[work->priv.lane] != lane) return;
        gyi_list_append(&lane->queue, gyi_list_take(list));
        work->priv.state = GYI_WORK_QUEUED;
        work->priv.away = GYI_WORK_AWAY;
        work->priv.minded = minder ? minder->spin.time : 0;
        if (minder) minder->spin.jobs++;
        lane->queued++;
    }
}

/* Takes everything off the queue and tells the loops why. */
static void lane_refuse(gyi_lane *lane, int err) {
    while (!gyi_list_empty(&lane->queue)) {
        gy_work *work = GY_OF(gyi_list_take(&lane->queue), gy_work, priv.entry);
        lane->queued--;
        lane->cancelled++;
        work->priv.state = GYI_WORK_TAKEN;
        gyi_work_report(work, err);
    }
}

/* A loop takes over from another one in the middle of a time of patience, so that several which hand over in turn do
 * not begin it anew for ever. */
static void lane_mind(gyi_lane *lane, const gy_loop *loop) {
    if (!lane->minder) {
        lane->seen = lane->done;
        lane->looked = loop->now;
    }
    lane->minder = loop;
}

/* From now on each worker calls the next. @return whom to wake */
static gyi_worker *lane_mind_no_more(gyi_lane *lane) {
    lane->minder = NULL;
    if (lane->queued) lane->sure = 0; /* they may be waiting behind a job that is not short */
    lane_grow(lane);
    return lane_call(lane);
}

void gyi_lane_hand_over(gyi_lane *lane, gyi_entry *list, gy_loop *minder) {
    gyi_mutex_lock(&lane->lock);
    if (minder) lane_mind(lane, minder);
    lane_enqueue(lane, list, minder);
    int err = lane->closing ? GY_ECANCELED : lane_grow(lane);
    if (err) lane_refuse(lane, err);
    gyi_worker *next = lane_call(lane);
    gyi_mutex_unlock(&lane->lock);
    lane_wake(next);
}

bool gyi_lane_look(gyi_lane *lane, const gy_loop *who, gy_ns now) {
    gyi_worker *next = NULL;
    gyi_mutex_lock(&lane->lock);
    if (lane->minder && now - lane->looked >= LANE_PATIENCE) {
        if (lane->done == lane->seen) next = lane_mind_no_more(lane);
        lane->seen = lane->done;
        lane->looked = now;
    }
    bool minds = lane->minder == who;
    gyi_mutex_unlock(&lane->lock);
    lane_wake(next);
    return minds;
}

void gyi_lane_leave(gyi_lane *lane, const gy_loop *who) {
    gyi_worker *next = NULL;
    gyi_mutex_lock(&lane->lock);
    if (lane->minder == who) next = lane_mind_no_more(lane);
    gyi_mutex_unlock(&lane->lock);
    lane_wake(next);
}

int gyi_lane_cancel(gyi_lane *lane, gy_work *work) {
    gyi_mutex_lock(&lane->lock);
    int err = work->priv.state == GYI_WORK_QUEUED ? 0 : -EBUSY;
    if (!err) {
        gyi_list_remove(&work->priv.entry);
        work->priv.state = GYI_WORK_TAKEN;
        lane->queued--;
        lane->cancelled++;
    }
    gyi_mutex_unlock(&lane->lock);
    return err;
}

int gyi_lane_abandon(gyi_lane *lane, gy_work *work, gy_work_done_fn *ended) {
    gyi_mutex_lock(&lane->lock);
    int err = work->priv.state == GYI_WORK_RUNNING ? 0 : -EBUSY;
    if (!err) {
        work->priv.state = GYI_WORK_LOST;
        work->priv.done = ended; /* and not `run`, which the thread may be about to read */
        lane->lost++;
        if (lane->threads == lane->lost) gyi_cond_signal(&lane->ended); /* somebody may be ending the pool */
    }
    gyi_mutex_unlock(&lane->lock);
    return err;
}

int gyi_lane_init(gyi_lane *lane, gy_pool *pool, unsigned most) {
    lane->pool = pool;
    lane->most = most;
    gyi_list_init(&lane->queue);
    int err = gyi_mutex_init(&lane->lock);
    if (err) return err;
    err = gyi_cond_init(&lane->ended);
    if (err) gyi_mutex_free(&lane->lock);
    return err;
}

void gyi_lane_close(gyi_lane *lane) {
    gyi_mutex_lock(&lane->lock);
    lane->closing = true;
    lane_refuse(lane, GY_ECANCELED);
    for (gyi_worker *worker = lane->idle; worker; worker = worker->next) gyi_cond_signal(&worker->call);
    while (lane->threads > lane->lost) gyi_cond_wait(&lane->ended, &lane->lock, GY_FOREVER);
    lane->closed = true;
    gyi_worker *ended = lane->spare; /* those that come late put themselves before it */
    gyi_mutex_unlock(&lane->lock);
    for (gyi_worker *worker = ended; worker; worker = worker->next) {
        if (worker->ended) gyi_thread_join(worker->thread);
        worker->ended = false;
    }
}

void gyi_lane_free(gyi_lane *lane) {
    for (gyi_worker *worker = lane->spare, *next; worker; worker = next) {
        next = worker->next;
        gyi_cond_free(&worker->call);
        gyi_free(&lane->pool->alloc, worker);
    }
    gyi_cond_free(&lane->ended);
    gyi_mutex_free(&lane->lock);
}
