/* SPDX-License-Identifier: ISC */
/* What a loop does before it sleeps while jobs are out: it spins for a moment. The answer to a short job is here before
 * a sleep and a wake-up would be over, and its thread need not wake anybody. To spin for as long as those take is never
 * much worse than to know beforehand which is better (Karlin, Li, Manasse, Owicki 1991, "Empirical studies of
 * competitive spinning for a shared-memory multiprocessor"). When nothing comes, some waits do without, each time twice
 * as many, so that long jobs cost next to nothing. */
#include "base/bits.h"
#include "pool/pool.h"
#include "sys/clock.h"

#define SPIN_TIME GY_US(5)     /* about what a sleep and a wake-up cost */
#define SPIN_UNASKED GY_US(50) /* how long answers may keep the loop from asking the kernel */
enum { SPIN_VAIN = 8 };        /* as a power of two: how many waits do without at most */

/* @return whether something came. */
static bool spin_until_something(gy_loop *l, gy_ns *now) {
    gy_ns began = *now;
    while (gyi_inbox_empty(&l->inbox)) {
        gyi_relax();
        *now = gyi_clock_mono();
        if (*now - began < SPIN_TIME) continue;
        if (l->spin.vain < SPIN_VAIN) l->spin.vain++;
        l->spin.off = 1u << l->spin.vain;
        return false;
    }
    l->spin.vain = 0;
    return true;
}

bool gyi_pool_spun(gy_loop *l, gy_ns *now, gy_ns deadline) {
    bool virtual_time = l->poller.ops->now != NULL;
    if (virtual_time || deadline - *now < SPIN_TIME) return false;
    if (l->spin.off) {
        l->spin.off--;
        return false;
    }
    return spin_until_something(l, now) && *now - l->asked < SPIN_UNASKED;
}
