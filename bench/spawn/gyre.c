/* SPDX-License-Identifier: ISC */
/* gyre: gy_process_spawn(). */
#include "common/gyre_loop.h"
#include "spawn/workload.h"

#include "gyre/process.h"

const char contender[] = "gyre";

static gy_loop *loop;
static gy_process process;

static void on_end(gy_process *p, int err, gy_exit how)
{
    (void)p;
    bench_must(err == 0 && how.code == 0, "run the program");
}

void contender_open(void)
{
    loop = bench_loop();
}

void contender_spawn(void)
{
    gy_process_opts opts = {.program = SPAWN_PROGRAM, .fn = on_end};

    bench_must(gy_process_spawn(loop, &process, opts) == 0, "start the program");
    gy_loop_run(loop);
}
