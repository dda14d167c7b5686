/* SPDX-License-Identifier: ISC */
/* The slot table's growth. It doubles, from a page on, so a server of ten thousand connections copies it eight times in
 * its life; it never shrinks, as the kernel hands out the lowest numbers first. */
#include "base/slots.h"

#include <errno.h>

#include "base/bits.h"

enum { SLOTS_FIRST = 64, SLOTS_MOST = 1 << 26 }; /* the most: so that sizes fit 32 bits */

int gyi_slots_reserve(gyi_slots *slots, const gy_alloc *alloc, int fd) {
    uint32_t need = (uint32_t)fd + 1;
    if (need <= slots->cap) return 0;
    if (need > SLOTS_MOST) return -ENOMEM;
    uint32_t cap = need < SLOTS_FIRST ? SLOTS_FIRST : gyi_pow2_up(need);
    gyi_slot *at = gyi_alloc_grow(alloc, slots->at, slots->cap * sizeof(gyi_slot), cap * sizeof(gyi_slot));
    if (!at) return -ENOMEM;
    for (uint32_t i = slots->cap; i < cap; i++) at[i].quick = GYI_SLOT_SLOW;
    slots->at = at;
    slots->cap = cap;
    return 0;
}

bool gyi_slots_check(const gyi_slots *slots) {
    size_t listed = 0, marked = 0;
    for (int32_t next = slots->changed; next != GYI_SLOT_END; next = slots->at[next - 1].changed)
        if (next < 1 || (uint32_t)next > slots->cap || ++listed > slots->cap) return false;
    for (uint32_t fd = 0; fd < slots->cap; fd++) {
        if (slots->at[fd].changed != GYI_SLOT_CLEAN) marked++;
        for (const gyi_watch *w = slots->at[fd].first; w; w = w->next)
            if (w->fd != (int)fd) return false;
    }
    return listed == marked;
}
