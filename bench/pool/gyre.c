/* SPDX-License-Identifier: ISC */
/* gyre: gy_pool_submit() to a pool of its own with four threads for the lane that is used, as libuv has. */
#include "common/gyre_loop.h"
#include "pool/workload.h"

#include "gyre/pool.h"

const char contender[] = "gyre";

static gy_loop *loop;
static gy_pool *pool;
static gy_work *jobs;

static void on_run(gy_work *work)
{
    (void)work;
    pool_job();
}

static void on_done(gy_work *work, int err)
{
    (void)work, (void)err;
    pool_done();
}

void contender_open(size_t batch)
{
    gy_pool_opts opts = {.threads = {[GY_LANE_IO] = POOL_THREADS}};

    loop = bench_loop();
    bench_must(gy_pool_new(&pool, opts) == 0, "make a pool");
    jobs = bench_alloc(batch, sizeof *jobs);
}

void contender_submit(size_t count)
{
    gy_work_opts opts = {.run = on_run, .done = on_done, .pool = pool};

    for (size_t i = 0; i < count; i++)
        bench_must(gy_pool_submit(loop, &jobs[i], opts) == 0, "submit a job");
}

void contender_run(void)
{
    gy_loop_run(loop);
}
