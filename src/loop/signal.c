/* SPDX-License-Identifier: ISC */
/* Signals.
 *
 * A signal belongs to the process, so this file has the library's only state outside a loop: how often each signal was
 * raised, how many watch it, what handled it before, and which loops watch any. The handler counts, and sends an entry
 * to those loops; there it compares the counts with what the watchers have seen.
 *
 * The handler walks the list of loops without a lock, as it may interrupt anything. A loop enters the list at its head,
 * with one store. To leave, it is unlinked, and then waits until no handler is inside: one that came later cannot see
 * it. The list is changed only under the lock. */
#include "loop/loop.h"
#include "sys/sig.h"
#include "sys/thread.h"

typedef struct signal_row {
    _Atomic uint32_t raised;
    unsigned watchers;
    struct sigaction before;
} signal_row;

static gyi_mutex signal_lock = GYI_MUTEX_INIT;
static signal_row signal_rows[GYI_SIG_MOST];
static _Atomic(gy_loop *) signal_loops;
static _Atomic int signal_inside;

static void signal_handle(int signo) {
    atomic_fetch_add(&signal_inside, 1);
    atomic_fetch_add(&signal_rows[signo].raised, 1);
    for (gy_loop *l = atomic_load(&signal_loops); l; l = atomic_load(&l->signals.next)) {
        if (!atomic_exchange(&l->signals.raised, 1)) gyi_async_push(l, &l->signals.collect);
    }
    atomic_fetch_sub(&signal_inside, 1);
}

static void signal_loop_enter(gy_loop *l) {
    atomic_store(&l->signals.next, atomic_load(&signal_loops));
    atomic_store(&signal_loops, l);
}

static void signal_loop_leave(gy_loop *l) {
    _Atomic(gy_loop *) *at = &signal_loops;
    while (atomic_load(at) != l) at = &atomic_load(at)->signals.next;
    atomic_store(at, atomic_load(&l->signals.next));
    while (atomic_load(&signal_inside)) {}
}

static void signal_run(gyi_entry *entry) {
    gy_signal *s = GY_OF(entry, gy_signal, priv.entry);
    uint32_t raised = atomic_load(&signal_rows[s->signo].raised), count = raised - s->priv.seen;
    s->priv.seen = raised;
    s->priv.fn(s, count);
}

/* What the handler sends: it queues the watchers of all signals that were raised. */
static void signal_collect(gyi_entry *entry) {
    gy_loop *l = GY_OF(entry, gy_loop, signals.collect);
    atomic_store(&l->signals.raised, 0);
    for (gyi_entry *e = l->signals.list.next; e != &l->signals.list; e = e->next) {
        gy_signal *s = GY_OF(e, gy_signal, priv.link);
        if (atomic_load(&signal_rows[s->signo].raised) == s->priv.seen || gyi_entry_listed(&s->priv.entry)) continue;
        gyi_queue_push(l, &s->priv.entry);
        l->stats.signals++;
    }
}

static void signal_free(gy_loop *l) {
    while (!gyi_list_empty(&l->signals.list)) gy_signal_stop(GY_OF(l->signals.list.next, gy_signal, priv.link));
}

int gy_signal_start(gy_loop *loop, gy_signal *s, int signo, gy_signal_fn *fn) {
    if (!fn || signo <= 0 || signo >= GYI_SIG_MOST) return -EINVAL;
    if (s->priv.flags & GYI_HANDLE_ACTIVE) return -EALREADY;
    signal_row *row = &signal_rows[signo];
    gyi_mutex_lock(&signal_lock);
    uint32_t seen = atomic_load(&row->raised); /* before the handler is there, which may run at once */
    int err = row->watchers ? 0 : gyi_sig_install(&loop->sys, signo, signal_handle, &row->before);
    loop->signals.collect.run = signal_collect;
    loop->signals.free = signal_free;
    if (!err) {
        row->watchers++;
        if (gyi_list_empty(&loop->signals.list)) signal_loop_enter(loop);
    }
    gyi_mutex_unlock(&signal_lock);
    if (err) return err;
    s->loop = loop;
    s->signo = signo;
    s->priv.fn = fn;
    s->priv.entry.run = signal_run;
    s->priv.seen = seen;
    s->priv.flags |= GYI_HANDLE_ACTIVE;
    gyi_list_append(&loop->signals.list, &s->priv.link);
    if (!(s->priv.flags & GYI_HANDLE_UNREF)) gyi_loop_ref(loop);
    return 0;
}

void gy_signal_stop(gy_signal *s) {
    if (!(s->priv.flags & GYI_HANDLE_ACTIVE)) return;
    gy_loop *loop = s->loop;
    signal_row *row = &signal_rows[s->signo];
    if (!(s->priv.flags & GYI_HANDLE_UNREF)) gyi_loop_unref(loop);
    s->priv.flags &= ~(uint32_t)GYI_HANDLE_ACTIVE;
    gyi_list_remove(&s->priv.link);
    gyi_queue_drop(&s->priv.entry);
    gyi_mutex_lock(&signal_lock);
    if (--row->watchers == 0) gyi_sig_restore(&loop->sys, s->signo, signal_handle, &row->before);
    if (gyi_list_empty(&loop->signals.list)) signal_loop_leave(loop);
    gyi_mutex_unlock(&signal_lock);
}

bool gy_signal_active(const gy_signal *s) { return s->priv.flags & GYI_HANDLE_ACTIVE; }

void gy_signal_ref(gy_signal *s) {
    if (s->priv.flags == (GYI_HANDLE_ACTIVE | GYI_HANDLE_UNREF)) gyi_loop_ref(s->loop);
    s->priv.flags &= ~(uint32_t)GYI_HANDLE_UNREF;
}

void gy_signal_unref(gy_signal *s) {
    if (s->priv.flags == GYI_HANDLE_ACTIVE) gyi_loop_unref(s->loop);
    s->priv.flags |= GYI_HANDLE_UNREF;
}
