/* SPDX-License-Identifier: ISC */
/* The slot table: one slot for each descriptor number, which says who watches it and what the kernel was told.
 *
 * What the kernel is given to remember is a token, `generation << 32 | descriptor`, never a pointer. The generation
 * goes up whenever the kernel's registration is dropped or replaced, so an event that was meant for an earlier user of
 * the number finds another generation here and is known for stale.
 *
 * Slots whose watchers changed are on a list, threaded through the slots by number, until the loop has told the
 * kernel. */
#ifndef GYI_BASE_SLOTS_H
#define GYI_BASE_SLOTS_H

#include <stdbool.h>

#include "base/alloc.h"

typedef struct gyi_watch gyi_watch;

enum {
    GYI_SLOT_FRESH  = 1, /* the number may be another file since the kernel was told: tell it again */
    GYI_SLOT_ALWAYS = 2, /* the kernel does not watch such files: always ready, as poll() has it */
    GYI_SLOT_AGAIN  = 4  /* somebody new wants edges, who must hear of the present state: tell it again */
};

enum { GYI_SLOT_END = -1, GYI_SLOT_CLEAN = 0 }; /* of `changed`; otherwise the next changed descriptor, plus 1 */

#define GYI_SLOT_SLOW UINT64_MAX /* no token: its descriptor would be -1 */

typedef struct gyi_slot {
    uint64_t quick;   /* the token while there is exactly one watcher, else GYI_SLOT_SLOW: see gyi_io_collect() */
    uint64_t token;   /* what the kernel has or will get */
    gyi_watch *first; /* the watchers, a list through their `next` */
    uint16_t have;    /* what the kernel watches for: GY_READABLE ..., GY_EDGE; 0: not registered */
    uint16_t flags;
    int32_t changed; /* see above */
} gyi_slot;

typedef struct gyi_slots {
    gyi_slot *at;
    uint32_t cap;
    int32_t changed; /* the first on the list of changed slots, plus 1; GYI_SLOT_END when there is none */
} gyi_slots;

static inline void gyi_slots_init(gyi_slots *slots) { *slots = (gyi_slots){NULL, 0, GYI_SLOT_END}; }

/* Makes room for descriptor `fd` (not negative). @return 0 or -ENOMEM with the table as it was. */
int gyi_slots_reserve(gyi_slots *slots, const gy_alloc *alloc, int fd);

/* A token of the next generation for a slot. No generation is 0, so no token is. */
static inline void gyi_slot_renew(gyi_slot *slot, int fd) {
    uint32_t generation = (uint32_t)(slot->token >> 32) + 1;
    slot->token = (uint64_t)(generation ? generation : 1) << 32 | (uint32_t)fd;
}

/* The slot that a token was made for, or NULL when the token is stale. Tokens come back from the kernel as they were
 * made here, and the table never shrinks, so the descriptor in one is always within it; it must not be empty. */
static inline gyi_slot *gyi_slots_find(const gyi_slots *slots, uint64_t token) {
    gyi_slot *slot = &slots->at[(uint32_t)token];
    return slot->token == token ? slot : NULL;
}

/* Puts a slot on the list of changed ones, once. */
static inline void gyi_slots_change(gyi_slots *slots, int fd) {
    gyi_slot *slot = &slots->at[fd];
    if (slot->changed != GYI_SLOT_CLEAN) return;
    slot->changed = slots->changed;
    slots->changed = fd + 1;
}

/* Takes the next changed descriptor off the list; -1 when there is none. */
static inline int gyi_slots_take(gyi_slots *slots) {
    if (slots->changed == GYI_SLOT_END) return -1;
    int fd = slots->changed - 1;
    slots->changed = slots->at[fd].changed;
    slots->at[fd].changed = GYI_SLOT_CLEAN;
    return fd;
}

/* Whether the list of changed slots and the lists of watchers are whole. For tests. */
bool gyi_slots_check(const gyi_slots *slots);

#endif
