/* SPDX-License-Identifier: ISC */
/* Watchers: who is told when a descriptor is ready, and what the kernel is told to watch.
 *
 * A descriptor has a slot; its watchers hang there. When they change, the slot is put on a list, and once per turn the
 * kernel is told the union of what they want, if that has changed. An answer of the kernel leads through its token to
 * the slot and puts the watchers on the callback queue.
 *
 * Numbers are used again. A watcher that starts on a descriptor which nobody watched a moment ago may mean another file
 * than the one the kernel knows under that number, even when nothing seems to have changed: such a slot is `fresh`, and
 * the kernel is told anew. Restarting (gy_io_restart) promises that it is the same file, and costs nothing.
 *
 * An answer for an old token is dropped. If the kernel goes on reporting it, because the registered file lives on
 * through another descriptor (dup, fork) while its number is closed or another file's, it cannot be unregistered; the
 * kernel's object is then made anew, with all that is wanted registered again. */
#include "loop/loop.h"

/* ---- watchers and slots ------------------------------------------------------------------------------------------ */

/* Whatever is not asked for, trouble, and (by the sign, which is extended) all that does not fit a byte. */
static int8_t watch_deaf(unsigned want) { return (int8_t)((~want & GYI_EVENTS) | GYI_TROUBLE | 0x80); }

static gyi_slot *watch_slot(gy_loop *l, const gyi_watch *w) { return &l->slots.at[w->fd]; }

static void slot_always(gy_loop *l, gyi_slot *slot, bool always) {
    if (always == slot->always) return;
    slot->always = always;
    if (always) l->always++;
    else l->always--;
    if (l->always) l->queue.special |= GYI_SPECIAL_ALWAYS;
    else l->queue.special &= ~(unsigned)GYI_SPECIAL_ALWAYS;
}

static void slot_unregister(gy_loop *l, gyi_slot *slot, int fd) {
    if (slot->have && !slot->always) l->poller.ops->set(&l->poller, fd, gyi_slot_token(slot, fd), slot->have, 0);
    slot->have = 0;
    gyi_slot_renew(slot);
}

static inline void watch_link(gy_loop *l, gyi_watch *w, unsigned want) {
    gyi_watch **end = &watch_slot(l, w)->first;
    while (GYI_UNLIKELY(*end != NULL)) end = &(*end)->next;
    w->next = NULL;
    *end = w;
    unsigned kept = w->want & GYI_WATCH_KEPT;
    w->want = (uint16_t)(want | kept | GYI_WATCH_ACTIVE);
    w->deaf = watch_deaf(want);
    if (want & GY_EDGE) watch_slot(l, w)->again = 1;
    if (!kept) gyi_loop_ref(l);
    gyi_slots_change(&l->slots, w->fd);
}

int gyi_watch_start(gy_loop *l, gyi_watch *w, int fd, unsigned want) {
    int err = gyi_slots_reserve(&l->slots, &l->alloc, fd);
    if (err) return err;
    gyi_slot *slot = &l->slots.at[fd];
    if (!slot->first) slot->fresh = 1;
    w->fd = fd;
    watch_link(l, w, want);
    return 0;
}

void gyi_watch_stop(gy_loop *l, gyi_watch *w) {
    unsigned want = w->want;
    if (gyi_entry_listed(&w->entry)) gyi_list_remove(&w->entry);
    if (!(want & GYI_WATCH_ACTIVE)) return;
    gyi_watch **at = &watch_slot(l, w)->first;
    while (GYI_UNLIKELY(*at != w)) at = &(*at)->next;
    *at = w->next;
    if (!(want & GYI_WATCH_UNREF)) gyi_loop_unref(l);
    w->want = (uint16_t)(want & ~(unsigned)GYI_WATCH_ACTIVE);
    gyi_slots_change(&l->slots, w->fd);
}

void gyi_watch_forget(gy_loop *l, gyi_watch *w) {
    int fd = w->fd;
    bool active = gyi_watch_active(w);
    gyi_watch_stop(l, w);
    if (!active || l->slots.at[fd].first) return;
    if (l->poller.caps & GYI_CAP_CLOSE) {
        l->slots.at[fd].have = 0;
        gyi_slot_renew(&l->slots.at[fd]);
    } else {
        slot_unregister(l, &l->slots.at[fd], fd);
    }
    slot_always(l, &l->slots.at[fd], false);
}

