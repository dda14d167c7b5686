/* SPDX-License-Identifier: ISC */
/* The pool as loops see it: submitting, cancelling, and the way back.
 *
 * Jobs that a callback submits are collected on the loop, and one entry of the callback queue hands them over when the
 * callback has returned: one lock and one wake-up for all of them. The results come back through the loop's inbox,
 * where likewise one wake-up serves all that arrive before the loop has looked. */
#include "pool/pool.h"

#include "sys/cores.h"

enum { POOL_MOST = 1024 };

/* ---- the pool object --------------------------------------------------------------------------------------------- */

void gyi_pool_unref(gy_pool *pool) {
    if (atomic_fetch_sub(&pool->refs, 1) != 1) return;
    for (int i = 0; i < GY_LANE_COUNT; i++) gyi_lane_free(&pool->lane[i]);
    gy_alloc alloc = pool->alloc;
    gyi_free(&alloc, pool);
}

static unsigned pool_most(gy_lane lane, unsigned asked) {
    return asked ? asked : lane == GY_LANE_CPU ? gyi_cores_count() : 4;
}

int gy_pool_new(gy_pool **out, gy_pool_opts opts) {
    gy_alloc alloc;
    *out = NULL;
    if (!gyi_alloc_init(&alloc, opts.alloc) || opts.idle < 0) return -EINVAL;
    for (int i = 0; i < GY_LANE_COUNT; i++)
        if (opts.threads[i] > POOL_MOST) return -EINVAL;
    gy_pool *pool = gyi_alloc_zero(&alloc, sizeof *pool);
    if (!pool) return -ENOMEM;
    pool->alloc = alloc;
    pool->idle = opts.idle ? opts.idle : GY_S(10);
    pool->stack = opts.stack;
    unsigned cores = gyi_cores_count();
    atomic_init(&pool->refs, 1);
    for (int i = 0; i < GY_LANE_COUNT; i++) {
        int err = gyi_lane_init(&pool->lane[i], pool, pool_most((gy_lane)i, opts.threads[i]));
        pool->lane[i].few = cores > 1 ? cores - 1 : 1; /* one is the loop's */
        if (!err) continue;
        while (i-- > 0) gyi_lane_free(&pool->lane[i]);
        gyi_free(&alloc, pool);
        return err;
    }
    *out = pool;
    return 0;
}

void gy_pool_free(gy_pool *pool) {
    if (!pool) return;
    for (int i = 0; i < GY_LANE_COUNT; i++) gyi_lane_close(&pool->lane[i]);
    gyi_pool_unref(pool);
}

void gy_pool_stats_get(gy_pool *pool, gy_pool_stats *out) {
    *out = (gy_pool_stats){0};
    for (int i = 0; i < GY_LANE_COUNT; i++) {
        gyi_lane *lane = &pool->lane[i];
        gyi_mutex_lock(&lane->lock);
        out->threads += lane->threads;
        out->idle += lane->resting;
        out->lane[i].queued = lane->queued;
        out->lane[i].running = lane->running;
        out->lane[i].done = lane->done;
        out->lane[i].cancelled = lane->cancelled;
        gyi_mutex_unlock(&lane->lock);
    }
}

int gy_loop_pool(gy_loop *loop, gy_pool **out) {
    int err = 0;
    if (!loop->pool) err = gy_pool_new(&loop->pool, (gy_pool_opts){.alloc = loop->alloc});
    if (!err) loop->pool_free = gy_pool_free;
    *out = loop->pool;
    return err;
}

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

/* A loop that minds a lane ends that before the last of its jobs there lets go of the pool. Should jobs of an earlier
 * time be taken for some of these, after 255 more, it ends too early, which does no harm. */
static inline void work_unmind(gy_work *work) {
    gy_loop *loop = work->loop;
    if (!loop->spin.minded || work->priv.minded != loop->spin.time) return;
    work->priv.minded = 0;
    if (--loop->spin.jobs == 0) loop->spin.leave(loop);
}

static void work_finish(gyi_entry *entry) {
    gy_work *work = GY_OF(entry, gy_work, priv.entry);
    work_unmind(work);
    work->loop->working--;
    work->priv.away = GYI_WORK_HOME;
    gyi_pool_unref(work->priv.pool);
    if (work->priv.done) work->priv.done(work, work->priv.err);
}

