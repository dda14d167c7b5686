/* SPDX-License-Identifier: ISC */
/* The structure under the emitter: events by name, the rings of their listeners, and the frames that walk them.
 *
 * It owns the links in emitters and listeners and calls nobody. A listener is either idle (`next` is NULL) or on the
 * ring of exactly one event; a ring has exactly one first listener, the one whose `event_prev` is not NULL. The list of
 * events ends with NULL in `event_next`, so that a search is short, while `event_prev` of the first event is the last
 * one, so that an event is added at the end without a walk. */
#include <string.h>

#include "emitter/emitter.h"

bool gyi_event_same(const char *a, const char *b) {
    if (a == b) return true;
    return a != gy_error_monitor && b != gy_error_monitor && strcmp(a, b) == 0;
}

/* The first character decides nearly always; comparing it here saves the call. */
gy_listener *gyi_event_find_text(const gy_emitter *emitter, const char *name) {
    if (!name) return NULL;
    for (gy_listener *first = emitter->priv.events; first; first = first->priv.event_next)
        if (*first->name == *name && gyi_event_same(first->name, name)) return first;
    return NULL;
}

size_t gyi_event_count(const gy_listener *first, size_t most) {
    size_t count = 0;
    const gy_listener *listener = first;
    do {
        count++;
        listener = listener->priv.next;
    } while (listener != first && count < most);
    return count;
}

/* The flag of the emitter that says that this name has listeners. */
static uint32_t event_flag(const char *name) {
    if (name == gy_error_monitor) return GYI_EMITTER_MONITOR;
    if (strcmp(name, "newListener") == 0) return GYI_EMITTER_NEW;
    if (strcmp(name, "removeListener") == 0) return GYI_EMITTER_REMOVE;
    return 0;
}

/* Adds an event whose only listener is `first`. */
static void event_open(gy_emitter *emitter, gy_listener *first) {
    gy_listener *head = emitter->priv.events;
    first->priv.next = first->priv.prev = first;
    first->priv.event_next = NULL;
    if (head) {
        first->priv.event_prev = head->priv.event_prev;
        head->priv.event_prev->priv.event_next = first;
        head->priv.event_prev = first;
    } else {
        first->priv.event_prev = first;
        emitter->priv.events = first;
    }
    emitter->priv.flags |= event_flag(first->name);
}

/* Drops the event of `first` from the list. */
static void event_shut(gy_emitter *emitter, gy_listener *first) {
    gy_listener *head = emitter->priv.events, *next = first->priv.event_next, *prev = first->priv.event_prev;
    if (first == head)
        emitter->priv.events = next;
    else
        prev->priv.event_next = next;
    if (next)
        next->priv.event_prev = prev;
    else if (first != head)
        head->priv.event_prev = prev;
    emitter->priv.flags &= ~event_flag(first->name);
}

/* Has `heir` stand for the event instead of `first`, on the same ring: place on the list and flags. */
static void event_hand_on(gy_emitter *emitter, gy_listener *first, gy_listener *heir) {
    gy_listener *head = emitter->priv.events, *next = first->priv.event_next, *prev = first->priv.event_prev;
    heir->priv.event_next = next;
    heir->priv.event_prev = prev;
    heir->priv.flags = first->priv.flags;
    if (first == head)
        emitter->priv.events = heir;
    else
        prev->priv.event_next = heir;
    if (next)
        next->priv.event_prev = heir;
    else
        emitter->priv.events->priv.event_prev = heir;
    first->priv.event_next = first->priv.event_prev = NULL;
    first->priv.flags = 0;
}

void gyi_event_add(gy_emitter *emitter, gy_listener *listener, bool front) {
    gy_listener *first = gyi_event_find(emitter, listener->name);
    listener->priv.flags = 0;
    if (!first) {
        event_open(emitter, listener);
        return;
    }
    gy_listener *last = first->priv.prev;
    listener->priv.next = first;
    listener->priv.prev = last;
    last->priv.next = first->priv.prev = listener;
    listener->priv.event_next = listener->priv.event_prev = NULL;
    if (front) event_hand_on(emitter, first, listener);
}

/* Not inline, because gcc 12 would see a local address stored in the emitter but not that gyi_emit_pop() takes it out
 * again, and warn of a dangling pointer. */
void gyi_emit_push(gyi_emit *frame, gy_emitter *emitter, gy_listener *first) {
    frame->emitter = emitter;
    frame->next = first;
    frame->last = first ? first->priv.prev : NULL;
    frame->firing = NULL;
    frame->outer = emitter->priv.emits;
    frame->back = &emitter->priv.emits;
    if (frame->outer) frame->outer->back = &frame->outer;
    emitter->priv.emits = frame;
}

/* Ranges need mending only while something walks this emitter, which is rare outside of listeners. */
static void event_leave_ranges(const gy_emitter *emitter, const gy_listener *listener) {
    for (gyi_emit *f = emitter->priv.emits; f; f = f->outer) {
        if (f->next == listener)
            f->next = f->last == listener ? NULL : listener->priv.next;
        else if (f->last == listener)
            f->last = listener->priv.prev;
    }
}

void gyi_event_remove(gy_listener *listener) {
    gy_emitter *emitter = listener->emitter;
    gy_listener *next = listener->priv.next, *prev = listener->priv.prev;
    event_leave_ranges(emitter, listener);
    if (next == listener) {
        event_shut(emitter, listener);
    } else {
        if (listener->priv.event_prev) event_hand_on(emitter, listener, next);
        prev->priv.next = next;
        next->priv.prev = prev;
        if (next == prev) next->priv.flags &= ~(uint32_t)GYI_LISTENER_WARNED;
    }
    listener->priv.next = listener->priv.prev = NULL;
    listener->priv.event_next = listener->priv.event_prev = NULL;
    listener->priv.flags = 0;
}

/* Makes the listeners of one event idle, without a thought for the list of events. */
static void event_scatter(gy_listener *first) {
    gy_listener *listener = first;
    do {
        gy_listener *next = listener->priv.next;
        listener->priv.next = listener->priv.prev = NULL;
        listener->priv.event_next = listener->priv.event_prev = NULL;
        listener->priv.flags = 0;
        listener = next;
    } while (listener != first);
}

void gyi_event_remove_all(gy_emitter *emitter) {
    for (gyi_emit *f = emitter->priv.emits; f; f = f->outer) f->next = f->last = NULL;
    while (emitter->priv.events) {
        gy_listener *first = emitter->priv.events;
        emitter->priv.events = first->priv.event_next;
        event_scatter(first);
    }
    emitter->priv.flags &= GYI_EMITTER_QUIET;
}
