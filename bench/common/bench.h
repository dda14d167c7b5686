/* SPDX-License-Identifier: ISC */
/* What every bench program shares: arguments, clocks, a repeatable random sequence, and one line of JSON as output.
 *
 * A workload is a directory. Its `workload.c` has main(), decides what is done how often and takes the time; each
 * contender is one file beside it that does the same thing with another library. What is compared is therefore written
 * once, and a contender's file shows nothing but how that library is used. Programs take arguments as `--name value`.
 */
#ifndef BENCH_COMMON_BENCH_H
#define BENCH_COMMON_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each contender's file defines its name. */
extern const char contender[];

/* Keeps argv for bench_arg(); call it first. */
void bench_init(int argc, char **argv);

/* The value given for `--name`, or `otherwise`. Numbers may end in k or m. */
uint64_t bench_arg(const char *name, uint64_t otherwise);
const char *bench_arg_text(const char *name, const char *otherwise);

/* Ends the program with a sentence when something that the measurement relies on has failed. */
_Noreturn void bench_die(const char *what);
void bench_must(bool ok, const char *what);

/* Zeroed memory that has been touched; ends the program when there is none. */
void *bench_alloc(size_t count, size_t size);

/* Nanoseconds: monotonic time, and processor time (user and system) of all threads of this process. */
int64_t bench_wall(void);
int64_t bench_cpu(void);

/* A stopwatch for both. */
struct bench_watch {
    int64_t wall, cpu;
};
void bench_start(struct bench_watch *watch);
void bench_stop(struct bench_watch *watch); /* afterwards the fields are durations */

/* A repeatable sequence: the same for every contender. */
uint64_t bench_random(uint64_t *state);

/* Puts the whole process (threads and children to come included) on the processor it is running on. */
void bench_pin(void);

/* Raises the limit of open descriptors to at least `count`, or ends the program. */
void bench_descriptors(uint64_t count);

/* Two ends of a tcp connection on the loopback interface, both blocking. */
void bench_tcp_pair(int ends[2]);

/* The output line. */
void bench_begin(const char *workload);
void bench_fact(const char *name, double value);
void bench_fact_text(const char *name, const char *value);
void bench_per_op(const struct bench_watch *watch, uint64_t ops); /* ops, cpu_ns and wall_ns per operation */
void bench_end(void);

#endif
