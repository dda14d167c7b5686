/* SPDX-License-Identifier: ISC */
/* libuv: a uv_poll_t per pipe. */
#include "pipes/workload.h"

#include <uv.h>

const char contender[] = "libuv";

static uv_loop_t loop;
static uv_poll_t *watchers;

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    if (pipes_ready((size_t)(poll - watchers)))
        uv_stop(&loop);
}

void contender_open(const int *fds, size_t count)
{
    bench_must(uv_loop_init(&loop) == 0, "make a loop");
    watchers = bench_alloc(count, sizeof *watchers);
    for (size_t i = 0; i < count; i++) {
        bench_must(uv_poll_init(&loop, &watchers[i], fds[i]) == 0, "watch a pipe");
        uv_poll_start(&watchers[i], UV_READABLE, on_ready);
    }
    uv_run(&loop, UV_RUN_NOWAIT); /* registration is not what is measured */
}

void contender_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}
