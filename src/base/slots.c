/* SPDX-License-Identifier: ISC */
/* The slot table's growth. It grows by half, from a kilobyte on, so a server of ten thousand connections copies it a
 * dozen times in its life, and at most a third of it is of no use; it never shrinks, as the kernel hands out the lowest
 * numbers first. */
#include "base/slots.h"

#include <errno.h>

enum { SLOTS_FIRST = 64, SLOTS_MOST = GYI_SLOT_END - 1 }; /* the most: so that numbers, plus 1, fit `changed` */

_Static_assert(sizeof(gyi_slot) == 8 + sizeof(gyi_watch *), "what an idle connection costs");

int gyi_slots_reserve(gyi_slots *slots, const gy_alloc *alloc, int fd) {
    uint32_t need = (uint32_t)fd + 1;
    if (need <= slots->cap) return 0;
    if (need > SLOTS_MOST) return -ENOMEM;
    uint32_t cap = slots->cap + slots->cap / 2;
    if (cap < need) cap = need;
    if (cap < SLOTS_FIRST) cap = SLOTS_FIRST;
    if (cap > SLOTS_MOST) cap = SLOTS_MOST;
    gyi_slot *at = gyi_alloc_grow(alloc, slots->at, slots->cap * sizeof(gyi_slot), cap * sizeof(gyi_slot));
    if (!at) return -ENOMEM;
    if (!slots->cap) gyi_slot_renew(&at[0]);
    slots->at = at;
    slots->cap = cap;
    return 0;
}

bool gyi_slots_check(const gyi_slots *slots) {
    size_t listed = 0, marked = 0;
    for (uint32_t next = slots->changed; next != GYI_SLOT_END; next = slots->at[next - 1].changed)
        if (next < 1 || next > slots->cap || ++listed > slots->cap) return false;
    for (uint32_t fd = 0; fd < slots->cap; fd++) {
        if (slots->at[fd].changed != GYI_SLOT_CLEAN) marked++;
        for (const gyi_watch *w = slots->at[fd].first; w; w = w->next)
            if (w->fd != (int)fd) return false;
    }
    return listed == marked;
}
