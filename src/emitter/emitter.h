/* SPDX-License-Identifier: ISC */
/* What the emitter's files share: the ring of an event's listeners, and the frame of a running emit.
 *
 * An event is nothing of its own. Its listeners form a ring, and the first of them stands for the event: it is on the
 * emitter's list of events and carries the event's flags. When it goes or another is put before it, it hands both on.
 *
 * Whoever calls out while it walks a ring keeps its place in a frame on its own stack, and the frame is known to the
 * emitter. A frame is a range of the ring that shrinks: `next` to `last` are still to be visited. Taking a listener off
 * a ring takes it out of every range; what is added comes before `next` or after `last`, so it is in none. */
#ifndef GYI_EMITTER_EMITTER_H
#define GYI_EMITTER_EMITTER_H

#include <stdbool.h>

#include "gyre/emitter.h"

/* Flags of an emitter: which of the names that mean something have listeners; and whether what listeners return is
 * looked at, which is for those who call them (task/capture.c). */
enum {
    GYI_EMITTER_NEW     = 1,
    GYI_EMITTER_REMOVE  = 2,
    GYI_EMITTER_MONITOR = 4,
    GYI_EMITTER_QUIET   = 8
};

/* Flags of a listener. The first two belong to the event and stand with its first listener. */
enum {
    GYI_LISTENER_WARNED = 1, /* the leak hook has been told */
    GYI_LISTENER_DOOMED = 2, /* gy_off_all() of everything has still to come to this event */
    GYI_LISTENER_FIRING = 4  /* removed for its one call, which "removeListener" handlers hold up */
};

typedef struct gyi_emit {
    gy_emitter *emitter;      /* NULL when it was closed: touch nothing any more */
    gy_listener *next, *last; /* still to be visited; `next` is NULL when there are none */
    gy_listener *firing;      /* the one with GYI_LISTENER_FIRING that this emit will call, or NULL */
    struct gyi_emit *outer;   /* the emitter's other frames, in a list that any of them can leave, */
    struct gyi_emit **back;   /* since emits on fibers need not end in order */
} gyi_emit;

static inline bool gyi_listener_on(const gy_listener *listener) { return listener->priv.next != NULL; }

/* Puts a frame on the emitter's list, with the whole ring of `first` (or nothing, when NULL) for its range. */
void gyi_emit_push(gyi_emit *frame, gy_emitter *emitter, gy_listener *first);

/* Takes a frame off the list. @return whether the emitter is still there; if not, there is nothing to take off. */
static inline bool gyi_emit_pop(gyi_emit *frame) {
    if (!frame->emitter) return false;
    *frame->back = frame->outer;
    if (frame->outer) frame->outer->back = frame->back;
    return true;
}

/* The first half of gy_emit(), for those who walk an event on their own: monitors are called, and if there is nobody
 * then, what gy_emit() does about that is done. @return the first listener, for gyi_emit_push() and gyi_emit_next();
 * NULL when there is none, and `*result` is what gy_emit() would have returned. */
gy_listener *gyi_emit_first(gy_emitter *emitter, const char *name, const void *payload, int *result);

/* The next listener of a frame that is to be called: out of the range, and removed if this is its only call. NULL when
 * there is none, or the emitter was closed. */
gy_listener *gyi_emit_next(gyi_emit *frame);

/* The first listener of the event with this text, or NULL. The slow half of gyi_event_find(). */
gy_listener *gyi_event_find_text(const gy_emitter *emitter, const char *name);

static inline gy_listener *gyi_event_find(const gy_emitter *emitter, const char *name) {
    for (gy_listener *first = emitter->priv.events; first; first = first->priv.event_next)
        if (first->name == name) return first;
    return gyi_event_find_text(emitter, name);
}

/* Whether two names are the same event. */
bool gyi_event_same(const char *a, const char *b);

/* How many listeners the event of `first` has, but counting no further than `most`. */
size_t gyi_event_count(const gy_listener *first, size_t most);

/* Puts an idle listener, its public fields filled in, on the event `listener->name`: at the end or at the front. */
void gyi_event_add(gy_emitter *emitter, gy_listener *listener, bool front);

/* Takes a listener off its event, and out of the range of every running emit. */
void gyi_event_remove(gy_listener *listener);

/* Takes all listeners off all events. No emit has anything left to visit then. */
void gyi_event_remove_all(gy_emitter *emitter);

/* ---- ties ---- */
typedef struct gyi_tie gyi_tie;

/* What has happened. A tie that is told of the close is off the list and must not call into the program. */
enum { GYI_TIE_CLOSED = 0, GYI_TIE_OFF = 1 /* gy_off_all() has removed listeners, perhaps those that matter here */ };

/* Tied to an emitter; `told(tie, how)` says whether it may have called into the program. */
void gyi_tie_to(gy_emitter *emitter, gyi_tie *tie, bool (*told)(gyi_tie *, int how));

/* Off the list. One that is on none is ignored. */
void gyi_untie(gyi_tie *tie);

static inline bool gyi_tied(const gyi_tie *tie) { return tie->prev != NULL; }

/* Tells all of an emitter that is being closed, and takes them off. */
void gyi_ties_cut(gy_emitter *emitter);

/* Tells all that listeners were removed. The emitter may be gone afterwards. */
void gyi_ties_tell(gy_emitter *emitter);

/* Whether a tie is no emission, or one that is queued as it should be. For tests. */
bool gyi_emission_check(const gy_emitter *emitter, const gyi_tie *tie);

/* Whether everything that emitter.md calls an invariant holds. For tests. */
bool gyi_emitter_check(const gy_emitter *emitter);

#endif
