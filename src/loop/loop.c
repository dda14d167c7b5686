/* SPDX-License-Identifier: ISC */
/* The reactor: making a loop, and the turn.
 *
 * A turn collects what has happened (ready descriptors, due timers, messages from other threads) onto the callback queue
 * and runs the queue. loop_run_queue() is the only place that calls user code. Everything else in the library prepares
 * entries for it.
 *
 * The clock is read once after each wait, and once more before a wait that may block: a time limit is a distance, and
 * must be measured from where the wait begins. */
#include "loop/loop.h"

#include "sys/clock.h"
#include "sys/report.h"

enum { LOOP_JOB_BUDGET = 10000, LOOP_BATCH = 256, LOOP_BATCH_MOST = 4096 };

gy_ns gyi_loop_clock(const gy_loop *loop) {
    gy_ns (*now)(const gyi_poller *) = loop->poller.ops->now;
    return GYI_UNLIKELY(now != NULL) ? now(&loop->poller) : gyi_clock_mono();
}

/* ---- the turn ---------------------------------------------------------------------------------------------------- */

/* Runs the queue up to its end or to the halt mark. */
static void loop_run_queue(gy_loop *l) {
    gyi_entry *const events = &l->queue.events;
    for (gyi_entry *e = events->next; e->run; e = events->next) {
        gyi_list_remove(e);
        e->run(e);
    }
}

/* How long to wait for, seen from `now`: GY_FOREVER without limit. */
static gy_ns loop_wait_time(gy_loop *l, gy_ns now) {
    if (gyi_queue_pending(&l->queue) || l->always) return 0;
    if (!gyi_list_empty(&l->hooks[GY_HOOK_IDLE])) return 0;
    gy_ns next = gyi_wheel_next(&l->wheel);
    return next == GY_FOREVER ? GY_FOREVER : next > now ? next - now : 0;
}

/* Waits for events, for as long as it takes, and accounts for the time. */
static int loop_wait(gy_loop *l, gy_ns now) {
    gy_ns timeout = loop_wait_time(l, now);
    if (l->stats.mark) {
        l->stats.busy += now - l->stats.mark;
        gyi_stats_add(&l->stats.lag, now - l->stats.mark);
    }
    atomic_store(&l->asleep, 1);
    if (!gyi_inbox_empty(&l->inbox) || atomic_load_explicit(&l->signals.raised, memory_order_relaxed)) timeout = 0;
    l->poller.outside = l->working;
    int n = l->poller.ops->wait(&l->poller, l->ready, l->batch, timeout);
    atomic_store_explicit(&l->asleep, 0, memory_order_relaxed);
    l->now = gyi_loop_clock(l);
    l->stats.waiting += l->now - now;
    l->stats.mark = l->now;
    return n;
}

/* Looks for events without waiting. */
static int loop_peek(gy_loop *l) {
    int n = l->poller.ops->wait(&l->poller, l->ready, l->batch, 0);
    l->now = gyi_loop_clock(l);
    if (l->stats.mark) {
        l->stats.busy += l->now - l->stats.mark;
        gyi_stats_add(&l->stats.lag, l->now - l->stats.mark);
    }
    l->stats.mark = l->now;
    return n;
}

/* Asks the kernel and queues all that has happened. */
static int loop_poll(gy_loop *l, gy_step how) {
    if (GYI_UNLIKELY(l->slots.changed != GYI_SLOT_END) || GYI_UNLIKELY(l->rebuild)) {
        int err = gyi_io_apply(l);
        if (err) return err;
    }
    int n = how == GY_STEP_WAIT && loop_wait_time(l, l->now) > 0 ? loop_wait(l, gyi_loop_clock(l)) : loop_peek(l);
    unsigned queued = n > 0 ? (unsigned)n : 0;
    if (GYI_LIKELY(n > 0) || l->always) gyi_io_collect(l, n);
    queued += gyi_timer_collect(l);
    if (!gyi_inbox_empty(&l->inbox)) queued += gyi_async_collect(l);
    if (queued > l->stats.queued_max) l->stats.queued_max = queued;
    if (GYI_UNLIKELY(atomic_load_explicit(&l->signals.raised, memory_order_relaxed))) gyi_signal_collect(l);
    return n < 0 ? n : 0;
}

/* @return 0 or the error of the wait, after which the turn has still run what there was to run. */
static int loop_turn(gy_loop *l, gy_step how) {
    gyi_queue *q = &l->queue;
    l->stats.turns++;
    if (!gyi_list_empty(&l->hooks[GY_HOOK_BEFORE_POLL])) gyi_hook_queue(l, GY_HOOK_BEFORE_POLL);
    loop_run_queue(l);
    if (q->why == GYI_HALT_STOP) return 0;
    int err = loop_poll(l, how);
    if (!gyi_list_empty(&l->hooks[GY_HOOK_IDLE]) && gyi_list_empty(&q->events)) gyi_hook_queue(l, GY_HOOK_IDLE);
    if (!gyi_list_empty(&l->hooks[GY_HOOK_AFTER_POLL])) gyi_hook_queue(l, GY_HOOK_AFTER_POLL);
    if (q->why) gyi_queue_resume(q);
    loop_run_queue(l);
    if (q->why) return err;
    gyi_queue_move(q, &q->immediates);
    loop_run_queue(l);
    if (q->why) return err;
    gyi_queue_move(q, &q->closing);
    loop_run_queue(l);
    return err;
}

