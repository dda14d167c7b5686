/* SPDX-License-Identifier: ISC */
/* Fibers. An operation is, by variant:
 *
 *   context_switch  from one stack to another, by what fibers are made of and nothing else
 *   fiber_switch    one of two fibers awaits a settled promise, and the other one runs
 *   fiber_await      a fiber awaits a settled promise
 *   fiber_spawn      a fiber is started, and ends at once
 *   fiber_memory    not timed: how much more memory is resident for each fiber that waits
 *
 * By hand there is nothing to wait for: what is called is a function through a pointer that is read anew each time. The
 * difference is what it costs that the function could have waited.
 */
#ifndef BENCH_FIBERS_WORKLOAD_H
#define BENCH_FIBERS_WORKLOAD_H

#include "common/bench.h"

void contender_open(void);

/* Each does `count` operations. */
void contender_bare(uint64_t count);
void contender_switch(uint64_t count);
void contender_await(uint64_t count);
void contender_spawn(uint64_t count);

/* Leaves `count` fibers waiting. False: this contender has none. */
bool contender_wait(uint64_t count);

#endif
