/* SPDX-License-Identifier: ISC */
/* What a loop does before it sleeps while jobs are out: it spins for a moment. The answer to a short job is here before
 * a sleep and a wake-up would be over, and its thread need not wake anybody. To spin for as long as those take is never
 * much worse than to know beforehand which is better (Karlin, Li, Manasse, Owicki 1991, "Empirical studies of
 * competitive spinning for a shared-memory multiprocessor"). When nothing comes, some waits do without, each time twice
 * as many, so that long jobs cost next to nothing.
 *
 * A loop that is awake can also mind a lane: it sees whether the workers get on, so that the lane can do with few while
 * the jobs are short. It ends that before it sleeps for longer than a moment, and when it is not run any more. */
#include "base/bits.h"
#include "pool/pool.h"
#include "sys/clock.h"

#define SPIN_TIME GY_US(5)     /* about what a sleep and a wake-up cost */
#define SPIN_UNASKED GY_US(50) /* how long answers may keep the loop from asking the kernel */
#define SPIN_ON GY_US(3)       /* for the answers that follow the first when many are out */
#define MIND_TIME GY_US(50)    /* how often it looks whether the workers get on, also when it sleeps */
enum {
    SPIN_VAIN = 8, /* as a power of two: how many waits do without at most */
    SPIN_MANY = 8, /* more jobs than this are many */
    SPIN_GOOD = 8, /* how many in a row must be good for something until the loop minds a lane */
    MIND_MANY = 128
};

/* Virtual time does not go on by itself. */
static bool spin_never(const gy_loop *l) { return l->poller.ops->now != NULL; }

/* ---- minding a lane ---------------------------------------------------------------------------------------------- */

/* A sleep with a time limit costs more than one without. So it should not come often, as it would where spins are in
 * vain because the workers have no processor meanwhile; or it should be for many jobs. */
static bool mind_pays(const gy_loop *l, unsigned good) { return good >= SPIN_GOOD || l->working >= MIND_MANY; }

static void mind_look(gy_loop *l, gy_ns now) {
    if (now - l->spin.looked < MIND_TIME) return;
    l->spin.looked = now;
    if (!gyi_lane_look(l->spin.minded, l, now)) l->spin.minded = NULL;
}

static void mind_leave(gy_loop *l) {
    gyi_lane_leave(l->spin.minded, l);
    l->spin.minded = NULL;
}

/* The jobs that it hands over hold the pool, so it minds the lane until the last of them is home, at most. */
gy_loop *gyi_pool_mind(gy_loop *l, gyi_lane *lane) {
    if (l->spin.minded) return l->spin.minded == lane ? l : NULL;
    if (l->working < 2 || lane->few >= lane->most || spin_never(l) || !mind_pays(l, l->spin.good)) return NULL;
    l->spin.minded = lane;
    l->spin.jobs = 0;
    if (++l->spin.time == 0) l->spin.time = 1;
    l->spin.look = mind_look;
    l->spin.leave = mind_leave;
    l->spin.looked = l->now;
    return l;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static void spin_was_in_vain(gy_loop *l) {
    if (l->spin.vain < SPIN_VAIN) l->spin.vain++;
    l->spin.off = 1u << l->spin.vain;
}

/* To take what is there takes the inbox away from the worker's processor, which has to get it back for the next answer;
 * so when many are out, a few answers are let come together. */
static void spin_on(gy_ns *now) {
    gy_ns until = *now + SPIN_ON;
    while (*now < until) {
        gyi_relax();
        *now = gyi_clock_mono();
    }
}

/* @return whether something came. */
static bool spin_until_something(gy_loop *l, gy_ns *now) {
    gy_ns began = *now;
    while (gyi_inbox_empty(&l->inbox)) {
        gyi_relax();
        *now = gyi_clock_mono();
        if (*now - began >= SPIN_TIME) return false;
    }
    l->spin.vain = 0;
    if (l->spin.good < SPIN_GOOD) l->spin.good++;
    if (l->working > SPIN_MANY) spin_on(now);
    return true;
}

/* Sleeps, for a moment at first if that pays, and ends the minding when nothing comes. */
static int mind_sleep(gy_loop *l, unsigned good, gy_ns now, gy_ns deadline) {
    if (mind_pays(l, good) && deadline - now > MIND_TIME) {
        int n = gyi_loop_sleep(l, now, now + MIND_TIME);
        if (n || !gyi_inbox_empty(&l->inbox)) return n;
        now = gyi_clock_mono();
    }
    mind_leave(l);
    spin_was_in_vain(l);
    return gyi_loop_sleep(l, now, deadline);
}

int gyi_pool_wait(gy_loop *l, gy_ns now, gy_ns deadline) {
    bool spins = !spin_never(l) && deadline - now >= SPIN_TIME + SPIN_ON;
    if (spins && l->spin.off) {
        l->spin.off--;
        spins = false;
    }
    if (spins && spin_until_something(l, &now)) {
        if (now - l->asked < SPIN_UNASKED) return 0;
        if (l->spin.minded) mind_look(l, now);
        return gyi_loop_sleep(l, now, deadline);
    }
    unsigned good = l->spin.good;
    if (spins) l->spin.good = 0;
    if (l->spin.minded) return mind_sleep(l, good, now, deadline);
    if (spins) spin_was_in_vain(l);
    return gyi_loop_sleep(l, now, deadline);
}
