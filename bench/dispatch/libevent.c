/* SPDX-License-Identifier: ISC */
/* libevent: persistent read events. A timeout given to a persistent event starts anew with every activation by itself,
 * so no call is needed in the callback. What that costs is the same work as the others do.
 */
#include "dispatch/workload.h"

#include <event2/event.h>

const char contender[] = "libevent";

static struct event_base *base;
static struct event **events_of;
static size_t count;
static uint64_t seen, wanted;

static void on_ready(evutil_socket_t fd, short events, void *arg)
{
    (void)fd, (void)arg;
    if (events & EV_TIMEOUT)
        bench_die("a descriptor was silent for a minute");
    if (++seen >= wanted)
        event_base_loopbreak(base);
}

static void on_ready_relay(evutil_socket_t fd, short events, void *arg)
{
    dispatch_relay(fd, *(int *)arg);
    on_ready(fd, events, arg);
}

void contender_open(const struct dispatch *setup)
{
    struct timeval timeout = {.tv_sec = TIMEOUT_S};

    base = event_base_new();
    bench_must(base != NULL, "make a loop");
    count = setup->count;
    events_of = bench_alloc(count, sizeof(struct event *));
    for (size_t i = 0; i < count; i++) {
        events_of[i] = event_new(base, setup->fds[i], EV_READ | EV_PERSIST,
                                 setup->relay ? on_ready_relay : on_ready, &setup->fds[(i + 1) % count]);
        bench_must(events_of[i] != NULL, "make an event");
        bench_must(event_add(events_of[i], setup->timeouts ? &timeout : NULL) == 0, "watch a descriptor");
    }
}

void contender_run(uint64_t events)
{
    wanted = seen + events;
    event_base_loop(base, 0);
}

void contender_idle(uint64_t turns)
{
    while (turns-- > 0)
        event_base_loop(base, EVLOOP_NONBLOCK);
}

void contender_restart(uint64_t turns)
{
    while (turns-- > 0) {
        for (size_t i = 0; i < count; i++) {
            event_del(events_of[i]);
            event_add(events_of[i], NULL);
        }
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
}
