/* SPDX-License-Identifier: ISC */
/* libev: ev_timer after ev_now_update(). */
#include "lateness/workload.h"

#include <ev.h>

#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-aliasing"

const char contender[] = "libev";

static double wait;

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    if (lateness_fired())
        return;
    lateness_start();
    ev_now_update(loop);
    ev_timer_set(timer, wait, 0.);
    ev_timer_start(loop, timer);
}

void contender_run(int64_t delay)
{
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);
    ev_timer timer;

    bench_must(loop != NULL, "make a loop");
    wait = (double)delay * 1e-9;
    lateness_start();
    ev_now_update(loop);
    ev_timer_init(&timer, on_timer, wait, 0.);
    ev_timer_start(loop, &timer);
    ev_run(loop, 0);
}
