/* SPDX-License-Identifier: ISC */
/* One lane: threads that take jobs from a queue.
 *
 * Waking a thread costs more than a small job takes, so no more are called than are needed: handing over a batch calls
 * one, and a thread that takes a job calls the next one if there is more to do and nobody is on the way already. Small
 * jobs are then done by few threads in a row, and long ones soon have all threads at work.
 *
 * A thread that has been idle for long ends. It joins the one that ended before it, and is joined by the next one or by
 * gyi_lane_close(), so no thread is ever left behind. */
#include "pool/pool.h"

static void lane_call(gyi_lane *lane) {
    if (lane->signals >= lane->idle) return;
    lane->signals++;
    gyi_cond_signal(&lane->work);
}

/* Waits for work, with the lock held. Whether the thread is to stay. */
static bool lane_wait(gyi_lane *lane) {
    lane->idle++;
    int err = gyi_cond_wait(&lane->work, &lane->lock, lane->pool->idle);
    lane->idle--;
    if (lane->signals) lane->signals--;
    return !gyi_list_empty(&lane->queue) || (!lane->closing && err != -ETIMEDOUT);
}

/* Takes and does one job, with the lock held before and after, not between. */
static void lane_do(gyi_lane *lane) {
    gy_work *work = GY_OF(gyi_list_take(&lane->queue), gy_work, priv.entry);
    lane->queued--;
    lane->running++;
    work->priv.state = GYI_WORK_TAKEN;
    if (lane->queued && !lane->signals) lane_call(lane);
    gyi_mutex_unlock(&lane->lock);
    work->priv.run(work);
    gyi_work_report(work, 0);
    gyi_mutex_lock(&lane->lock);
    lane->running--;
    lane->done++;
}

static void *lane_thread(void *arg) {
    gyi_lane *lane = arg;
    gyi_mutex_lock(&lane->lock);
    while (!gyi_list_empty(&lane->queue) || (!lane->closing && lane_wait(lane)))
        if (!gyi_list_empty(&lane->queue)) lane_do(lane);
    bool join = lane->left;
    gyi_thread before = lane->leaver;
    lane->left = true;
    lane->leaver = gyi_thread_self();
    if (--lane->threads == 0) gyi_cond_broadcast(&lane->ended);
    gyi_mutex_unlock(&lane->lock);
    if (join) gyi_thread_join(before);
    return NULL;
}

/* Starts threads for what is queued, with the lock held. @return 0, or the error when there is none at all. */
static int lane_grow(gyi_lane *lane) {
    while (lane->threads < lane->most && lane->queued > lane->threads - lane->running) {
        gyi_thread thread;
        int err = gyi_thread_start(&lane->sys, &thread, lane->pool->stack, lane_thread, lane);
        if (err) return lane->threads ? 0 : err;
        lane->threads++;
    }
    return 0;
}

static void lane_enqueue(gyi_lane *lane, gyi_entry *list) {
    while (!gyi_list_empty(list)) {
        gy_work *work = GY_OF(list->next, gy_work, priv.entry);
        if (&work->priv.pool->lane[work->priv.lane] != lane) return;
        gyi_list_append(&lane->queue, gyi_list_take(list));
        work->priv.state = GYI_WORK_QUEUED;
        work->priv.away = GYI_WORK_AWAY;
        lane->queued++;
        atomic_fetch_sub_explicit(&lane->pool->refs, 1, memory_order_relaxed); /* the caller holds one more */
    }
}

/* Takes everything off the queue and tells the loops why. With the lock held. */
static void lane_refuse(gyi_lane *lane, int err) {
    while (!gyi_list_empty(&lane->queue)) {
        gy_work *work = GY_OF(gyi_list_take(&lane->queue), gy_work, priv.entry);
        lane->queued--;
        lane->cancelled++;
        work->priv.state = GYI_WORK_TAKEN;
        gyi_work_report(work, err);
    }
}

void gyi_lane_hand_over(gyi_lane *lane, gyi_entry *list) {
    gyi_mutex_lock(&lane->lock);
    lane_enqueue(lane, list);
    int err = lane->closing ? GY_ECANCELED : lane_grow(lane);
    if (err) lane_refuse(lane, err);
    else if (!lane->signals) lane_call(lane);
    gyi_mutex_unlock(&lane->lock);
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

int gyi_lane_init(gyi_lane *lane, gy_pool *pool, unsigned most) {
    lane->pool = pool;
    lane->most = most;
    gyi_list_init(&lane->queue);
    int err = gyi_mutex_init(&lane->lock);
    if (err) return err;
    err = gyi_cond_init(&lane->work);
    if (!err) {
        err = gyi_cond_init(&lane->ended);
        if (!err) return 0;
        gyi_cond_free(&lane->work);
    }
    gyi_mutex_free(&lane->lock);
    return err;
}

void gyi_lane_close(gyi_lane *lane) {
    gyi_mutex_lock(&lane->lock);
    lane->closing = true;
    lane_refuse(lane, GY_ECANCELED);
    gyi_cond_broadcast(&lane->work);
    while (lane->threads) gyi_cond_wait(&lane->ended, &lane->lock, GY_FOREVER);
    bool join = lane->left;
    lane->left = false;
    gyi_mutex_unlock(&lane->lock);
    if (join) gyi_thread_join(lane->leaver);
}

void gyi_lane_free(gyi_lane *lane) {
    gyi_cond_free(&lane->ended);
    gyi_cond_free(&lane->work);
    gyi_mutex_free(&lane->lock);
}
