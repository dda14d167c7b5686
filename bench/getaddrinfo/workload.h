/* SPDX-License-Identifier: ISC */
/* Look-ups of names on a thread pool, in two variants:
 *
 *   getaddrinfo    `size` look-ups of "localhost", 16 at a time, by the C library's getaddrinfo() on four threads
 *   lookups_hang   one stat of "/" at a time on the pool, `size` times, alone and then while a hundred look-ups hang
 *
 * The first asks what the library adds to a look-up. The second asks whether a dead name server holds up the files: its
 * facts are the median of a stat with and without hanging look-ups, in microseconds, and by what factor they differ.
 * Where a stat had to wait until something had ended hanging, as all threads were taken, `hung_us` is 0 and `slowdown`
 * is by how much that stat was slower than one alone. On one processor, as waking another takes longer than a stat.
 */
#ifndef BENCH_GETADDRINFO_WORKLOAD_H
#define BENCH_GETADDRINFO_WORKLOAD_H

#include "common/bench.h"

enum { LOOKUP_THREADS = 4, LOOKUPS_AT_ONCE = 16, HANGING = 100, HANG_SECONDS = 2 };

/* Makes the loop, and the pool if it is made by hand. */
void contender_open(void);

/* Looks up `host`; calls lookup_done() on the loop's thread with the number of the look-up when it is done. */
void contender_lookup(size_t number, const char *host);

/* Begins HANGING look-ups by a resolver that calls hang(), or what comes closest. They call nothing when they are
 * done. */
void contender_hang(void);

/* A stat of "/", which calls stat_done(). */
void contender_stat(void);

/* Runs the loop until contender_stop() is called. */
void contender_run(void);
void contender_stop(void);

/* Sleeps for HANG_SECONDS, on a thread of the pool. */
void hang(void);

void lookup_done(size_t number, bool found);
void stat_done(bool found);

#endif
