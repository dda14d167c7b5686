/* SPDX-License-Identifier: ISC */
/* Runs one variant. Resident memory is what the kernel says in /proc/self/statm. */
#include "fibers/workload.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static double resident(void)
{
    unsigned long all = 0, pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");

    bench_must(statm && fscanf(statm, "%lu %lu", &all, &pages) == 2, "read /proc/self/statm");
    fclose(statm);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void measure_memory(uint64_t size)
{
    double before;

    contender_spawn(1);
    before = resident();
    if (!contender_wait(size))
        return;
    bench_fact("bytes", (resident() - before) / (double)size);
}

int main(int argc, char **argv)
{
    void (*run)(uint64_t) = NULL;
    struct bench_watch watch;
    const char *variant;
    uint64_t size;

    bench_init(argc, argv);
    size = bench_arg("size", 1000000);
    variant = bench_arg_text("variant", "fiber_await");
    contender_open();
    if (!strcmp(variant, "context_switch"))
        run = contender_bare;
    else if (!strcmp(variant, "fiber_switch"))
        run = contender_switch;
    else if (!strcmp(variant, "fiber_await"))
        run = contender_await;
    else if (!strcmp(variant, "fiber_spawn"))
        run = contender_spawn;
    else
        bench_must(!strcmp(variant, "fiber_memory"), "know this variant");
    bench_begin(variant);
    if (run) {
        run(2); /* so that everything is there */
        bench_start(&watch);
        run(size);
        bench_stop(&watch);
        bench_per_op(&watch, size);
    } else {
        measure_memory(size);
    }
    bench_end();
    return 0;
}
