/* SPDX-License-Identifier: ISC */
/* The emitter's rules: listening, emitting, "error" without listener, and the events about listeners.
 *
 * A listener is idle, on an event, or firing. Firing is the short state of a listener of gy_once() between its removal
 * and its call, and exists only while "removeListener" handlers run: those may still take the call away.
 *
 * Every line that calls out is followed by nothing that uses the emitter or a listener unless a frame says that the
 * emitter is still there. Emits allocate nothing, and an event with a single lasting listener needs not even a frame:
 * after its call nothing is left to do.
 *
 * What is not here: links between listeners (event.c), what ends with an emitter (tie.c), queued emits (later.c). */
#include "emitter/emitter.h"

#include <errno.h>
#include <string.h>

#include "loop/loop.h"
#include "sys/report.h"

enum { EMITTER_LIMIT = 10 };        /* listeners that an event may have before the leak hook is called */
#define EMITTER_NO_LIMIT UINT32_MAX /* in gy_emitter.priv.limit */

const char gy_error_monitor[] = "errorMonitor";

/* ---- emitting ------------------------------------------------------------------------------------------------ */

/* Takes the pending call away from the listener that this frame holds up. */
static void emitter_hold_fire(gyi_emit *frame) {
    frame->firing->priv.flags &= ~(uint32_t)GYI_LISTENER_FIRING;
    frame->firing = NULL;
}

/* Emits the meta event `what`. The caller's frame says whether the emitter is still there afterwards. */
static void emitter_tell(gy_emitter *emitter, const char *what, const char *name, gy_listener *listener) {
    gy_listener_event event = {name, listener};
    (void)gy_emit(emitter, what, &event);
}

/* Removes a listener that is to have its one call. @return whether it may have it. */
static bool emitter_retire(gyi_emit *frame, gy_listener *listener) {
    gy_emitter *emitter = frame->emitter;
    gyi_event_remove(listener);
    if (!(emitter->priv.flags & GYI_EMITTER_REMOVE)) return true;
    listener->priv.flags |= GYI_LISTENER_FIRING;
    frame->firing = listener;
    emitter_tell(emitter, "removeListener", listener->name, listener);
    if (!frame->firing) return false;
    emitter_hold_fire(frame);
    return true;
}

static inline gy_listener *emitter_next(gyi_emit *frame) {
    while (frame->next) {
        gy_listener *listener = frame->next;
        frame->next = listener == frame->last ? NULL : listener->priv.next;
        if (!listener->once || emitter_retire(frame, listener)) return listener;
    }
    return NULL;
}

gy_listener *gyi_emit_next(gyi_emit *frame) { return emitter_next(frame); }

/* Calls the listeners of an event. @return how many; `*open` is whether the emitter is still there. */
static int emitter_run(gy_emitter *emitter, gy_listener *first, const void *payload, bool *open) {
    gyi_emit frame;
    int called = 0;
    gyi_emit_push(&frame, emitter, first);
    for (gy_listener *listener; (listener = emitter_next(&frame)) != NULL; called++)
        listener->priv.fn(listener, payload);
    *open = gyi_emit_pop(&frame);
    return called;
}

static bool emitter_is_error(const char *name) { return name && strcmp(name, "error") == 0; }

/* Nobody listens. For "error" that is a failure which somebody has to hear of. */
static int emitter_unheard(gy_emitter *emitter, const char *name, const void *payload) {
    if (!name) return -EINVAL;
    if (!emitter_is_error(name)) return 0;
    if (emitter->unhandled)
        emitter->unhandled(emitter->loop, emitter, name, payload);
    else if (emitter->loop)
        gyi_loop_unhandled(emitter->loop, emitter, name, payload);
    else
        gyi_report("gyre: an \"error\" event had no listener");
    return GY_EUNHANDLED;
}

/* Tells the monitors of an "error". @return whether the emitter is still there. */
static bool emitter_monitor(gy_emitter *emitter, const char *name, const void *payload) {
    bool open = true;
    if (emitter_is_error(name)) (void)emitter_run(emitter, gyi_event_find(emitter, gy_error_monitor), payload, &open);
    return open;
}

gy_listener *gyi_emit_first(gy_emitter *emitter, const char *name, const void *payload, int *result) {
    gy_listener *first = NULL;
    *result = GY_EUNHANDLED;
    if ((emitter->priv.flags & GYI_EMITTER_MONITOR) && !emitter_monitor(emitter, name, payload)) return NULL;
    first = gyi_event_find(emitter, name);
    if (!first) *result = emitter_unheard(emitter, name, payload);
    return first;
}

