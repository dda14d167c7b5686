/* SPDX-License-Identifier: ISC */
/* libev: ev_timer. It is moved with ev_timer_again(), which is cheaper than stop and start; that makes it a repeating
 * timer until it is set anew, which is done before the timers that are to expire are started.
 */
#include "million_timers/workload.h"

#include <ev.h>

#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-aliasing"

const char contender[] = "libev";

static struct ev_loop *loop;
static ev_timer *timers;

static void on_timer(struct ev_loop *l, ev_timer *timer, int events)
{
    (void)timer, (void)events;
    if (timer_fired())
        ev_break(l, EVBREAK_ALL);
}

void contender_open(size_t count)
{
    loop = ev_loop_new(EVBACKEND_EPOLL);
    bench_must(loop != NULL, "make a loop");
    timers = bench_alloc(count, sizeof *timers);
    for (size_t i = 0; i < count; i++)
        ev_init(&timers[i], on_timer);
    ev_now_update(loop);
}

void contender_insert(const int64_t *due, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ev_timer_set(&timers[i], (double)due[i] * 1e-9, 0.);
        ev_timer_start(loop, &timers[i]);
    }
}

void contender_restart(const int64_t *due, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        timers[i].repeat = (double)due[i] * 1e-9;
        ev_timer_again(loop, &timers[i]);
    }
}

void contender_cancel(size_t count)
{
    for (size_t i = 0; i < count; i++)
        ev_timer_stop(loop, &timers[i]);
}

void contender_expire(size_t count)
{
    (void)count;
    ev_run(loop, 0);
}
