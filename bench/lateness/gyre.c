/* SPDX-License-Identifier: ISC */
/* gyre: `.after`, which reads the clock. */
#include "common/gyre_loop.h"
#include "lateness/workload.h"

#include "gyre/timer.h"

const char contender[] = "gyre";

static gy_loop *loop;
static int64_t wait;

static void on_timer(gy_timer *timer)
{
    if (lateness_fired())
        return;
    lateness_start();
    gy_timer_start(loop, timer, (gy_timer_opts){.fn = on_timer, .after = wait});
}

void contender_run(int64_t delay)
{
    gy_timer timer = {0};

    wait = delay;
    loop = bench_loop();
    lateness_start();
    gy_timer_start(loop, &timer, (gy_timer_opts){.fn = on_timer, .after = wait});
    gy_loop_run(loop);
}