void gyi_watch_change(gy_loop *l, gyi_watch *w, unsigned want) {
    unsigned added = want & ~(unsigned)w->want, dropped = gyi_entry_listed(&w->entry) ? w->got & ~want : 0;
    if ((want & GY_EDGE) && ((added | dropped) & (GYI_INTEREST | GY_EDGE))) watch_slot(l, w)->again = 1;
    w->want = (uint16_t)((want & GYI_WATCH_ASKED) | (w->want & ~(unsigned)GYI_WATCH_ASKED));
    w->deaf = watch_deaf(want);
    gyi_slots_change(&l->slots, w->fd);
    /* What was collected and is no longer wanted is not told. The entry stays: its owner may have put it there for
     * another reason, and takes a run without an event. */
    w->got &= (uint8_t) ~(GYI_INTEREST & ~want);
}

void gyi_watch_push(gy_loop *l, gyi_watch *w) {
    if (gyi_entry_listed(&w->entry)) return;
    w->got = 0;
    gyi_queue_again(&l->queue, &w->entry);
}

void gyi_watch_ref(gy_loop *l, gyi_watch *w) {
    if (gyi_watch_active(w) && (w->want & GYI_WATCH_UNREF)) gyi_loop_ref(l);
    w->want &= (uint16_t)~GYI_WATCH_UNREF;
}

void gyi_watch_unref(gy_loop *l, gyi_watch *w) {
    if (gyi_watch_active(w) && !(w->want & GYI_WATCH_UNREF)) gyi_loop_unref(l);
    w->want |= GYI_WATCH_UNREF;
}

/* ---- how a gy_io is run ------------------------------------------------------------------------------------------ */

static void io_run(gyi_entry *entry) {
    gy_io *io = GY_OF(entry, gy_io, priv.watch.entry);
    io->priv.fn(io, 0, io->priv.watch.got);
}

/* What is edge-triggered is told of a peer that closes in a bit of its own, which is not for users. */
static void io_run_edge(gyi_entry *entry) {
    gy_io *io = GY_OF(entry, gy_io, priv.watch.entry);
    io->priv.fn(io, 0, io->priv.watch.got & GYI_EVENTS);
}

static void io_run_once(gyi_entry *entry) {
    gy_io *io = GY_OF(entry, gy_io, priv.watch.entry);
    gyi_watch_stop(io->loop, &io->priv.watch);
    io_run_edge(entry);
}

/* The error is where the events would be, as whoever is refused may ask for the descriptor. */
static void io_run_refused(gyi_entry *entry) {
    gy_io *io = GY_OF(entry, gy_io, priv.watch.entry);
    io->priv.fn(io, -(int)io->priv.watch.got, 0);
}

static bool watch_is_io(const gyi_watch *w) {
    return w->entry.run == io_run || w->entry.run == io_run_edge || w->entry.run == io_run_once;
}

/* ---- telling watchers -------------------------------------------------------------------------------------------- */

static void watch_tell(gy_loop *l, gyi_watch *w, unsigned events) {
    /* Trouble is told as readiness too: the read or write that follows will say what it is. */
    if (events & GYI_TROUBLE) events |= GYI_INTEREST;
    unsigned got = events & ((w->want & GYI_INTEREST) | GYI_TROUBLE);
    if (!(got & GYI_INTEREST)) return; /* a mark alone needs no note: it is told again with the data */
    /* The end of the stream, or a mark in it at which reads stop short. */
    if ((w->want & GY_EDGE) && (events & (GYI_EOF | GY_PRIORITY))) got |= GYI_GOT_EOF;
    if (gyi_entry_listed(&w->entry)) {
        w->got |= (uint8_t)got;
        return;
    }
    w->got = (uint8_t)got;
    gyi_queue_push(l, &w->entry);
}

static void slot_tell(gy_loop *l, gyi_slot *slot, unsigned events) {
    for (gyi_watch *w = slot->first; w; w = w->next) watch_tell(l, w, events);
}

/* ---- telling the kernel ------------------------------------------------------------------------------------------ */

/* What the kernel is to watch for: the union. Edge-triggered only when all who watch want that. */
static GYI_APART unsigned slot_want(const gyi_slot *slot) {
    unsigned want = 0, edge = GY_EDGE;
    for (const gyi_watch *w = slot->first; w; w = w->next) {
        want |= w->want & GYI_INTEREST;
        edge &= w->want;
    }
    return want ? want | edge : 0;
}

static void watch_refuse(gyi_watch *w, int err) {
    if (watch_is_io(w)) {
        w->got = (uint8_t)-err;
        w->entry.run = io_run_refused;
    } else {
        w->got = GYI_GOT_REFUSED;
        w->fd = err;
    }
}

