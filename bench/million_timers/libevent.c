/* SPDX-License-Identifier: ISC */
/* libevent: events without a descriptor (evtimer). event_add() on a pending one moves it. Time is cached by libevent
 * only inside callbacks, so here each call reads the clock; event_base_update_cache_time() has no effect outside
 * either.
 */
#include "million_timers/workload.h"

#include <event2/event.h>
#include <event2/event_struct.h>

const char contender[] = "libevent";

static struct event_base *base;
static struct event *timers;

static void on_timer(evutil_socket_t fd, short events, void *arg)
{
    (void)fd, (void)events, (void)arg;
    if (timer_fired())
        event_base_loopbreak(base);
}

void contender_open(size_t count)
{
    base = event_base_new();
    bench_must(base != NULL, "make a loop");
    timers = bench_alloc(count, sizeof *timers);
    for (size_t i = 0; i < count; i++)
        evtimer_assign(&timers[i], base, on_timer, NULL);
}

void contender_insert(const int64_t *due, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct timeval after = {.tv_sec = due[i] / 1000000000, .tv_usec = due[i] % 1000000000 / 1000};
        event_add(&timers[i], &after);
    }
}

void contender_restart(const int64_t *due, size_t count)
{
    contender_insert(due, count);
}

void contender_cancel(size_t count)
{
    for (size_t i = 0; i < count; i++)
        event_del(&timers[i]);
}

void contender_expire(size_t count)
{
    (void)count;
    event_base_loop(base, 0);
}
