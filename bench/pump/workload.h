/* SPDX-License-Identifier: ISC */
/* Throughput: one side writes as fast as it can, the other reads.
 *
 * Both ends of one connection are in one loop on one processor, so that what is measured is the cost of moving bytes
 * and not who wakes whom. Writes are of 64 KiB, four may be under way, reads have a buffer of 64 KiB. One operation is
 * 64 KiB written and read. The connection is tcp over loopback, or a pair of local sockets.
 */
#ifndef BENCH_PUMP_WORKLOAD_H
#define BENCH_PUMP_WORKLOAD_H

#include "common/bench.h"

enum { PUMP_BYTES = 65536, PUMP_INFLIGHT = 4 };

/* What is written, and where it is read to. */
extern char pump_payload[PUMP_BYTES], pump_sink[PUMP_BYTES];

/* Whether the sockets are local ones, for who has a kind of handle for each. */
extern bool pump_local;

/* Takes two connected non-blocking sockets: the one to write to, and the one to read from. */
void contender_open(int to, int from);

/* Runs the loop until pump_got() has said that it was all. */
void contender_run(void);

/* Whether another PUMP_BYTES are to be written; counts them. */
bool pump_next(void);

/* To be called for what a read has brought; returns whether that was all. */
bool pump_got(size_t bytes);

#endif
