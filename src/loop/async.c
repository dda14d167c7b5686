/* SPDX-License-Identifier: ISC */
/* The doors for other threads.
 *
 * Whoever sends pushes an entry into the inbox and then looks whether the loop sleeps; the loop, before it waits, says
 * that it sleeps and then looks into the inbox. Both in that order and sequentially consistent, so at least one of them
 * sees the other: no message waits for the next event by chance, and a loop that is awake is never written to. The
 * first sender takes `asleep` away, so one write wakes the loop for all that follow.
 *
 * The wake-up descriptor is watched edge-triggered where the backend can, and then it is never read: every write is a
 * new edge. */
#include "loop/loop.h"

void gyi_async_wake(gy_loop *l) {
    if (!atomic_load(&l->asleep) || !atomic_exchange(&l->asleep, 0)) return;
    atomic_fetch_add_explicit(&l->wakeups, 1, memory_order_relaxed);
    int err = l->poller.ops->wake ? l->poller.ops->wake(&l->poller) : gyi_wake_send(&l->wake);
    /* Not woken: the next sender shall try again. */
    if (err) atomic_store(&l->asleep, 1);
}

void gyi_async_push(gy_loop *l, gyi_entry *entry) {
    gyi_inbox_push(&l->inbox, entry);
    gyi_async_wake(l);
}

void gyi_async_collect(gy_loop *l) {
    unsigned count = gyi_inbox_take(&l->inbox, &l->queue.events);
    l->stats.posts += count;
    gyi_collected(l, count);
}

/* ---- the wake-up descriptor -------------------------------------------------------------------------------------- */

static void async_woken(gyi_entry *entry) {
    gy_loop *l = GY_OF(entry, gy_loop, woken.entry);
    if (!(l->poller.caps & GYI_CAP_EDGE)) gyi_wake_clear(&l->sys, &l->wake);
}

int gyi_async_init(gy_loop *l) {
    if (l->poller.ops->wake) return 0;
    int err = gyi_wake_open(&l->sys, &l->wake);
    if (err) return err;
    l->woken.entry.run = async_woken;
    gyi_watch_unref(l, &l->woken);
    err = gyi_watch_start(l, &l->woken, l->wake.fd, GY_READABLE | GY_EDGE);
    if (err) return err;
    /* At once, because a refusal must not be found out when it is too late to say so. */
    err = gyi_io_apply(l);
    return err ? err : gyi_watch_active(&l->woken) ? 0 : l->woken.fd;
}

void gyi_async_free(gy_loop *l) { gyi_wake_close(&l->sys, &l->wake); }

int gyi_async_reopen(gy_loop *l) {
    gyi_watch_forget(l, &l->woken);
    gyi_wake_close(&l->sys, &l->wake);
    return gyi_async_init(l);
}

/* ---- gy_async ---------------------------------------------------------------------------------------------------- */

static _Atomic int32_t *async_sent(int32_t *plain) { return (_Atomic int32_t *)(void *)plain; }

static void async_run(gyi_entry *entry) {
    gy_async *a = GY_OF(entry, gy_async, priv.entry);
    /* Before the callback: what is sent from now on is a new signal. An exchange, as it must also see what a sender
     * wrote whose signal coalesced with this one. */
    atomic_exchange(async_sent(&a->priv.sent), 0);
    a->priv.fn(a);
}

int gy_async_start(gy_loop *loop, gy_async *a, gy_async_fn *fn) {
    if (!fn) return -EINVAL;
    if (a->priv.flags & GYI_HANDLE_ACTIVE) return -EALREADY;
    a->loop = loop;
    a->priv.fn = fn;
    a->priv.entry.run = async_run;
    a->priv.flags |= GYI_HANDLE_ACTIVE;
    atomic_store(async_sent(&a->priv.sent), 0);
    if (!(a->priv.flags & GYI_HANDLE_UNREF)) gyi_loop_ref(loop);
    return 0;
}

void gy_async_send(gy_async *a) {
    if (!a->priv.fn) return; /* the flags are the loop thread's */
    if (atomic_exchange(async_sent(&a->priv.sent), 1)) gyi_async_wake(a->loop);
    else gyi_async_push(a->loop, &a->priv.entry);
}

void gy_async_stop(gy_async *a) {
    if (!(a->priv.flags & GYI_HANDLE_ACTIVE)) return;
    if (!(a->priv.flags & GYI_HANDLE_UNREF)) gyi_loop_unref(a->loop);
    a->priv.flags &= ~(uint32_t)GYI_HANDLE_ACTIVE;
    a->priv.fn = NULL;
    /* It may still be in the inbox, from where nothing can be taken singly: so all of it is moved to the queue. */
    if (atomic_load(async_sent(&a->priv.sent))) gyi_async_collect(a->loop);
    gyi_queue_drop(&a->priv.entry);
}

bool gy_async_active(const gy_async *a) { return a->priv.flags & GYI_HANDLE_ACTIVE; }

void gy_async_ref(gy_async *a) {
    if (a->priv.flags == (GYI_HANDLE_ACTIVE | GYI_HANDLE_UNREF)) gyi_loop_ref(a->loop);
    a->priv.flags &= ~(uint32_t)GYI_HANDLE_UNREF;
}

void gy_async_unref(gy_async *a) {
    if (a->priv.flags == GYI_HANDLE_ACTIVE) gyi_loop_unref(a->loop);
    a->priv.flags |= GYI_HANDLE_UNREF;
}

/* ---- gy_post ----------------------------------------------------------------------------------------------------- */

static void message_run(gyi_entry *entry) {
    gy_message *m = GY_OF(entry, gy_message, priv.entry);
    atomic_store(async_sent(&m->priv.sent), 0);
    m->priv.fn(m);
}

int gy_post(gy_loop *loop, gy_message *m, gy_message_fn *fn) {
    if (!fn) return -EINVAL;
    if (atomic_exchange(async_sent(&m->priv.sent), 1)) return -EALREADY;
    m->loop = loop;
    m->priv.fn = fn;
    m->priv.entry.run = message_run;
    gyi_async_push(loop, &m->priv.entry);
    return 0;
}
