/* SPDX-License-Identifier: ISC */
/* gyre's handles. Nothing else is allocated per handle, apart from a slot per watched descriptor. */
#include "common/gyre_loop.h"
#include "memory/workload.h"

#include "gyre/async.h"
#include "gyre/io.h"
#include "gyre/pool.h"
#include "gyre/signal.h"
#include "gyre/stream.h"
#include "gyre/timer.h"

const char contender[] = "gyre";

void contender_sizes(void)
{
    bench_fact("io", sizeof(gy_io));
    bench_fact("timer", sizeof(gy_timer));
    bench_fact("stream", sizeof(gy_stream));
    bench_fact("write", sizeof(gy_write));
    bench_fact("async", sizeof(gy_async));
    bench_fact("signal", sizeof(gy_signal));
    bench_fact("work", sizeof(gy_work));
}

static void on_async(gy_async *async)
{
    (void)async;
}

void contender_open(void)
{
    static gy_async async;

    bench_must(gy_async_start(bench_loop(), &async, on_async) == 0, "make a handle");
}