int gy_emit(gy_emitter *emitter, const char *name, const void *payload) {
    bool open = true;
    if ((emitter->priv.flags & GYI_EMITTER_MONITOR) && !emitter_monitor(emitter, name, payload)) return GY_EUNHANDLED;
    gy_listener *first = gyi_event_find(emitter, name);
    if (!first) return emitter_unheard(emitter, name, payload);
    if (first->priv.next == first && !first->once) {
        first->priv.fn(first, payload);
        return 1;
    }
    return emitter_run(emitter, first, payload, &open);
}

/* ---- listening ----------------------------------------------------------------------------------------------- */

/* Calls the leak hook when the event of `listener`, which was just added, has got too long. The walk to find out ends
 * at the limit, so that a long list does not make adding slow. */
static void emitter_watch_leak(gy_emitter *emitter, gy_listener *listener) {
    gy_listener *first = listener->priv.event_prev ? listener : gyi_event_find(emitter, listener->name);
    size_t limit = emitter->priv.limit ? emitter->priv.limit : EMITTER_LIMIT;
    if (limit == EMITTER_NO_LIMIT || (first->priv.flags & GYI_LISTENER_WARNED)) return;
    if (gyi_event_count(first, limit + 1) <= limit) return;
    first->priv.flags |= GYI_LISTENER_WARNED;
    gy_leak leak = {listener->name, listener, gyi_event_count(first, SIZE_MAX), limit};
    emitter->leak(emitter, &leak);
}

/* Tells "newListener" handlers. They may do anything, so what was true before has to be asked again. */
static int emitter_announce(gy_emitter *emitter, const char *name, gy_listener *listener) {
    gyi_emit guard;
    gyi_emit_push(&guard, emitter, NULL);
    emitter_tell(emitter, "newListener", name, listener);
    if (!gyi_emit_pop(&guard)) return GY_ECLOSED;
    return gyi_listener_on(listener) ? -EALREADY : 0;
}

static int emitter_listen(gy_emitter *emitter, const char *name, gy_listener *listener, gy_listener_fn *fn,
                          void (*typed)(void), unsigned how) {
    if (!name || !fn) return -EINVAL;
    if (gyi_listener_on(listener) || (listener->priv.flags & GYI_LISTENER_FIRING)) return -EALREADY;
    if (emitter->priv.flags & GYI_EMITTER_NEW) {
        int err = emitter_announce(emitter, name, listener);
        if (err) return err;
    }
    listener->emitter = emitter;
    listener->name = name;
    listener->once = (how & GYI_LISTEN_ONCE) != 0;
    listener->priv.fn = fn;
    listener->priv.typed = typed;
    gyi_event_add(emitter, listener, (how & GYI_LISTEN_FIRST) != 0);
    if (emitter->leak) emitter_watch_leak(emitter, listener);
    return 0;
}

int gy_on(gy_emitter *emitter, const char *name, gy_listener *listener, gy_listener_fn *fn) {
    return emitter_listen(emitter, name, listener, fn, NULL, 0);
}

int gy_once(gy_emitter *emitter, const char *name, gy_listener *listener, gy_listener_fn *fn) {
    return emitter_listen(emitter, name, listener, fn, NULL, GYI_LISTEN_ONCE);
}

int gy_prepend(gy_emitter *emitter, const char *name, gy_listener *listener, gy_listener_fn *fn) {
    return emitter_listen(emitter, name, listener, fn, NULL, GYI_LISTEN_FIRST);
}

int gy_prepend_once(gy_emitter *emitter, const char *name, gy_listener *listener, gy_listener_fn *fn) {
    return emitter_listen(emitter, name, listener, fn, NULL, GYI_LISTEN_ONCE | GYI_LISTEN_FIRST);
}

int gyi_listen_typed(gy_emitter *emitter, const char *name, gy_listener *listener, gy_listener_fn *call,
                     void (*typed)(void), unsigned how) {
    return typed ? emitter_listen(emitter, name, listener, call, typed, how) : -EINVAL;
}

int gy_emitter_set_max_listeners(gy_emitter *emitter, int limit) {
    if (limit < 0) return -EINVAL;
    emitter->priv.limit = limit ? (uint32_t)limit : EMITTER_NO_LIMIT;
    return 0;
}

/* ---- no longer listening ------------------------------------------------------------------------------------- */

/* Takes the pending call away from a firing listener. Its emitter is there: closing it ends the firing. */
static void emitter_disarm(const gy_listener *listener) {
    for (gyi_emit *f = listener->emitter->priv.emits; f; f = f->outer) {
        if (f->firing != listener) continue;
        emitter_hold_fire(f);
        return;
    }
}

