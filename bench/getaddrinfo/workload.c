/* SPDX-License-Identifier: ISC */
/* Keeps look-ups or stats under way until `--size` of them are done. See workload.h. */
#include "getaddrinfo/workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static size_t started, answered, size;
static int64_t *took, began;

void hang(void)
{
    const struct timespec time = {HANG_SECONDS, 0};

    nanosleep(&time, NULL);
}

static void lookup_next(size_t number)
{
    if (started == size)
        return;
    started++;
    contender_lookup(number, "localhost");
}

void lookup_done(size_t number, bool found)
{
    bench_must(found, "look up localhost");
    if (++answered == size)
        contender_stop();
    else
        lookup_next(number);
}

static void measure_lookups(void)
{
    struct bench_watch watch;

    bench_start(&watch);
    for (size_t i = 0; i < LOOKUPS_AT_ONCE; i++)
        lookup_next(i);
    contender_run();
    bench_stop(&watch);
    bench_begin("getaddrinfo");
    bench_per_op(&watch, size);
    bench_end();
}

static void stat_next(void)
{
    began = bench_wall();
    contender_stat();
}

void stat_done(bool found)
{
    bench_must(found, "stat /");
    took[answered++] = bench_wall() - began;
    if (answered == size)
        contender_stop();
    else
        stat_next();
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* The median of `size` stats, in microseconds. */
static double measure_stats(void)
{
    answered = 0;
    stat_next();
    contender_run();
    qsort(took, size, sizeof *took, compare);
    return (double)took[size / 2] / 1000;
}

static void measure_hanging(void)
{
    double alone, hung, first;

    bench_pin();
    took = bench_alloc(size, sizeof *took);
    measure_stats(); /* starts the threads */
    alone = measure_stats();
    contender_hang();
    size = size / 2;
    hung = measure_stats();
    first = (double)took[size - 1] / 1000;
    bench_begin("lookups_hang");
    bench_fact("alone_us", alone);
    /* A stat that waited until the hanging look-ups were over was not answered beside them. */
    first = first < HANG_SECONDS * 500000.0 ? first : 0;
    bench_fact("hung_us", first > 0 ? hung : 0);
    bench_fact("slowdown", first > 0 ? hung / alone : (double)took[size - 1] / 1000 / alone);
    bench_end();
}

int main(int argc, char **argv)
{
    const char *variant;

    bench_init(argc, argv);
    variant = bench_arg_text("variant", "getaddrinfo");
    size = bench_arg("size", strcmp(variant, "lookups_hang") == 0 ? 2000 : 20000);
    bench_must(size > 1, "do anything");
    contender_open();
    if (strcmp(variant, "lookups_hang") == 0)
        measure_hanging();
    else
        measure_lookups();
    fflush(NULL);
    _exit(0); /* without waiting for what hangs */
}
