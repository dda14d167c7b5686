/* SPDX-License-Identifier: ISC */
/* libevent: a persistent read event per pipe. */
#include "pipes/workload.h"

#include <event2/event.h>
#include <event2/event_struct.h>

const char contender[] = "libevent";

static struct event_base *base;
static struct event *watchers;

static void on_ready(evutil_socket_t fd, short events, void *arg)
{
    (void)fd, (void)events;
    if (pipes_ready((size_t)((struct event *)arg - watchers)))
        event_base_loopbreak(base);
}

void contender_open(const int *fds, size_t count)
{
    base = event_base_new();
    bench_must(base != NULL, "make a loop");
    watchers = bench_alloc(count, sizeof *watchers);
    for (size_t i = 0; i < count; i++) {
        event_assign(&watchers[i], base, fds[i], EV_READ | EV_PERSIST, on_ready, &watchers[i]);
        bench_must(event_add(&watchers[i], NULL) == 0, "watch a pipe");
    }
}

void contender_run(void)
{
    event_base_loop(base, 0);
}
