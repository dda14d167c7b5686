/* SPDX-License-Identifier: ISC */
/* The timer wheel. What it promises stands in wheel.h; this file keeps three invariants:
 *
 *   1. A timer in a slot has a tick after `base`, and the slot begins after `base`. So slots are met in order, level by
 *      level from the lowest: a lower level lies within the time before the next slot of a higher one.
 *   2. A slot is never later than the timers in it. (It may be earlier, when a timer was moved on. Looking at the slot
 *      puts that right.)
 *   3. A timer whose tick is not after `base` is in the heap, so the heap's first is the first of all. */
#include "base/wheel.h"

#include <string.h>

enum { WHEEL_SEEK_MOST = 16 }; /* how many timers of a far slot are looked at for an exact answer */

static inline unsigned wheel_shift(unsigned level) { return level * GYI_WHEEL_BITS; }

static void wheel_state(gyi_timed *t, uint64_t state) { t->order = (t->order & ~(uint64_t)GYI_TIMED_STATE) | state; }

void gyi_wheel_init(gyi_wheel *w, gy_ns now) {
    memset(w, 0, sizeof *w);
    w->base = gyi_tick(now);
    w->soonest = GY_FOREVER;
}

static inline void slot_push(gyi_timed **slot, gyi_timed *t) {
    gyi_timed *first = *slot;
    *slot = t;
    t->at.link.prev = slot;
    t->at.link.next = first;
    if (first) first->at.link.prev = &t->at.link.next;
}

/* Puts a timer whose tick is after `base` into its slot. */
static inline void wheel_slot(gyi_wheel *w, gyi_timed *t, uint64_t tick) {
    size_t level = gyi_bit_high(tick ^ w->base) * 43 >> 8; /* divided by 6 */
    size_t index = (size_t)(tick >> wheel_shift((unsigned)level)) % GYI_WHEEL_SLOTS;
    w->occupied[level] |= UINT64_C(1) << index;
    slot_push(w->slot[level] + index, t);
}

static GYI_APART void wheel_heap(gyi_wheel *w, gyi_timed *t) { gyi_heap_insert(&w->heap, t); }

void gyi_wheel_insert(gyi_wheel *w, gyi_timed *t, gy_ns due) {
    uint64_t tick = gyi_tick(due), order = gyi_wheel_order(w, t) & ~(uint64_t)GYI_TIMED_STATE;
    t->due = due;
    w->count++;
    if (due < w->soonest) w->soonest = due;
    if (GYI_LIKELY(tick > w->base)) {
        t->order = order | GYI_TIMED_WHEEL;
        wheel_slot(w, t, tick);
    } else {
        t->order = order | GYI_TIMED_HEAP;
        wheel_heap(w, t);
    }
}

void gyi_wheel_remove(gyi_wheel *w, gyi_timed *t) {
    if (t->order & GYI_TIMED_WHEEL) {
        gyi_wheel_unslot(w, t);
        return;
    }
    if (t->due == w->soonest) w->soonest = GYI_WHEEL_UNKNOWN;
    gyi_heap_remove(&w->heap, t);
    wheel_state(t, 0);
    w->count--;
}

/* Finds the first slot that is not empty and stores the tick with which it begins. Clears the bits of empty ones. */
static gyi_timed **wheel_first(gyi_wheel *w, unsigned *level, uint64_t *begin) {
    for (unsigned l = 0; l < GYI_WHEEL_LEVELS; l++) {
        while (w->occupied[l]) {
            unsigned index = gyi_bit_low(w->occupied[l]);
            if (w->slot[l][index]) {
                unsigned shift = wheel_shift(l);
                *level = l;
                *begin = (w->base >> shift >> GYI_WHEEL_BITS << GYI_WHEEL_BITS | index) << shift;
                return &w->slot[l][index];
            }
            w->occupied[l] &= w->occupied[l] - 1;
        }
    }
    return NULL;
}

/* Empties a slot whose first tick has come: what is due in that tick goes to the heap, sorted at once, as it is going
 * to be taken out soon; the rest to lower levels. */
static void wheel_pour(gyi_wheel *w, gyi_timed **slot) {
    gyi_timed *due = NULL;
    gyi_timed *t = *slot;
    *slot = NULL;
    for (gyi_timed *next; t; t = next) {
        next = t->at.link.next;
        uint64_t tick = gyi_tick(t->due);
        if (tick > w->base) {
            wheel_slot(w, t, tick);
        } else {
            t->order += GYI_TIMED_HEAP - GYI_TIMED_WHEEL;
            t->at.link.next = due;
            due = t;
        }
    }
    if (due) gyi_heap_insert_list(&w->heap, due);
}

