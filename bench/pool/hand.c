/* SPDX-License-Identifier: ISC */
/* By hand: jobs that do nothing, on the threads of common/hand_pool.h. */
#include "common/hand_pool.h"
#include "pool/workload.h"

const char contender[] = "hand";

static struct hand_job *jobs;

static void on_run(struct hand_job *job)
{
    (void)job;
    pool_job();
}

static void on_done(struct hand_job *job)
{
    (void)job;
    pool_done();
}

void contender_open(size_t batch)
{
    jobs = bench_alloc(batch, sizeof *jobs);
    hand_pool_open(POOL_THREADS);
}

void contender_submit(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        jobs[i].run = on_run;
        jobs[i].done = on_done;
        hand_pool_submit(&jobs[i]);
    }
}

void contender_run(void)
{
    hand_pool_run();
}
