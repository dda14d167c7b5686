/* SPDX-License-Identifier: ISC */
/* The emitter's invariants, checked in the dumbest way that is complete. For tests: it is linked into a program only
 * when somebody calls it, and its cost is of no concern. */
#include <string.h>

#include "emitter/emitter.h"

enum { CHECK_EVENT_FLAGS = GYI_LISTENER_WARNED | GYI_LISTENER_DOOMED };

/* One ring: neighbours agree, everybody belongs here, and only the first stands for the event. */
static bool check_ring(const gy_emitter *emitter, const gy_listener *first) {
    const gy_listener *l = first;
    do {
        if (!l->priv.next || l->priv.next->priv.prev != l || l->priv.prev->priv.next != l) return false;
        if (l->emitter != emitter || !l->name || !l->priv.fn || !gyi_event_same(l->name, first->name)) return false;
        if (l != first && (l->priv.event_next || l->priv.event_prev || l->priv.flags)) return false;
        l = l->priv.next;
    } while (l != first);
    if (first->priv.flags & ~(uint32_t)CHECK_EVENT_FLAGS) return false;
    return !((first->priv.flags & GYI_LISTENER_WARNED) && first->priv.next == first);
}

/* The list of events: ways back, the last one known to the first, and no name twice. */
static bool check_events(const gy_emitter *emitter) {
    const gy_listener *head = emitter->priv.events, *before = NULL;
    for (const gy_listener *e = head; e; before = e, e = e->priv.event_next) {
        if (e != head && e->priv.event_prev != before) return false;
        if (!check_ring(emitter, e)) return false;
        for (const gy_listener *other = head; other != e; other = other->priv.event_next)
            if (gyi_event_same(other->name, e->name)) return false;
    }
    return !head || head->priv.event_prev == before;
}

/* The emitter's flags say which of the names that mean something are there. */
static bool check_flags(const gy_emitter *emitter) {
    uint32_t flags = 0;
    for (const gy_listener *e = emitter->priv.events; e; e = e->priv.event_next) {
        if (e->name == gy_error_monitor)
            flags |= GYI_EMITTER_MONITOR;
        else if (strcmp(e->name, "newListener") == 0)
            flags |= GYI_EMITTER_NEW;
        else if (strcmp(e->name, "removeListener") == 0)
            flags |= GYI_EMITTER_REMOVE;
    }
    return flags == (emitter->priv.flags & ~(uint32_t)GYI_EMITTER_QUIET);
}

/* Whether `next` to `last` is part of one ring of this emitter and does not pass its first listener again. */
static bool check_range(const gy_emitter *emitter, const gy_listener *next, const gy_listener *last) {
    for (const gy_listener *e = emitter->priv.events; e; e = e->priv.event_next) {
        bool inside = false;
        const gy_listener *l = e;
        do {
            if (l == next) inside = true;
            if (l == last) return inside;
            l = l->priv.next;
        } while (l != e);
        if (inside) return false;
    }
    return false;
}

static bool check_emits(const gy_emitter *emitter) {
    gyi_emit *const *back = &emitter->priv.emits;
    for (const gyi_emit *f = emitter->priv.emits; f; back = &f->outer, f = f->outer) {
        if (f->back != back || f->emitter != emitter) return false;
        if (f->next && !check_range(emitter, f->next, f->last)) return false;
        if (!f->firing) continue;
        if (gyi_listener_on(f->firing) || f->firing->priv.flags != GYI_LISTENER_FIRING) return false;
        for (const gyi_emit *other = f->outer; other; other = other->outer)
            if (other->firing == f->firing) return false;
    }
    return true;
}

static bool check_ties(const gy_emitter *emitter) {
    gyi_tie *const *back = &emitter->priv.ties;
    for (const gyi_tie *t = emitter->priv.ties; t; back = &t->next, t = t->next)
        if (t->prev != back || !t->told || !gyi_emission_check(emitter, t)) return false;
    return true;
}

bool gyi_emitter_check(const gy_emitter *emitter) {
    return check_events(emitter) && check_flags(emitter) && check_emits(emitter) && check_ties(emitter);
}
