/* SPDX-License-Identifier: ISC */
/* Starts one program after another. See workload.h. */
#include "spawn/workload.h"

#include <string.h>
#include <sys/mman.h>

enum { MIB = 1 << 20, PAGE = 4096 };

/* Small pages, as the memory of a program that has grown over time has. */
static void reside(uint64_t mib)
{
    size_t size = (size_t)mib * MIB;
    char *memory;

    if (size == 0)
        return;
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bench_must(memory != MAP_FAILED, "map the memory");
#ifdef MADV_NOHUGEPAGE
    (void)madvise(memory, size, MADV_NOHUGEPAGE);
#endif
    for (size_t at = 0; at < size; at += PAGE)
        memory[at] = 1;
}

int main(int argc, char **argv)
{
    struct bench_watch watch;
    const char *variant;
    uint64_t size;

    bench_init(argc, argv);
    variant = bench_arg_text("variant", "spawn_small");
    size = bench_arg("size", 500);
    if (strcmp(variant, "spawn_large") == 0)
        reside(bench_arg("resident", 4096));
    contender_open();
    contender_spawn(); /* what is made at the first time */
    bench_start(&watch);
    for (uint64_t i = 0; i < size; i++)
        contender_spawn();
    bench_stop(&watch);
    bench_begin(variant);
    bench_per_op(&watch, size);
    bench_end();
    return 0;
}
