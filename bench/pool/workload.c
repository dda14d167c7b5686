/* SPDX-License-Identifier: ISC */
/* Keeps one batch of jobs under way until `--size` jobs are done. See workload.h. */
#include "pool/workload.h"

#include <string.h>

static size_t batch, answered;
static uint64_t batches_left;

void pool_job(void)
{
}

void pool_done(void)
{
    if (++answered < batch)
        return;
    answered = 0;
    if (--batches_left > 0)
        contender_submit(batch);
}

int main(int argc, char **argv)
{
    struct bench_watch watch;
    const char *variant;
    uint64_t size;

    bench_init(argc, argv);
    variant = bench_arg_text("variant", "queue_work");
    batch = strncmp(variant, "pool_round_trip", 15) == 0 ? 1 : BATCH_JOBS;
    /* Between two processors, a round trip measures how long an idle one takes to wake: it is measured both ways. */
    if (strcmp(variant, "pool_round_trip") == 0)
        bench_pin();
    size = bench_arg("size", 100000) / batch;
    bench_must(size > 0, "make at least one batch");
    contender_open(batch);
    batches_left = 1; /* starts the threads */
    contender_submit(batch);
    contender_run();
    batches_left = size;
    bench_start(&watch);
    contender_submit(batch);
    contender_run();
    bench_stop(&watch);
    bench_must(batches_left == 0, "get an answer for each job");
    bench_begin(variant);
    bench_per_op(&watch, size * batch);
    bench_end();
    return 0;
}
