/* SPDX-License-Identifier: ISC */
/* libev's handles. A timer needs 16 bytes in the heap's array besides. */
#include "memory/workload.h"

#include <ev.h>

#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-aliasing"

const char contender[] = "libev";

void contender_sizes(void)
{
    bench_fact("io", sizeof(ev_io));
    bench_fact("timer", sizeof(ev_timer));
    bench_fact("async", sizeof(ev_async));
    bench_fact("signal", sizeof(ev_signal));
}

static void on_async(struct ev_loop *loop, ev_async *async, int events)
{
    (void)loop, (void)async, (void)events;
}

void contender_open(void)
{
    static ev_async async;
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);

    bench_must(loop != NULL, "make a loop");
    ev_async_init(&async, on_async);
    ev_async_start(loop, &async);
}