void gyi_work_report(gy_work *work, int err) {
    work->priv.err = err;
    work->priv.entry.run = work_finish;
    /* Once it is pushed, the loop may run `done`, and be freed there and then. */
    gy_loop *loop = work->loop;
    atomic_fetch_add_explicit(&loop->reporting, 1, memory_order_relaxed);
    gyi_async_push(loop, &work->priv.entry);
    atomic_fetch_sub_explicit(&loop->reporting, 1, memory_order_release);
}

/* In the child after a fork: the threads are not there, so the loop's own pool is left behind, and of the jobs only
 * those can come home that are on their way or have not left. */
static void pool_forked(gy_loop *loop) {
    loop->pool = NULL;
    atomic_store(&loop->reporting, 0);
    gyi_async_collect(loop);
    while (!gyi_list_empty(&loop->submitted)) {
        gy_work *work = GY_OF(gyi_list_take(&loop->submitted), gy_work, priv.entry);
        work->priv.away = GYI_WORK_AWAY;
        work->priv.state = GYI_WORK_TAKEN;
        work->priv.err = GY_ECANCELED;
        work->priv.entry.run = work_finish;
        gyi_queue_push(loop, &work->priv.entry);
    }
    loop->working = 0;
    loop->spin.minded = NULL;
    for (const gyi_entry *e = loop->queue.events.next; e != &loop->queue.events; e = e->next)
        loop->working += e->run == work_finish;
}

/* The entry that hands over what was submitted; one lane after the other. */
static void pool_submit_all(gyi_entry *entry) {
    gy_loop *loop = GY_OF(entry, gy_loop, submit);
    while (!gyi_list_empty(&loop->submitted)) {
        const gy_work *first = GY_OF(loop->submitted.next, gy_work, priv.entry);
        gyi_lane *lane = &first->priv.pool->lane[first->priv.lane];
        gyi_lane_hand_over(lane, &loop->submitted, gyi_pool_mind(loop, lane));
    }
}

int gy_pool_submit(gy_loop *loop, gy_work *work, gy_work_opts opts) {
    if (!opts.run || (unsigned)opts.lane >= GY_LANE_COUNT) return -EINVAL;
    if (work->priv.away != GYI_WORK_HOME) return -EALREADY;
    if (!opts.pool) {
        int err = gy_loop_pool(loop, &opts.pool);
        if (err) return err;
    }
    work->loop = loop;
    work->priv.run = opts.run;
    work->priv.done = opts.done;
    work->priv.pool = opts.pool;
    work->priv.lane = (uint8_t)opts.lane;
    work->priv.away = GYI_WORK_SUBMITTED;
    work->priv.minded = 0;
    atomic_fetch_add_explicit(&opts.pool->refs, 1, memory_order_relaxed);
    loop->working++;
    loop->spin.wait = gyi_pool_wait;
    loop->pool_forked = pool_forked;
    gyi_list_append(&loop->submitted, &work->priv.entry);
    if (!gyi_entry_listed(&loop->submit)) {
        loop->submit.run = pool_submit_all;
        gyi_queue_push_front(loop, &loop->submit);
    }
    return 0;
}

int gy_pool_cancel(gy_work *work) {
    if (work->priv.away == GYI_WORK_HOME) return -EALREADY;
    if (work->priv.away == GYI_WORK_SUBMITTED) {
        work->priv.away = GYI_WORK_AWAY;
        work->priv.state = GYI_WORK_TAKEN;
        gyi_list_remove(&work->priv.entry);
    } else {
        int err = gyi_lane_cancel(&work->priv.pool->lane[work->priv.lane], work);
        if (err) return err;
    }
    gyi_work_report(work, GY_ECANCELED);
    return 0;
}

int gyi_pool_abandon(gy_work *work, gy_work_done_fn *ended) {
    gy_loop *loop = work->loop;
    if (work->priv.away == GYI_WORK_HOME) return -EALREADY;
    if (work->priv.away == GYI_WORK_SUBMITTED) return -EBUSY;
    work_unmind(work);
    /* Once it is let go of, its memory may be gone. */
    int err = gyi_lane_abandon(&work->priv.pool->lane[work->priv.lane], work, ended);
    if (!err) loop->working--;
    return err;
}
