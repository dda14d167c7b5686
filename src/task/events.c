/* SPDX-License-Identifier: ISC */
/* Events that wait for a fiber: a listener that puts payloads into a ring, and a fiber that takes them out.
 *
 * A payload is valid during its emit only, and nobody can say how to copy it but the program: so it says how large it
 * is, and that many bytes are copied. The ring doubles from 8 places to as many as may wait. The first event that finds
 * no place ends the listening, and its place in the order is taken by the error: nothing is missed without a word.
 *
 * Whoever waits is woken by a microtask, and until that has run the record may be closed and freed; so the fiber knows
 * for which events it waits, and closing takes that away from it. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "emitter/emitter.h"
#include "task/fiber.h"

enum { EVENTS_MOST = 1024, EVENTS_FIRST = 8 };

static char *events_at(const gy_events *e, unsigned i) {
    return e->priv.ring + (size_t)((e->priv.first + i) % e->priv.room) * e->priv.size;
}

/* Doubles the ring. */
static int events_grow(gy_events *e) {
    unsigned room = e->priv.room ? e->priv.room * 2 : EVENTS_FIRST;
    if (room > e->priv.most) room = e->priv.most;
    if (room == e->priv.room) return GY_EBACKLOG;
    if (e->priv.size > SIZE_MAX / room) return -ENOMEM;
    char *ring = gyi_alloc_zero(&e->priv.loop->alloc, room * e->priv.size);
    if (!ring) return -ENOMEM;
    for (unsigned i = 0; i < e->priv.count; i++) memcpy(ring + i * e->priv.size, events_at(e, i), e->priv.size);
    gyi_free(&e->priv.loop->alloc, e->priv.ring);
    e->priv.ring = ring;
    e->priv.room = room;
    e->priv.first = 0;
    return 0;
}

static gy_events *events_of(gy_listener *listener) { return GY_OF(listener, gy_events, priv.listener); }

/* Copies of `size` bytes. */
static void events_heard(gy_listener *listener, const void *payload) {
    gy_events *e = events_of(listener);
    if (!e->priv.loop) return; /* closed by a handler that was told of its opening */
    if (e->priv.count == e->priv.room && !e->priv.err) e->priv.err = events_grow(e);
    if (!e->priv.err) {
        char *at = events_at(e, e->priv.count++);
        if (payload) memcpy(at, payload, e->priv.size);
        else memset(at, 0, e->priv.size);
    }
    if (e->priv.waiter) gyi_fiber_wake(e->priv.waiter, 0);
    if (e->priv.err) gy_off(listener);
}

/* Pointers. */
static void events_heard_pointer(gy_listener *listener, const void *payload) {
    events_heard(listener, &payload);
}

/* The listener may have been taken away: who waits has to look again. */
static bool events_told(gyi_tie *tie, int how) {
    gy_events *e = GY_OF(tie, gy_events, priv.tie);
    (void)how;
    if (e->priv.waiter && !gy_listener_active(&e->priv.listener)) gyi_fiber_wake(e->priv.waiter, 0);
    return false;
}

static void events_end(gy_events *e) {
    gy_loop *loop = e->priv.loop;
    gyi_untie(&e->priv.tie);
    gyi_list_remove(&e->priv.link);
    e->priv.loop = NULL;
    gyi_free(&loop->alloc, e->priv.ring);
    e->priv.ring = NULL;
    gy_off(&e->priv.listener);
}

static void events_end_all(gyi_task *task) {
    while (!gyi_list_empty(&task->listening)) events_end(GY_OF(task->listening.next, gy_events, priv.link));
}

int gy_events_open(gy_loop *loop, gy_events *e, gy_emitter *emitter, gy_events_opts opts) {
    if (e->priv.loop) return -EALREADY;
    gyi_task *task = gyi_task_of(loop);
    if (!task) return -ENOMEM;
    e->priv.loop = loop;
    e->priv.size = opts.size ? opts.size : sizeof(void *);
    e->priv.most = opts.most ? opts.most : EVENTS_MOST;
    e->priv.first = e->priv.count = e->priv.room = 0;
    e->priv.waiter = NULL;
    e->priv.ring = NULL;
    e->priv.err = 0;
    gyi_list_append(&task->listening, &e->priv.link);
    task->listening_end = events_end_all;
    gyi_tie_to(emitter, &e->priv.tie, events_told);
    /* Now it may be used, since handlers that are told of the listener may emit, or close the emitter, or this. */
    int err = gy_on(emitter, opts.name, &e->priv.listener, opts.size ? events_heard : events_heard_pointer);
    if (!err && !e->priv.loop) {
        (void)gy_off(&e->priv.listener);
        err = GY_ECLOSED;
    }
    if (err && e->priv.loop) events_end(e);
    return err;
}

static int events_take(gy_events *e, void *payload) {
    if (payload) memcpy(payload, events_at(e, 0), e->priv.size);
    e->priv.first = (e->priv.first + 1) % e->priv.room;
    e->priv.count--;
    return 0;
}

/* Suspends the fiber until there is something. What is returned with the events gone is final. */
static int events_wait(gy_events *e, gyi_fiber *f) {
    e->priv.waiter = f;
    f->events = e;
    int err = gyi_fiber_park(f, GYI_FIBER_RESTING);
    if (!f->events) return GY_ECLOSED;
    f->events = NULL;
    e->priv.waiter = NULL;
    return err;
}

int gy_await_event(gy_events *e, void *payload) {
    if (!e->priv.loop) return GY_ECLOSED;
    gyi_fiber *f = gyi_fiber_current(e->priv.loop->task);
    if (!f) return -EPERM;
    if (e->priv.waiter) return -EBUSY;
    int err = 0;
    if (f->cancelled) return events_wait(e, f);
    while (!err && !e->priv.count) {
        if (e->priv.err) return e->priv.err;
        if (!gy_listener_active(&e->priv.listener)) return GY_ECLOSED;
        err = events_wait(e, f);
    }
    return err ? err : events_take(e, payload);
}

void gy_events_close(gy_events *e) {
    if (!e->priv.loop) return;
    gyi_fiber *f = e->priv.waiter;
    e->priv.waiter = NULL;
    if (f) {
        f->events = NULL;
        gyi_fiber_wake(f, 0);
    }
    events_end(e); /* handlers that are told of the listener may wait, and the fiber be gone by then */
}
