/* SPDX-License-Identifier: ISC */
/* Many watched pipes, few of them active: the workload by which event libraries were compared when poll() was new.
 *
 * `pipes` pipes are watched. A byte is put into `active` of them, evenly spread. Whoever finds a byte takes it out and,
 * as long as there are writes left, puts it into the next pipe. So the number of bytes under way stays the same, and so
 * does the number of descriptors found ready per turn, while all the others are dead weight.
 */
#ifndef BENCH_PIPES_WORKLOAD_H
#define BENCH_PIPES_WORKLOAD_H

#include "common/bench.h"

/* Watches fds[0] ... fds[count - 1] for reading. Each callback calls pipes_ready() with the index. */
void contender_open(const int *fds, size_t count);

/* Runs the loop until pipes_ready() has returned true. */
void contender_run(void);

/* Moves the byte on; returns true when it was the last one and the loop is to stop. */
bool pipes_ready(size_t index);

#endif
