/* SPDX-License-Identifier: ISC */
/* Trivial jobs on a thread pool of four threads, in two variants:
 *
 *   queue_work       `size` jobs in batches of 1,000; the next batch is submitted when the last one has been answered
 *   pool_round_trip  one job at a time, there and back, `size` times
 *
 * The jobs do nothing, so what is measured is the way there and the way back.
 */
#ifndef BENCH_POOL_WORKLOAD_H
#define BENCH_POOL_WORKLOAD_H

#include "common/bench.h"

enum { POOL_THREADS = 4, BATCH_JOBS = 1000 };

/* Makes the loop, the pool and memory for `batch` jobs. */
void contender_open(size_t batch);

/* Submits the first `count` jobs. Called before the loop runs, and from inside pool_done(). */
void contender_submit(size_t count);

/* Runs the loop until nothing is under way. */
void contender_run(void);

/* What each job does in its thread, and what it calls on the loop's thread when it is done. */
void pool_job(void);
void pool_done(void);

#endif
