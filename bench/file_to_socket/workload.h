/* SPDX-License-Identifier: ISC */
/* A file sent over a connection, again and again.
 *
 * The file of 64 MiB is in memory (it was written just before), and another process reads what arrives, as fast as it
 * can. One operation is 1 MiB sent. The processor time is that of the sender alone.
 */
#ifndef BENCH_FILE_TO_SOCKET_WORKLOAD_H
#define BENCH_FILE_TO_SOCKET_WORKLOAD_H

#include "common/bench.h"

/* Takes the file, its length, and a connected socket, which is blocking. */
void contender_open(int file, size_t len, int to);

/* Sends the whole file `passes` times, one after the other. */
void contender_run(unsigned passes);

#endif
