/* SPDX-License-Identifier: ISC */
/* File operations that find everything in the cache, done by a pool of four threads, in two variants:
 *
 *   fs_stat     a stat() of one path
 *   fs_read_4k  4,096 bytes read from the beginning of an open file
 *
 * `--under-way` requests are (16 unless it says otherwise); each is started again when it has been answered, until
 * `size` have been. The kernel's part is short, so what is measured is mostly the way to a thread and back: with 16
 * under way how often somebody has to be woken, with 64 how little else there is.
 */
#ifndef BENCH_FILES_WORKLOAD_H
#define BENCH_FILES_WORKLOAD_H

#include "common/bench.h"

enum { FILES_THREADS = 4, FILES_READ = 4096 };

/* The file, and a descriptor to read from it. Its size is FILES_READ. */
extern const char *files_path;
extern int files_fd;

/* Makes the loop, the pool and memory for so many requests. */
void contender_open(unsigned under_way);

/* Starts request number `index`. */
void contender_stat(unsigned index);
void contender_read(unsigned index);

/* Runs the loop until nothing is under way. */
void contender_run(void);

/* To be called on the loop's thread when a request is done: the size that stat() told, or the bytes that were read. */
void files_done(unsigned index, int64_t result);

#endif
