/* SPDX-License-Identifier: ISC */
/* The reactor: making a loop, and the turn.
 *
 * A turn collects what has happened (ready descriptors, due timers, messages from other threads) onto the callback
 * queue and runs the queue. loop_run_queue() is the only place that calls user code. Everything else in the library
 * prepares entries for it.
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
static inline void loop_run_queue(gy_loop *l) {
    gyi_entry *const events = &l->queue.events;
    for (gyi_entry *e = events->next; e->run; e = events->next) {
        gyi_list_take(events);
        e->run(e);
    }
}

static inline void loop_account(gy_loop *l, gy_ns now) {
    if (l->stats.mark) {
        l->stats.busy += now - l->stats.mark;
        gyi_stats_add(&l->stats.lag, now - l->stats.mark);
    }
    l->stats.mark = now;
}

static inline int loop_sleep(gy_loop *l, gy_ns now, gy_ns deadline) {
    gy_ns timeout = deadline == GY_FOREVER ? GY_FOREVER : deadline > now ? deadline - now : 0;
    atomic_store(&l->asleep, 1);
    if (!gyi_inbox_empty(&l->inbox)) timeout = 0;
    l->poller.outside = l->working + l->outside;
    l->asked = now;
    int n = l->poller.ops->wait(&l->poller, l->ready, l->batch, timeout);
    atomic_store_explicit(&l->asleep, 0, memory_order_relaxed);
    return n;
}

int gyi_loop_sleep(gy_loop *loop, gy_ns now, gy_ns deadline) { return loop_sleep(loop, now, deadline); }

/* Waits for events until `deadline`. */
static inline int loop_wait(gy_loop *l, gy_ns deadline) {
    gy_ns began = gyi_loop_clock(l);
    loop_account(l, began);
    int n = l->working ? l->spin.wait(l, began, deadline) : loop_sleep(l, began, deadline);
    l->now = gyi_loop_clock(l);
    l->stats.waiting += l->now - began;
    l->stats.mark = l->now;
    return n;
}

/* Looks for events without waiting. */
static inline int loop_peek(gy_loop *l) {
    if (GYI_UNLIKELY(l->spin.minded != NULL)) l->spin.look(l, l->now);
    int n = l->poller.ops->wait(&l->poller, l->ready, l->batch, 0);
    l->now = gyi_loop_clock(l);
    loop_account(l, l->now);
    return n;
}

/* Asks the kernel and queues all that has happened. */
static GYI_FUSED int loop_poll(gy_loop *l, gy_step how) {
    if (GYI_UNLIKELY(l->slots.changed != GYI_SLOT_END)) {
        int err = gyi_io_apply(l);
        if (err) return err;
        if (!gyi_list_empty(&l->queue.events)) how = GY_STEP_POLL; /* somebody was refused, or ready at once */
    }
    /* Without anything referenced there is nothing to wait for, and a wait might not end. */
    gy_ns deadline = 0;
    if (how == GY_STEP_WAIT && (l->active || l->working) && !(l->queue.special & GYI_SPECIAL_AWAKE))
        deadline = gyi_wheel_next(&l->wheel);
    int n = deadline > l->now ? loop_wait(l, deadline) : loop_peek(l);
    if (n > 0) gyi_io_collect(l, (unsigned)n);
    if (GYI_UNLIKELY(l->always)) gyi_io_collect_always(l);
    if (l->wheel.soonest <= l->now) gyi_timer_collect(l);
    if (!gyi_inbox_empty(&l->inbox)) gyi_async_collect(l);
    return n < 0 ? n : 0;
}

/* The hooks before the poll, and what was queued between two runs; who steps to see something happen has seen it then,
 * and shall not wait for more. Whether the turn goes on. */
static GYI_RARE bool loop_turn_begin(gy_loop *l, gy_step *how) {
    gyi_queue *q = &l->queue;
    gyi_list_splice(&q->events, &q->later);
    bool only_submits = q->events.next == &l->submit && q->events.prev == &l->submit;
    if (gyi_queue_pending(q) && !only_submits) *how = GY_STEP_POLL;
    gyi_hook_queue(l, GY_HOOK_BEFORE_POLL);
    loop_run_queue(l);
    return l->queue.why != GYI_HALT_STOP;
}

/* The hooks after the poll; and after an empty budget, the jobs go on. */
static GYI_RARE void loop_turn_middle(gy_loop *l) {
    if (gyi_list_empty(&l->queue.events)) gyi_hook_queue(l, GY_HOOK_IDLE);
    gyi_hook_queue(l, GY_HOOK_AFTER_POLL);
    gyi_queue_resume(&l->queue);
}

/* The immediates and the close callbacks that there are when the events have been run. Those that come meanwhile are
 * for the next turn. */