/* The same for all firing listeners of an event, or of all events when `name` is NULL. */
static void emitter_disarm_all(const gy_emitter *emitter, const char *name) {
    for (gyi_emit *f = emitter->priv.emits; f; f = f->outer)
        if (f->firing && (!name || gyi_event_same(f->firing->name, name))) emitter_hold_fire(f);
}

bool gy_off(gy_listener *listener) {
    gy_emitter *emitter = listener->emitter;
    if (!gyi_listener_on(listener)) {
        bool firing = (listener->priv.flags & GYI_LISTENER_FIRING) != 0;
        if (firing) emitter_disarm(listener);
        return firing;
    }
    gyi_event_remove(listener);
    if (emitter->priv.flags & GYI_EMITTER_REMOVE) emitter_tell(emitter, "removeListener", listener->name, listener);
    return true;
}

/* Removes the listeners that an event has now, from the end, and tells of each. The frame keeps track of those that
 * handlers remove on the way; what they add is not in its range. @return whether the emitter is still there. */
static bool emitter_empty(gy_emitter *emitter, gy_listener *first) {
    gyi_emit frame;
    gyi_emit_push(&frame, emitter, first);
    while (frame.next) {
        gy_listener *listener = frame.last;
        gyi_event_remove(listener);
        if (emitter->priv.flags & GYI_EMITTER_REMOVE) emitter_tell(emitter, "removeListener", listener->name, listener);
    }
    return gyi_emit_pop(&frame);
}

/* The first event that is still doomed, "removeListener" left for the end. */
static gy_listener *emitter_next_doomed(const gy_emitter *emitter) {
    gy_listener *first = emitter->priv.events;
    while (first && (!(first->priv.flags & GYI_LISTENER_DOOMED) || gyi_event_same(first->name, "removeListener")))
        first = first->priv.event_next;
    return first;
}

/* Removes the listeners of all events that there are now, telling of each. Handlers could add events for ever, so only
 * those that are marked at the start are gone through. @return whether the emitter is still there. */
static bool emitter_empty_all(gy_emitter *emitter) {
    gyi_emit guard;
    bool open = true;
    gyi_emit_push(&guard, emitter, NULL);
    for (gy_listener *l = emitter->priv.events; l; l = l->priv.event_next) l->priv.flags |= GYI_LISTENER_DOOMED;
    for (gy_listener *first; open && (first = emitter_next_doomed(emitter));) {
        first->priv.flags &= ~(uint32_t)GYI_LISTENER_DOOMED;
        open = emitter_empty(emitter, first);
    }
    if (open) {
        gy_listener *last = gyi_event_find(emitter, "removeListener");
        if (last) (void)emitter_empty(emitter, last);
    }
    return gyi_emit_pop(&guard);
}

void gy_off_all(gy_emitter *emitter, const char *name) {
    if (name) {
        gy_listener *first = gyi_event_find(emitter, name);
        emitter_disarm_all(emitter, name);
        if (first && !emitter_empty(emitter, first)) return;
    } else {
        if ((emitter->priv.flags & GYI_EMITTER_REMOVE) && !emitter_empty_all(emitter)) return;
        emitter_disarm_all(emitter, NULL);
        gyi_event_remove_all(emitter);
    }
    if (emitter->priv.ties) gyi_ties_tell(emitter);
}

void gy_emitter_close(gy_emitter *emitter) {
    emitter_disarm_all(emitter, NULL);
    gyi_event_remove_all(emitter);
    emitter->priv.flags = 0;
    gyi_ties_cut(emitter);
    for (gyi_emit *f = emitter->priv.emits; f; f = f->outer) f->emitter = NULL;
    emitter->priv.emits = NULL;
}

/* ---- looking ------------------------------------------------------------------------------------------------- */

size_t gy_listener_count(const gy_emitter *emitter, const char *name) {
    const gy_listener *first = gyi_event_find(emitter, name);
    return first ? gyi_event_count(first, SIZE_MAX) : 0;
}

gy_listener *gy_listener_first(const gy_emitter *emitter, const char *name) { return gyi_event_find(emitter, name); }

gy_listener *gy_listener_next(const gy_listener *listener) {
    gy_listener *next = listener->priv.next;
    return next && !next->priv.event_prev ? next : NULL;
}

bool gy_listener_active(const gy_listener *listener) { return gyi_listener_on(listener); }

gy_listener *gy_event_first(const gy_emitter *emitter) { return emitter->priv.events; }

gy_listener *gy_event_next(const gy_listener *first) { return first->priv.event_next; }
