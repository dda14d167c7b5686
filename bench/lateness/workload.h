/* SPDX-License-Identifier: ISC */
/* How late timers fire on a machine that has nothing else to do.
 *
 * One timer after the other, each `every` microseconds long (3,000 unless told otherwise), for two seconds. A timer's
 * time begins when it is asked for: contenders that count from a time they read earlier are made to read it anew first,
 * so that all are asked for the same. Firing before the time is over counts as early.
 */
#ifndef BENCH_LATENESS_WORKLOAD_H
#define BENCH_LATENESS_WORKLOAD_H

#include "common/bench.h"

/* To be called right before a timer is started, and first thing in its callback; the latter returns true when it was
 * the last one.
 */
void lateness_start(void);
bool lateness_fired(void);

/* Runs timers of `delay` nanoseconds one after the other until lateness_fired() returns true. */
void contender_run(int64_t delay);

#endif