/* Stops the watchers of a slot and queues them with the error. */
static void slot_fail(gy_loop *l, int fd, int err) {
    gyi_slot *slot = &l->slots.at[fd];
    while (slot->first) {
        gyi_watch *w = slot->first;
        gyi_watch_stop(l, w);
        watch_refuse(w, err);
        gyi_queue_push(l, &w->entry);
    }
    slot->have = 0;
    gyi_slot_renew(slot);
}

static int slot_register(gy_loop *l, gyi_slot *slot, int fd, unsigned want) {
    const gyi_backend *ops = l->poller.ops;
    unsigned was = slot->always ? 0 : slot->have;
    if (slot->fresh) {
        /* It may be another file. What there may be of the old one goes, and its token with it. */
        slot_unregister(l, slot, fd);
        was = 0;
    }
    return ops->set(&l->poller, fd, gyi_slot_token(slot, fd), was, want);
}

/* Makes the kernel's view that of the watchers. */
static GYI_APART void slot_update(gy_loop *l, gyi_slot *slot, int fd, unsigned want) {
    int err = 0;
    if (want) err = slot_register(l, slot, fd, want);
    else slot_unregister(l, slot, fd);
    slot->fresh = slot->again = 0;
    slot_always(l, slot, err == -EPERM && !(want & GY_EDGE));
    /* Whoever wants changes is told once of a file that is always ready: there will be no other. */
    if (err == -EPERM && (want & GY_EDGE)) slot_tell(l, slot, GY_READABLE | GY_WRITABLE);
    if (err && err != -EPERM) slot_fail(l, fd, err);
    else slot->have = err && (want & GY_EDGE) ? 0 : want & GYI_SLOT_HAVE;
}

static void slot_apply(gy_loop *l, int fd) {
    gyi_slot *slot = &l->slots.at[fd];
    const gyi_watch *w = slot->first;
    bool alone = w && !w->next;
    unsigned want = alone ? w->want & (GYI_INTEREST | GY_EDGE) : slot_want(slot);
    if (want != slot->have || slot->fresh || slot->again) slot_update(l, slot, fd, want);
    slot->generation &= ~GYI_SLOT_QUICK;
    if (alone && slot->first) slot->generation |= GYI_SLOT_QUICK;
}

/* Begins with an empty kernel object, in which everything is registered again. */
void gyi_io_forget(gy_loop *l) {
    for (uint32_t fd = 0; fd < l->slots.cap; fd++) {
        gyi_slot *slot = &l->slots.at[fd];
        if (!slot->first && !slot->have) continue;
        slot->have = 0;
        slot_always(l, slot, false);
        gyi_slots_change(&l->slots, (int)fd);
    }
}

int gyi_io_apply(gy_loop *l) {
    if (l->rebuild) {
        gyi_io_forget(l);
        int err = l->poller.ops->reopen(&l->poller);
        if (err) return err;
        l->rebuild = false;
    }
    for (int fd; (fd = gyi_slots_take(&l->slots)) >= 0;) slot_apply(l, fd);
    return 0;
}

/* ---- hearing from the kernel ------------------------------------------------------------------------------------- */

/* An answer for a token that no slot has. Slots change only between two waits, so this is a registration that could not
 * be taken back, and it would be reported for ever. */
static void io_stale(gy_loop *l, uint64_t token) {
    if (token == GYI_TOKEN_WAKE) return;
    l->stats.stale++;
    l->rebuild = true;
    gyi_slots_change(&l->slots, 0); /* any slot: so that there is something to apply */
}

/* The answers that the quick way below does not take. */
static void io_collect_slowly(gy_loop *l, uint64_t token, unsigned events) {
    gyi_slot *slot = gyi_slots_find(&l->slots, token);
    if (!slot) {
        io_stale(l, token);
    } else if (events & GYI_CLOSED) {
        int fd = (int)(uint32_t)token;
        l->poller.ops->set(&l->poller, fd, token, slot->have, 0);
        slot_fail(l, fd, -EBADF);
    } else {
        slot_tell(l, slot, events);
    }
}

/* All answers from `r` on, the slow way. Apart, so that the quick way below calls nobody and saves no registers. */
static GYI_APART void io_collect_rest(gy_loop *l, const gyi_ready *r, const gyi_ready *end) {
    for (; r < end; r++) io_collect_slowly(l, r->token, r->events);
}

