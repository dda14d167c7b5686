/* SPDX-License-Identifier: ISC */
/* libevent: event_active() on an event without a descriptor, with locking switched on, which is how its documentation
 * has other threads wake a loop.
 */
#include "async_pummel/workload.h"

#include <event2/event.h>
#include <event2/thread.h>

const char contender[] = "libevent";

struct port {
    struct event_base *base;
    struct event *event;
    bool (*called)(void *arg);
    void *arg;
};

static void on_event(evutil_socket_t fd, short events, void *arg)
{
    struct port *port = arg;

    (void)fd, (void)events;
    if (port->called(port->arg))
        event_base_loopbreak(port->base);
}

struct port *contender_open(bool (*called)(void *arg), void *arg)
{
    struct port *port = bench_alloc(1, sizeof *port);

    bench_must(evthread_use_pthreads() == 0, "switch locking on");
    port->called = called;
    port->arg = arg;
    port->base = event_base_new();
    bench_must(port->base != NULL, "make a loop");
    port->event = event_new(port->base, -1, EV_READ | EV_PERSIST, on_event, port);
    bench_must(port->event != NULL, "make an event");
    return port;
}

void contender_send(struct port *port)
{
    event_active(port->event, EV_READ, 0);
}

void contender_run(struct port *port)
{
    event_base_loop(port->base, EVLOOP_NO_EXIT_ON_EMPTY);
}
