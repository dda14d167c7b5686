/* SPDX-License-Identifier: ISC */
/* Emits, takes the time, and counts allocations: malloc is replaced by one that counts, which the dynamic linker allows
 * a program to do, so that "no allocation" is measured and not believed.
 */
#include "emitter/workload.h"

#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t size);

static uint64_t allocations;

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

int main(int argc, char **argv)
{
    uint64_t sums[MOST_LISTENERS] = {0}, payload = 3, size, before;
    struct bench_watch watch;
    size_t listeners;

    bench_init(argc, argv);
    size = bench_arg("size", 10000000);
    listeners = (size_t)bench_arg("listeners", 1);
    bench_must(listeners > 0 && listeners <= MOST_LISTENERS, "have that many listeners");
    contender_open(sums, listeners);
    contender_emit(1000, &payload); /* so that everything is in the caches */
    memset(sums, 0, sizeof sums);
    before = allocations;
    bench_start(&watch);
    contender_emit(size, &payload);
    bench_stop(&watch);
    before = allocations - before;
    for (size_t i = 0; i < listeners; i++)
        bench_must(sums[i] == 3 * size, "call each listener at each emit");
    bench_begin(listeners == 1 ? "emit_1" : "emit_10");
    bench_fact("listeners", (double)listeners);
    bench_fact("allocations", (double)before);
    bench_per_op(&watch, size);
    bench_end();
    return 0;
}
