/* SPDX-License-Identifier: ISC */
/* Telling an overflow of a fiber's stack from any other bad access, for gy_fiber_debug_overflow().
 *
 * The handler of a signal knows an address and nothing else, so the stacks of the loops that asked for this are known
 * to the process: the only state that loops share, and only on request. A loop takes itself off when it is freed. */
#include "task/fiber.h"

#include <errno.h>

#include "sys/crash.h"

enum { OVERFLOW_LOOPS = 16 };

static _Atomic(gyi_stacks *) overflow_stacks[OVERFLOW_LOOPS];

static bool overflow_at(const void *at) {
    for (int i = 0; i < OVERFLOW_LOOPS; i++) {
        const gyi_stacks *stacks = atomic_load(&overflow_stacks[i]);
        if (stacks && gyi_stacks_guard_at(stacks, at)) return true;
    }
    return false;
}

static void overflow_forget(gyi_stacks *stacks) {
    for (int i = 0; i < OVERFLOW_LOOPS; i++) {
        gyi_stacks *expected = stacks;
        atomic_compare_exchange_strong(&overflow_stacks[i], &expected, NULL);
    }
}

static int overflow_remember(gyi_stacks *stacks) {
    if (stacks->forget) return 0;
    for (int i = 0; i < OVERFLOW_LOOPS; i++) {
        gyi_stacks *expected = NULL;
        if (!atomic_compare_exchange_strong(&overflow_stacks[i], &expected, stacks)) continue;
        stacks->forget = overflow_forget;
        return 0;
    }
    return -EMFILE;
}

int gy_fiber_debug_overflow(gy_loop *loop) {
    gyi_stacks *stacks = gyi_stacks_of(loop);
    if (!stacks) return -ENOMEM;
    int err = overflow_remember(stacks);
    if (err) return err;
    return gyi_crash_watch(&loop->sys, overflow_at, "gyre: the stack of a fiber has overflowed (gy_fiber_opts.stack)");
}
