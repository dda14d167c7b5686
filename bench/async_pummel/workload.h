/* SPDX-License-Identifier: ISC */
/* Waking a loop from another thread, in two variants:
 *
 *   async_pummel  `threads` threads send to one handle as fast as they can until `size` callbacks were seen
 *   two_loops     two loops in two threads on one processor wake each other in turn, `size` times there and back
 *
 * Sends coalesce, so async_pummel counts callbacks, not sends; how many sends went into one is reported beside it.
 */
#ifndef BENCH_ASYNC_PUMMEL_WORKLOAD_H
#define BENCH_ASYNC_PUMMEL_WORKLOAD_H

#include "common/bench.h"

/* One loop with one handle that can be sent to; `called` runs on the loop's thread. */
struct port;
struct port *contender_open(bool (*called)(void *arg), void *arg);

/* Any thread. */
void contender_send(struct port *port);

/* Runs the loop until `called` has returned true. */
void contender_run(struct port *port);

#endif
