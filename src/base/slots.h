/* SPDX-License-Identifier: ISC */
/* The slot table: one slot for each descriptor number, which says who watches it and what the kernel was told.
 *
 * What the kernel is given to remember is a token, `generation << 32 | descriptor`, never a pointer. The generation
 * goes up whenever the kernel's registration is dropped or replaced, so an event that was meant for an earlier user of
 * the number finds another generation here and is known for stale.
 *
 * Slots whose watchers changed are on a list, threaded through the slots by number, until the loop has told the
 * kernel.
 *
 * A slot is 16 bytes, as there is one for each idle connection. So the descriptor's half of the token is not stored,
 * and the generation has 31 bits: the highest bit of one that the kernel has is always set, and in the slot it says
 * that there is exactly one watcher. A slot that nobody uses is all zero, but for the first: the token of a backend's
 * own wake-up (GYI_TOKEN_WAKE) is 0 and must be like none. */
#ifndef GYI_BASE_SLOTS_H
#define GYI_BASE_SLOTS_H

#include <stdbool.h>

#include "base/alloc.h"

typedef struct gyi_watch gyi_watch;

/* Of `changed`; otherwise it is the next changed descriptor, plus 1. */
enum { GYI_SLOT_CLEAN = 0, GYI_SLOT_END = 0x7fffff };

enum { GYI_SLOT_HAVE = 0x3f }; /* all that `have` may be */

#define GYI_SLOT_QUICK UINT32_C(0x80000000)

typedef struct gyi_slot {
    gyi_watch *first;    /* the watchers, a list through their `next` */
    uint32_t generation; /* of the token that the kernel has or will get; with GYI_SLOT_QUICK it is the token's upper
                            half and there is exactly one watcher: see gyi_io_collect() */
    unsigned have : 6;   /* what the kernel watches for: GY_READABLE ..., GY_EDGE; 0: not registered */
    unsigned fresh : 1;  /* the number may be another file since the kernel was told: tell it again */
    unsigned always : 1; /* the kernel does not watch such files: always ready, as poll() has it */
    unsigned again : 1;  /* somebody new wants edges, who must hear of the present state: tell it again */
    unsigned changed : 23; /* see above */
} gyi_slot;

typedef struct gyi_slots {
    gyi_slot *at;
    uint32_t cap;
    uint32_t changed; /* the first on the list of changed slots, plus 1; GYI_SLOT_END when there is none */
} gyi_slots;

static inline void gyi_slots_init(gyi_slots *slots) { *slots = (gyi_slots){NULL, 0, GYI_SLOT_END}; }

/* Makes room for descriptor `fd` (not negative). @return 0 or -ENOMEM with the table as it was. */
int gyi_slots_reserve(gyi_slots *slots, const gy_alloc *alloc, int fd);

/* The token of a slot: never 0. */
static inline uint64_t gyi_slot_token(const gyi_slot *slot, int fd) {
    return (uint64_t)(slot->generation | GYI_SLOT_QUICK) << 32 | (uint32_t)fd;
}

/* Begins the next generation of a slot, which is never 0; it is not quick. */
static inline void gyi_slot_renew(gyi_slot *slot) {
    uint32_t next = (slot->generation + 1) & ~GYI_SLOT_QUICK;
    slot->generation = next ? next : 1;
}

/* The slot that a token was made for, or NULL when the token is stale. Tokens come back from the kernel as they were
 * made here, and the table never shrinks, so the descriptor in one is always within it; it must not be empty. */
static inline gyi_slot *gyi_slots_find(const gyi_slots *slots, uint64_t token) {
    gyi_slot *slot = &slots->at[(uint32_t)token];
    return gyi_slot_token(slot, (int)(uint32_t)token) == token ? slot : NULL;
}

/* Puts a slot on the list of changed ones, once. */
static inline void gyi_slots_change(gyi_slots *slots, int fd) {
    gyi_slot *slot = &slots->at[fd];
    if (slot->changed != GYI_SLOT_CLEAN) return;
    slot->changed = slots->changed & GYI_SLOT_END;
    slots->changed = (uint32_t)fd + 1;
}

/* Takes the next changed descriptor off the list; -1 when there is none. */
static inline int gyi_slots_take(gyi_slots *slots) {
    if (slots->changed == GYI_SLOT_END) return -1;
    int fd = (int)slots->changed - 1;
    slots->changed = slots->at[fd].changed;
    slots->at[fd].changed = GYI_SLOT_CLEAN;
    return fd;
}

/* Whether the list of changed slots and the lists of watchers are whole. For tests. */
bool gyi_slots_check(const gyi_slots *slots);

#endif
