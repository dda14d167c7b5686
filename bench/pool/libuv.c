/* SPDX-License-Identifier: ISC */
/* libuv: uv_queue_work(), with its pool of four threads. */
#include "pool/workload.h"

#include <uv.h>

const char contender[] = "libuv";

static uv_loop_t loop;
static uv_work_t *jobs;

static void on_run(uv_work_t *work)
{
    (void)work;
    pool_job();
}

static void on_done(uv_work_t *work, int status)
{
    (void)work, (void)status;
    pool_done();
}

void contender_open(size_t batch)
{
    bench_must(uv_loop_init(&loop) == 0, "make a loop");
    jobs = bench_alloc(batch, sizeof *jobs);
}

void contender_submit(size_t count)
{
    for (size_t i = 0; i < count; i++)
        bench_must(uv_queue_work(&loop, &jobs[i], on_run, on_done) == 0, "submit a job");
}

void contender_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}