/* The quick way is for a lone watcher that wants all that was reported and is not queued: nearly always. It is one
 * straight line; from the first answer that needs more, the rest of the batch goes the slow way. */
void gyi_io_collect(gy_loop *l, unsigned count) {
    gyi_entry *const events = &l->queue.events;
    gyi_entry *last = events->prev;
    const gyi_slot *const slots = l->slots.at;
    const gyi_ready *const end = l->ready + count;
    const gyi_ready *r = l->ready;
    l->stats.io += count;
    gyi_collected(l, count);
    for (; r < end; r++) {
        const gyi_slot *slot = &slots[(uint32_t)r->token];
        gyi_watch *w = slot->first;
        if (GYI_UNLIKELY(slot->generation != (uint32_t)(r->token >> 32) || ((int32_t)r->events & w->deaf) ||
                         w->entry.next))
            break;
        w->got = (uint8_t)r->events;
        w->entry.prev = last;
        w->entry.next = events;
        last->next = &w->entry;
        last = &w->entry;
    }
    events->prev = last;
    if (GYI_UNLIKELY(r < end)) io_collect_rest(l, r, end);
}

/* Files that the kernel does not watch are ready in every turn. */
void gyi_io_collect_always(gy_loop *l) {
    for (uint32_t fd = 0; fd < l->slots.cap; fd++) {
        gyi_slot *slot = &l->slots.at[fd];
        if (!slot->always) continue;
        slot_tell(l, slot, GY_READABLE | GY_WRITABLE);
    }
}

/* The table is never empty, as gyi_slots_find() wants it. */
int gyi_io_init(gy_loop *l) {
    gyi_slots_init(&l->slots);
    return gyi_slots_reserve(&l->slots, &l->alloc, 0);
}

void gyi_io_free(gy_loop *l) { gyi_free(&l->alloc, l->slots.at); }

/* ---- gy_io ------------------------------------------------------------------------------------------------------- */

static bool io_asks(unsigned events) { return (events & GYI_INTEREST) && !(events & ~(unsigned)GYI_WATCH_ASKED); }

/* What the backend cannot watch is refused here, as the others who watch the descriptor must not suffer from it. */
static bool io_can(const gy_loop *l, unsigned events) {
    return !(events & GY_PRIORITY) || (l->poller.caps & GYI_CAP_PRIORITY);
}

static void io_set_run(gy_io *io, unsigned events) {
    io->priv.watch.entry.run = events & GY_ONESHOT ? io_run_once : events & GY_EDGE ? io_run_edge : io_run;
}

int gy_io_start(gy_loop *loop, gy_io *io, int fd, unsigned events, gy_io_fn *fn) {
    if (fd < 0) return -EBADF;
    if (!fn || !io_asks(events)) return -EINVAL;
    if (gyi_watch_active(&io->priv.watch)) return -EALREADY;
    if (!io_can(loop, events)) return -ENOTSUP;
    gyi_queue_drop(&io->priv.watch.entry); /* a refusal that was not told yet is about an earlier descriptor */
    int err = gyi_watch_start(loop, &io->priv.watch, fd, events);
    if (err) return err;
    io->loop = loop;
    io->priv.fn = fn;
    io_set_run(io, events);
    return 0;
}

void gy_io_stop(gy_io *io) {
    if (io->loop) gyi_watch_stop(io->loop, &io->priv.watch);
}

int gy_io_restart(gy_io *io, unsigned events) {
    gyi_watch *w = &io->priv.watch;
    if (GYI_UNLIKELY(!io->priv.fn || w->entry.run == io_run_refused || !io_asks(events))) return -EINVAL;
    if (GYI_UNLIKELY(!io_can(io->loop, events))) return -ENOTSUP;
    if (GYI_UNLIKELY((events ^ w->want) & (GY_ONESHOT | GY_EDGE))) io_set_run(io, events);
    if (!gyi_watch_active(w)) {
        watch_link(io->loop, w, events);
        return 0;
    }
    gyi_watch_change(io->loop, w, events);
    if (gyi_entry_listed(&w->entry) && !(w->got & GYI_INTEREST)) gyi_list_remove(&w->entry);
    return 0;
}

bool gy_io_active(const gy_io *io) { return gyi_watch_active(&io->priv.watch); }

int gy_io_fd(const gy_io *io) { return io->priv.fn ? io->priv.watch.fd : -1; }

void gy_io_ref(gy_io *io) { gyi_watch_ref(io->loop, &io->priv.watch); }

void gy_io_unref(gy_io *io) { gyi_watch_unref(io->loop, &io->priv.watch); }
