/* SPDX-License-Identifier: ISC */
/* 1,000 writes of 16 bytes to a tcp connection, all made by one callback; when all have been reported, the next 1,000.
 *
 * What is measured is one write. A child reads and throws away what comes, so that only the writer is counted. Both
 * stay on one processor. The count of system calls shows whether writes that are made together leave together.
 */
#ifndef BENCH_WRITE_BATCH_WORKLOAD_H
#define BENCH_WRITE_BATCH_WORKLOAD_H

#include "common/bench.h"

enum { BATCH_WRITES = 1000, BATCH_BYTES = 16 };

/* The bytes of each write. */
extern char batch_message[BATCH_BYTES];

/* Makes the loop, and whatever writes to `fd`: a connected, non-blocking tcp socket. */
void contender_open(int fd);

/* Makes BATCH_WRITES writes. Called before the loop runs, and from inside batch_written(). */
void contender_write(void);

/* Runs the loop until contender_stop(), which batch_written() calls. */
void contender_run(void);
void contender_stop(void);

/* To be called on the loop's thread when `count` writes are done. */
void batch_written(size_t count);

#endif
