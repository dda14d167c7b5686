/* SPDX-License-Identifier: ISC */
/* A great many one-shot timers: start all, move all, stop all, and let all expire.
 *
 * Due times are pseudo-random, the same for every contender, uniform over `spread` (4 s unless told otherwise), and are
 * given in nanoseconds from the loop's own idea of now, which nobody reads anew. Timers are handled in the order of
 * their array, which has nothing to do with the order of their due times.
 */
#ifndef BENCH_MILLION_TIMERS_WORKLOAD_H
#define BENCH_MILLION_TIMERS_WORKLOAD_H

#include "common/bench.h"

/* Makes the loop and `count` idle timers whose callback calls timer_fired(). Afterwards now is fresh. */
void contender_open(size_t count);

/* Starts (or, as the contender does that best, restarts) timer `i` to be due in `due[i]` nanoseconds, for all. */
void contender_insert(const int64_t *due, size_t count);
void contender_restart(const int64_t *due, size_t count);

/* Stops all. */
void contender_cancel(size_t count);

/* Runs the loop until `count` timers have fired. All are due when this is called. */
void contender_expire(size_t count);

/* To be called by each timer's callback; returns true when it was the last one. */
extern size_t timers_left;
static inline bool timer_fired(void)
{
    return --timers_left == 0;
}

#endif