bool gy_loop_alive(const gy_loop *l) { return l->active || l->working || gyi_queue_pending(&l->queue); }

/* Runs turns while `how` says so and there is a reason. @return as gy_loop_run(). */
static int loop_run(gy_loop *l, gy_step how, bool once) {
    if (l->running) return -EBUSY;
    int err = 0;
    l->running = true;
    l->stats.mark = 0;
    if (l->queue.why != GYI_HALT_STOP)
        do err = loop_turn(l, how);
        while (!once && !err && l->queue.why != GYI_HALT_STOP && gy_loop_alive(l));
    l->running = false;
    if (l->queue.why != GYI_HALT_STOP) return err;
    gyi_queue_resume(&l->queue);
    return err ? err : 1;
}

int gy_loop_run(gy_loop *loop) {
    if (gyi_inbox_empty(&loop->inbox) && !gy_loop_alive(loop) && loop->queue.why == GYI_HALT_NONE) return 0;
    return loop_run(loop, GY_STEP_WAIT, false);
}

int gy_loop_step(gy_loop *loop, gy_step how) {
    /* With nothing left there is nothing to wait for, and a wait would not end. */
    if (how == GY_STEP_WAIT && !gy_loop_alive(loop)) how = GY_STEP_POLL;
    int err = loop_run(loop, how, true);
    return err < 0 ? err : gy_loop_alive(loop);
}

void gy_loop_stop(gy_loop *loop) { gyi_queue_halt(&loop->queue, GYI_HALT_STOP); }

/* ---- time and embedding ------------------------------------------------------------------------------------------ */

gy_ns gy_loop_now(const gy_loop *loop) { return loop->now; }

gy_ns gy_loop_update_now(gy_loop *loop) { return loop->now = gyi_loop_clock(loop); }

const char *gy_loop_backend(const gy_loop *loop) { return loop->poller.ops->name; }

int gy_loop_fd(const gy_loop *loop) { return loop->poller.caps & GYI_CAP_FD ? loop->poller.fd : -ENOTSUP; }

gy_ns gy_loop_timeout(gy_loop *loop) {
    if (gyi_io_apply(loop)) return 0;
    /* From here on somebody else waits in the loop's name: whoever posts must make the descriptor readable. */
    atomic_store(&loop->asleep, 1);
    if (!gyi_inbox_empty(&loop->inbox)) return 0;
    gy_ns timeout = loop_wait_time(loop, gyi_loop_clock(loop));
    return timeout == GY_FOREVER ? -1 : timeout;
}

/* ---- making and freeing ------------------------------------------------------------------------------------------ */

static int loop_check(gy_loop_opts *opts, gy_alloc *alloc, const gyi_backend **ops) {
    if (!gyi_alloc_init(alloc, opts->alloc)) return -EINVAL;
    if (opts->batch > LOOP_BATCH_MOST) return -EINVAL;
    if (!opts->batch) opts->batch = LOOP_BATCH;
    if (!opts->job_budget) opts->job_budget = LOOP_JOB_BUDGET;
    *ops = gyi_backend_find(opts->backend);
    return *ops ? 0 : -ENOTSUP;
}

int gy_loop_new(gy_loop **out, gy_loop_opts opts) {
    gy_alloc alloc;
    const gyi_backend *ops;
    *out = NULL;
    int err = loop_check(&opts, &alloc, &ops);
    if (err) return err;
    gy_loop *l = gyi_alloc_zero(&alloc, sizeof *l + opts.batch * sizeof(gyi_ready));
    if (!l) return -ENOMEM;
    l->alloc = alloc;
    l->batch = (int)opts.batch;
    l->ready = (gyi_ready *)(void *)(l + 1);
    l->unhandled = opts.unhandled;
    l->poller = (gyi_poller){.ops = ops, .sys = &l->sys, .alloc = &l->alloc, .fd = -1, .seed = opts.seed};
    err = ops->open(&l->poller);
    if (err) {
        gyi_free(&alloc, l);
        return err;
    }
    l->now = gyi_loop_clock(l);
    gyi_queue_init(&l->queue, opts.job_budget);
    gyi_wheel_init(&l->wheel, l->now);
    gyi_hook_init(l);
    gyi_alarm_init(l);
    gyi_signal_init(l);
    gyi_list_init(&l->paused);
    gyi_list_init(&l->submitted);
    err = gyi_io_init(l);
    if (!err) err = gyi_async_init(l);
    if (err) gy_loop_free(l);
    else *out = l;
    return err;
}

int gy_loop_free(gy_loop *l) {
    if (!l) return 0;
    if (l->running || l->open || l->working) return -EBUSY;
    if (l->pool) l->pool_free(l->pool);
    gyi_signal_free(l);
    gyi_alarm_free(l);
    gyi_async_free(l);
    gyi_io_free(l);
    l->poller.ops->close(&l->poller);
    gy_alloc alloc = l->alloc;
    gyi_free(&alloc, l);
    return 0;
}

int gy_loop_reopen(gy_loop *l) {
    gyi_io_forget(l);
    int err = l->poller.ops->reopen(&l->poller);
    if (!err) err = gyi_async_reopen(l);
    if (!err) err = gyi_io_apply(l);
    return err;
}

void gyi_loop_unhandled(gy_loop *loop, gy_emitter *emitter, const char *name, const void *payload) {
    if (loop->unhandled) loop->unhandled(loop, emitter, name, payload);
    else gyi_report("gyre: an \"error\" event had no listener");
}
