/* SPDX-License-Identifier: ISC */
/* How large the handles are that a program embeds, in bytes, and how many descriptors a loop holds that other threads
 * can wake. A library that has no such handle reports nothing.
 */
#ifndef BENCH_MEMORY_WORKLOAD_H
#define BENCH_MEMORY_WORKLOAD_H

#include "common/bench.h"

/* Calls bench_fact() for "io", "timer", "stream", "write", "async", "signal" and "work" as far as there are any. */
void contender_sizes(void);

/* Makes a loop with something on it that other threads can send to. */
void contender_open(void);

#endif