/* Moves `base` on to the first slot that begins by `limit` and pours it, or else to `limit`. Whether it poured. */
static bool wheel_step(gyi_wheel *w, uint64_t limit) {
    unsigned level;
    uint64_t begin;
    gyi_timed **slot = wheel_first(w, &level, &begin);
    if (!slot || begin > limit) {
        w->base = limit;
        return false;
    }
    w->base = begin;
    wheel_pour(w, slot);
    return true;
}

gyi_timed *gyi_wheel_pop(gyi_wheel *w, gy_ns now) {
    for (;;) {
        if (w->heap && w->heap->due <= now) {
            gyi_timed *t = gyi_heap_pop(&w->heap);
            w->soonest = GYI_WHEEL_UNKNOWN;
            w->count--;
            wheel_state(t, 0);
            return t;
        }
        if (GYI_LIKELY(w->base >= gyi_tick(now))) {
            /* What is due next was known as the beginning of a slot that has run empty since. */
            if (w->soonest <= now) w->soonest = GYI_WHEEL_UNKNOWN;
            return NULL;
        }
        if (wheel_step(w, gyi_tick(now))) w->soonest = GYI_WHEEL_UNKNOWN;
    }
}

static void slot_unlink(gyi_timed *t) {
    gyi_timed *next = t->at.link.next, **prev = t->at.link.prev;
    *prev = next;
    if (next) next->at.link.prev = prev;
}

/* The first due time in a slot, after moving out the timers that belong to later ones; GY_FOREVER when none is left.
 * A slot of many is not searched: its beginning will do. */
static gy_ns wheel_seek_slot(gyi_wheel *w, gyi_timed **slot, unsigned level, uint64_t begin) {
    uint64_t end = begin + (UINT64_C(1) << wheel_shift(level));
    gy_ns first = GY_FOREVER;
    int looked = 0;
    for (gyi_timed *t = *slot, *next; t; t = next) {
        if (++looked > WHEEL_SEEK_MOST) return (gy_ns)(begin << GYI_TICK_BITS);
        next = t->at.link.next;
        if (gyi_tick(t->due) >= end) {
            slot_unlink(t);
            wheel_slot(w, t, gyi_tick(t->due));
        } else if (t->due < first) {
            first = t->due;
        }
    }
    return first;
}

gy_ns gyi_wheel_seek(gyi_wheel *w) {
    gy_ns next = GY_FOREVER;
    unsigned level;
    uint64_t begin;
    gyi_timed **slot;
    if (w->heap) next = w->heap->due;
    else
        while (next == GY_FOREVER && (slot = wheel_first(w, &level, &begin)) != NULL)
            next = wheel_seek_slot(w, slot, level, begin);
    w->soonest = next;
    return next;
}

static bool wheel_check_slot(const gyi_wheel *w, unsigned level, unsigned index, size_t *count) {
    gyi_timed *const *slot = &w->slot[level][index];
    if (!*slot) return true;
    if (!(w->occupied[level] >> index & 1)) return false;
    unsigned shift = wheel_shift(level);
    uint64_t begin = (w->base >> shift >> GYI_WHEEL_BITS << GYI_WHEEL_BITS | index) << shift;
    if (begin <= w->base) return false;
    const void *prev = slot;
    for (const gyi_timed *t = *slot; t; t = t->at.link.next) {
        if (t->at.link.prev != prev || (t->order & GYI_TIMED_STATE) != GYI_TIMED_WHEEL) return false;
        if (gyi_tick(t->due) < begin || (w->soonest != GYI_WHEEL_UNKNOWN && t->due < w->soonest)) return false;
        prev = &t->at.link.next;
        ++*count;
    }
    return true;
}

bool gyi_wheel_check(const gyi_wheel *w) {
    size_t count;
    if (!gyi_heap_check(w->heap, &count)) return false;
    if (w->heap && w->soonest != GYI_WHEEL_UNKNOWN && w->heap->due < w->soonest) return false;
    for (unsigned l = 0; l < GYI_WHEEL_LEVELS; l++)
        for (unsigned i = 0; i < GYI_WHEEL_SLOTS; i++)
            if (!wheel_check_slot(w, l, i, &count)) return false;
    return count == w->count;
}
