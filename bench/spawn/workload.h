/* SPDX-License-Identifier: ISC */
/* Starts /bin/true and waits for its end, `size` times, one after the other, with no descriptors redirected:
 *
 *   spawn_small  from a process as it is
 *   spawn_large  from one that has `--resident` MiB of memory, all of it touched (default: 4096)
 *
 * What a child costs is nearly all the kernel's: making it, the program's start and its end. What is compared is
 * whether the memory of the parent is part of the price.
 */
#ifndef BENCH_SPAWN_WORKLOAD_H
#define BENCH_SPAWN_WORKLOAD_H

#include "common/bench.h"

#define SPAWN_PROGRAM "/bin/true"

/* Makes the loop. */
void contender_open(void);

/* Starts one program, and runs the loop until its end was told. */
void contender_spawn(void);

#endif