static GYI_RARE void loop_turn_end(gy_loop *l) {
    gyi_queue *q = &l->queue;
    if (q->why == GYI_HALT_STOP) return;
    gyi_list_splice(&q->events, &q->immediates);
    loop_run_queue(l); /* does nothing after an empty budget; they wait behind the events then */
    if (q->why == GYI_HALT_STOP) return;
    /* What a stream has left for later comes before its close callback, after which it may be gone. */
    if (!gyi_list_empty(&q->closing)) gyi_list_splice(&q->events, &q->later);
    gyi_list_splice(&q->events, &q->closing);
    loop_run_queue(l);
    if (gyi_list_empty(&q->immediates) && gyi_list_empty(&q->closing) && gyi_list_empty(&q->later))
        q->special &= ~(unsigned)GYI_SPECIAL_LATE;
}

/* One turn. @return 0 or the error of the wait, after which the turn has still run what there was to run. */
static GYI_FUSED int loop_turn(gy_loop *l, gy_step how) {
    gyi_queue *q = &l->queue;
    l->stats.turns++;
    q->again = GYI_QUEUE_AGAIN;
    if (GYI_UNLIKELY(q->special || !gyi_list_empty(&q->events)) && !loop_turn_begin(l, &how)) return 0;
    int err = loop_poll(l, how);
    if (GYI_UNLIKELY(q->special)) loop_turn_middle(l);
    loop_run_queue(l);
    if (GYI_UNLIKELY(q->special)) loop_turn_end(l);
    return err;
}

static inline bool loop_alive(const gy_loop *l) { return l->active || l->working || gyi_queue_pending(&l->queue); }

bool gy_loop_alive(const gy_loop *l) { return loop_alive(l); }

/* The stop has been obeyed. */
static GYI_RARE int loop_stopped(gy_loop *l, int err) {
    gyi_queue_resume(&l->queue);
    return err ? err : 1;
}

static inline int loop_leave(gy_loop *l, int err) {
    l->running = false;
    if (GYI_UNLIKELY(l->spin.minded != NULL)) l->spin.leave(l);
    return GYI_LIKELY(l->queue.why != GYI_HALT_STOP) ? err : loop_stopped(l, err);
}

int gy_loop_run(gy_loop *l) {
    int err = 0;
    if (l->running) return -EBUSY;
    l->running = true;
    l->stats.mark = 0;
    while (!err && l->queue.why != GYI_HALT_STOP && (loop_alive(l) || !gyi_inbox_empty(&l->inbox)))
        err = loop_turn(l, GY_STEP_WAIT);
    return loop_leave(l, err);
}

int gy_loop_step(gy_loop *l, gy_step how) {
    int err = 0;
    if (l->running) return -EBUSY;
    l->running = true;
    l->stats.mark = 0;
    if (GYI_LIKELY(l->queue.why != GYI_HALT_STOP)) err = loop_turn(l, how);
    err = loop_leave(l, err);
    return err < 0 ? err : loop_alive(l);
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
    if (gyi_queue_pending(&loop->queue) || (loop->queue.special & GYI_SPECIAL_AWAKE)) return 0;
    gy_ns deadline = gyi_wheel_next(&loop->wheel), now = gyi_loop_clock(loop);
    return deadline == GY_FOREVER ? -1 : deadline > now ? deadline - now : 0;
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
    l->wake = GYI_WAKE_CLOSED; /* 0 is somebody's descriptor */
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
    gyi_inbox_init(&l->inbox);
    gyi_list_init(&l->alarms);
    gyi_list_init(&l->signals.list);
    gyi_list_init(&l->paused);
    gyi_list_init(&l->submitted);
    gyi_list_init(&l->children);
    err = gyi_io_init(l);
    if (!err) err = gyi_async_init(l);
    if (err) gy_loop_free(l);
    else *out = l;
    return err;
}

int gy_loop_free(gy_loop *l) {
    if (!l) return 0;
    if (l->running || l->open || l->working) return -EBUSY;
    if (l->task_free) l->task_free(l);
    if (l->children_free) l->children_free(l);
    if (l->pool) l->pool_free(l->pool);
    while (atomic_load(&l->reporting)) {} /* the last report has arrived; its thread is on its way out */
    if (l->signals.free) l->signals.free(l);
    if (l->alarms_free) l->alarms_free(l);
    gyi_async_free(l);
    gyi_io_free(l);
    l->poller.ops->close(&l->poller);
    if (l->stacks_free) l->stacks_free(l);
    gy_alloc alloc = l->alloc;
    gyi_free(&alloc, l);
    return 0;
}

int gy_loop_reopen(gy_loop *l) {
    if (l->pool_forked) l->pool_forked(l);
    if (l->poller.caps & GYI_CAP_OWN) l->poller.fd = -1;
    gyi_io_forget(l);
    int err = l->poller.ops->reopen(&l->poller);
    if (!err && l->alarms_reopen) err = l->alarms_reopen(l);
    if (!err) err = gyi_async_reopen(l);
    if (!err) err = gyi_io_apply(l);
    return err;
}

void gyi_loop_unhandled(gy_loop *loop, gy_emitter *emitter, const char *name, const void *payload) {
    if (loop->unhandled) loop->unhandled(loop, emitter, name, payload);
    else gyi_report("gyre: an \"error\" event had no listener");
}
