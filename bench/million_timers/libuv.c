/* SPDX-License-Identifier: ISC */
/* libuv: uv_timer_t. Its unit is the millisecond; uv_timer_start() on an active timer moves it. */
#include "million_timers/workload.h"

#include <uv.h>

const char contender[] = "libuv";

static uv_loop_t loop;
static uv_timer_t *timers;

static void on_timer(uv_timer_t *timer)
{
    if (timer_fired())
        uv_stop(timer->loop);
}

void contender_open(size_t count)
{
    bench_must(uv_loop_init(&loop) == 0, "make a loop");
    timers = bench_alloc(count, sizeof *timers);
    for (size_t i = 0; i < count; i++)
        uv_timer_init(&loop, &timers[i]);
    uv_update_time(&loop);
}

void contender_insert(const int64_t *due, size_t count)
{
    for (size_t i = 0; i < count; i++)
        uv_timer_start(&timers[i], on_timer, (uint64_t)due[i] / 1000000, 0);
}

void contender_restart(const int64_t *due, size_t count)
{
    contender_insert(due, count);
}

void contender_cancel(size_t count)
{
    for (size_t i = 0; i < count; i++)
        uv_timer_stop(&timers[i]);
}

void contender_expire(size_t count)
{
    (void)count;
    uv_run(&loop, UV_RUN_DEFAULT);
}
