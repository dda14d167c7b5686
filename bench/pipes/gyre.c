/* SPDX-License-Identifier: ISC */
/* gyre: a gy_io per pipe; its place in the array is its index. */
#include "common/gyre_loop.h"
#include "pipes/workload.h"

#include "gyre/io.h"

const char contender[] = "gyre";

static gy_loop *loop;
static gy_io *watchers;

static void on_ready(gy_io *io, int err, unsigned events)
{
    (void)err, (void)events;
    if (pipes_ready((size_t)(io - watchers)))
        gy_loop_stop(loop);
}

void contender_open(const int *fds, size_t count)
{
    loop = bench_loop();
    watchers = bench_alloc(count, sizeof *watchers);
    for (size_t i = 0; i < count; i++)
        bench_must(gy_io_start(loop, &watchers[i], fds[i], GY_READABLE, on_ready) == 0, "watch a pipe");
    gy_loop_step(loop, GY_STEP_POLL); /* registration is not what is measured */
}

void contender_run(void)
{
    gy_loop_run(loop);
}
