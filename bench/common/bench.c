/* SPDX-License-Identifier: ISC */
/* Arguments, clocks and output of the bench programs. Nothing here runs while a measurement runs, so it is written for
 * the reader; the only care taken is that the output is a single line, which run.py parses.
 */
#include "common/bench.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int arg_count;
static char **arg_values;

void bench_init(int argc, char **argv)
{
    arg_count = argc;
    arg_values = argv;
    for (int i = 1; i < argc; i += 2) {
        if (strncmp(argv[i], "--", 2) != 0 || i + 1 == argc) {
            fprintf(stderr, "%s: arguments come in pairs: --name value\n", argv[0]);
            exit(2);
        }
    }
}

const char *bench_arg_text(const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < arg_count; i += 2) {
        if (strcmp(arg_values[i] + 2, name) == 0)
            return arg_values[i + 1];
    }
    return otherwise;
}

uint64_t bench_arg(const char *name, uint64_t otherwise)
{
    const char *text = bench_arg_text(name, NULL);
    char *end;
    uint64_t value;

    if (!text)
        return otherwise;
    value = strtoull(text, &end, 10);
    if (*end == 'k')
        value *= 1000, end++;
    else if (*end == 'm')
        value *= 1000000, end++;
    if (end == text || *end) {
        fprintf(stderr, "--%s wants a number, not \"%s\"\n", name, text);
        exit(2);
    }
    return value;
}

void bench_die(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", contender, what, errno ? strerror(errno) : "failed");
    exit(1);
}

void bench_must(bool ok, const char *what)
{
    if (!ok)
        bench_die(what);
}

void *bench_alloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    volatile char *touched = memory;

    bench_must(memory != NULL, "allocate");
    for (size_t at = 0; at < count * size; at += 4096)
        touched[at] = 0; /* so that the kernel's first-touch faults do not fall into what is measured */
    return memory;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec ts;

    bench_must(clock_gettime(clock, &ts) == 0, "read the clock");
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t bench_wall(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t bench_cpu(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void bench_start(struct bench_watch *watch)
{
    watch->cpu = bench_cpu();
    watch->wall = bench_wall();
}

void bench_stop(struct bench_watch *watch)
{
    watch->wall = bench_wall() - watch->wall;
    watch->cpu = bench_cpu() - watch->cpu;
}

/* A Weyl sequence through a multiplicative hash: short, and good enough to scatter due times. */
uint64_t bench_random(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

void bench_pin(void)
{
    cpu_set_t set;
    int cpu = sched_getcpu();

    bench_must(cpu >= 0, "find the processor");
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    bench_must(sched_setaffinity(0, sizeof set, &set) == 0, "stay on one processor");
}

void bench_descriptors(uint64_t count)
{
    struct rlimit limit;

    bench_must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "read the limit of open descriptors");
    if (limit.rlim_cur >= count)
        return;
    limit.rlim_cur = count;
    if (limit.rlim_max < count)
        limit.rlim_max = count;
    bench_must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "raise the limit of open descriptors");
}

void bench_tcp_pair(int ends[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int server = socket(AF_INET, SOCK_STREAM, 0);

    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    bench_must(server >= 0 && ends[0] >= 0, "make sockets");
    bench_must(bind(server, (struct sockaddr *)&at, len) == 0 && listen(server, 1) == 0, "listen");
    bench_must(getsockname(server, (struct sockaddr *)&at, &len) == 0, "ask for the port");
    bench_must(connect(ends[0], (struct sockaddr *)&at, len) == 0, "connect");
    ends[1] = accept(server, NULL, NULL);
    bench_must(ends[1] >= 0, "accept");
    close(server);
}

void bench_begin(const char *workload)
{
    printf("{\"workload\": \"%s\", \"contender\": \"%s\"", workload, contender);
}

void bench_fact(const char *name, double value)
{
    printf(", \"%s\": %.6g", name, value);
}

void bench_fact_text(const char *name, const char *value)
{
    printf(", \"%s\": \"%s\"", name, value);
}

void bench_per_op(const struct bench_watch *watch, uint64_t ops)
{
    printf(", \"ops\": %llu", (unsigned long long)ops);
    bench_fact("cpu_ns", (double)watch->cpu / (double)ops);
    bench_fact("wall_ns", (double)watch->wall / (double)ops);
}

void bench_end(void)
{
    printf("}\n");
    bench_must(fflush(stdout) == 0, "print");
}
