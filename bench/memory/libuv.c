/* SPDX-License-Identifier: ISC */
/* libuv's handles. */
#include "memory/workload.h"

#include <uv.h>

const char contender[] = "libuv";

void contender_sizes(void)
{
    bench_fact("io", sizeof(uv_poll_t));
    bench_fact("timer", sizeof(uv_timer_t));
    bench_fact("stream", sizeof(uv_tcp_t));
    bench_fact("write", sizeof(uv_write_t));
    bench_fact("async", sizeof(uv_async_t));
    bench_fact("signal", sizeof(uv_signal_t));
    bench_fact("work", sizeof(uv_work_t));
}

static void on_async(uv_async_t *async)
{
    (void)async;
}

void contender_open(void)
{
    static uv_loop_t loop;
    static uv_async_t async;

    bench_must(uv_loop_init(&loop) == 0 && uv_async_init(&loop, &async, on_async) == 0, "make a loop");
}
