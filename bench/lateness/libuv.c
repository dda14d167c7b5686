/* SPDX-License-Identifier: ISC */
/* libuv: uv_timer_start() after uv_update_time(). Its clock counts whole milliseconds. */
#include "lateness/workload.h"

#include <uv.h>

const char contender[] = "libuv";

static uv_loop_t loop;
static int64_t wait;

static void on_timer(uv_timer_t *timer)
{
    if (lateness_fired())
        return;
    lateness_start();
    uv_update_time(&loop);
    uv_timer_start(timer, on_timer, (uint64_t)wait / 1000000, 0);
}

void contender_run(int64_t delay)
{
    uv_timer_t timer;

    wait = delay;
    bench_must(uv_loop_init(&loop) == 0, "make a loop");
    uv_timer_init(&loop, &timer);
    lateness_start();
    uv_update_time(&loop);
    uv_timer_start(&timer, on_timer, (uint64_t)wait / 1000000, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
}
