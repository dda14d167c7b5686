/* SPDX-License-Identifier: ISC */
/* The timer wheel: eight levels of 64 slots hold the timers that are not imminent, and a pairing heap those that are.
 *
 * A tick is 2^20 ns. Level L sorts by the L-th group of six bits of a timer's tick, at the highest group in which it
 * differs from `base`: a slot of level 0 is one tick, one of level 5 is 13 days, and no tick is beyond level 7.
 * (Varghese and Lauck 1987, "Hashed and hierarchical timing wheels".) When a slot's first tick comes, the slot is
 * poured: what is due in that very tick goes to the heap, the rest to lower levels. The heap yields timers in the exact
 * order of (due, order).
 *
 * Three things are lazy, because they are done far more often than they matter. A timer that moves to a later time
 * stays in its slot, and is moved when the slot is looked at. An `occupied` bit is not cleared when its slot runs
 * empty, but when it is found so. The next due time is remembered, and looked for only when its timer has gone. */
#ifndef GYI_BASE_WHEEL_H
#define GYI_BASE_WHEEL_H

#include "base/bits.h"
#include "base/heap.h"

enum {
    GYI_TICK_BITS    = 20,
    GYI_WHEEL_BITS   = 6,
    GYI_WHEEL_SLOTS  = 1 << GYI_WHEEL_BITS,
    GYI_WHEEL_LEVELS = 8 /* 48 bits; the tick of the last nanosecond has 43 */
};

/* The flags in the low byte of gyi_timed.order. At most one of the first four is set. */
enum {
    GYI_TIMED_WHEEL   = 1,    /* in a slot */
    GYI_TIMED_HEAP    = 2,    /* in the heap */
    GYI_TIMED_QUEUED  = 4,    /* came due and was taken out; the owner's */
    GYI_TIMED_RUNNING = 8,    /* its callback runs; the owner's */
    GYI_TIMED_UNREF   = 16,   /* the owner's */
    GYI_TIMED_STATE   = 15,   /* all of the states */
    GYI_TIMED_FLAGS   = 0xff  /* all that is not the start order */
};

#define GYI_WHEEL_UNKNOWN INT64_MIN

typedef struct gyi_wheel {
    gyi_timed *heap;    /* every timer whose tick is not after `base` */
    uint64_t base;      /* tick: every timer in a slot is after it, and no slot that begins at or before it is left */
    gy_ns soonest;      /* nothing is due before; GYI_WHEEL_UNKNOWN: to be looked for */
    uint64_t sequence;  /* of the timer that was started last, without flags */
    size_t count;       /* timers in slots and heap */
    uint64_t occupied[GYI_WHEEL_LEVELS]; /* a clear bit: the slot is empty; a set one: it may be */
    gyi_timed *slot[GYI_WHEEL_LEVELS][GYI_WHEEL_SLOTS];
} gyi_wheel;

static inline uint64_t gyi_tick(gy_ns t) { return (uint64_t)t >> GYI_TICK_BITS; }

/* Makes an empty wheel whose clock shows `now`, which is not negative. */
void gyi_wheel_init(gyi_wheel *wheel, gy_ns now);

/* Puts a timer that is in no wheel in, due at `due` (not negative). Keeps its flags but the state. */
void gyi_wheel_insert(gyi_wheel *wheel, gyi_timed *timed, gy_ns due);

/* Takes a timer that is in the wheel out. */
void gyi_wheel_remove(gyi_wheel *wheel, gyi_timed *timed);

/* The next start order, with the flags of a timer. */
static inline uint64_t gyi_wheel_order(gyi_wheel *wheel, const gyi_timed *timed) {
    return (wheel->sequence += GYI_TIMED_FLAGS + 1) | (timed->order & GYI_TIMED_FLAGS);
}

/* Moves a timer that is in a slot to a later time: it stays where it is until the slot is looked at. */
static inline void gyi_wheel_postpone(gyi_wheel *wheel, gyi_timed *timed, gy_ns due) {
    if (timed->due == wheel->soonest) wheel->soonest = GYI_WHEEL_UNKNOWN;
    timed->due = due;
    timed->order = gyi_wheel_order(wheel, timed);
}

/* Takes a timer that is in a slot out of it. Slots are lists with a pointer back to the pointer that points here, so a
 * timer leaves without knowing its slot. */
static inline void gyi_wheel_unslot(gyi_wheel *wheel, gyi_timed *timed) {
    gyi_timed *next = timed->at.link.next, **prev = timed->at.link.prev;
    *prev = next;
    if (next) next->at.link.prev = prev;
    if (timed->due == wheel->soonest) wheel->soonest = GYI_WHEEL_UNKNOWN;
    timed->order &= ~(uint64_t)GYI_TIMED_STATE;
    wheel->count--;
}

/* Takes out the first timer that is due at `now`, or returns NULL. `now` never goes back. */
gyi_timed *gyi_wheel_pop(gyi_wheel *wheel, gy_ns now);

/* Looks for the time before which nothing is due; see gyi_wheel_next(). */
gy_ns gyi_wheel_seek(gyi_wheel *wheel);

/* When to look next: the due time of the first timer; GY_FOREVER when there is none. It is exact, but where more than
 * a handful share a slot that is still far off: there it is the beginning of that slot, so that the work of sorting
 * them is done then. */
static inline gy_ns gyi_wheel_next(gyi_wheel *wheel) {
    return GYI_LIKELY(wheel->soonest != GYI_WHEEL_UNKNOWN) ? wheel->soonest : gyi_wheel_seek(wheel);
}

/* Whether all that this file says of the wheel is true. For tests; looks at everything. */
bool gyi_wheel_check(const gyi_wheel *wheel);

#endif
