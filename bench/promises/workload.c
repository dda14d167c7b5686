/* SPDX-License-Identifier: ISC */
/* Runs one variant, and checks that every reaction has run. */
#include "promises/workload.h"

#include <string.h>

static void run(void (*batch)(uint64_t *), uint64_t each, uint64_t size, struct bench_watch *watch)
{
    uint64_t sum = 0;

    for (int i = 0; i < 10; i++)
        batch(&sum); /* so that the memory is there, and in the caches */
    sum = 0;
    bench_start(watch);
    for (uint64_t done = 0; done < size; done += each)
        batch(&sum);
    bench_stop(watch);
    bench_must(sum == size, "run every reaction once");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*batch)(uint64_t *);
        uint64_t each;
    } variants[] = {
        {"promise_then", contender_then, BATCH},
        {"promise_chain", contender_chain, BATCH},
        {"promise_all", contender_all, ALL_COUNT},
    };
    struct bench_watch watch;
    const char *variant;
    uint64_t size;
    size_t i = 0;

    bench_init(argc, argv);
    variant = bench_arg_text("variant", "promise_then");
    size = bench_arg("size", 1000000);
    contender_open();
    bench_begin(variant);
    if (!strcmp(variant, "promise_memory")) {
        bench_fact("bytes", (double)contender_wait(size) / (double)size);
    } else {
        while (i < sizeof variants / sizeof *variants && strcmp(variant, variants[i].name) != 0)
            i++;
        bench_must(i < sizeof variants / sizeof *variants, "know this variant");
        bench_must(size % variants[i].each == 0, "divide the size into batches");
        run(variants[i].batch, variants[i].each, size, &watch);
        bench_per_op(&watch, size);
    }
    bench_end();
    return 0;
}
