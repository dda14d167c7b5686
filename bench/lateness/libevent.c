/* SPDX-License-Identifier: ISC */
/* libevent: an event without a descriptor, after event_base_update_cache_time(). */
#include "lateness/workload.h"

#include <event2/event.h>
#include <event2/event_struct.h>

const char contender[] = "libevent";

static struct event_base *base;
static struct event timer;
static struct timeval wait;

static void on_timer(evutil_socket_t fd, short events, void *arg)
{
    (void)fd, (void)events, (void)arg;
    if (lateness_fired())
        return;
    lateness_start();
    event_base_update_cache_time(base);
    event_add(&timer, &wait);
}

void contender_run(int64_t delay)
{
    base = event_base_new();
    bench_must(base != NULL, "make a loop");
    wait = (struct timeval){.tv_sec = delay / 1000000000, .tv_usec = delay % 1000000000 / 1000};
    evtimer_assign(&timer, base, on_timer, NULL);
    lateness_start();
    event_add(&timer, &wait);
    event_base_loop(base, 0);
}
