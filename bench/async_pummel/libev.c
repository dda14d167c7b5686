/* SPDX-License-Identifier: ISC */
/* libev: ev_async. */
#include "async_pummel/workload.h"

#include <ev.h>

#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-aliasing"

const char contender[] = "libev";

struct port {
    ev_async async;
    struct ev_loop *loop;
    bool (*called)(void *arg);
    void *arg;
};

static void on_async(struct ev_loop *loop, ev_async *async, int events)
{
    struct port *port = (struct port *)(void *)async;

    (void)events;
    if (port->called(port->arg))
        ev_break(loop, EVBREAK_ALL);
}

struct port *contender_open(bool (*called)(void *arg), void *arg)
{
    struct port *port = bench_alloc(1, sizeof *port);

    port->called = called;
    port->arg = arg;
    port->loop = ev_loop_new(EVBACKEND_EPOLL);
    bench_must(port->loop != NULL, "make a loop");
    ev_async_init(&port->async, on_async);
    ev_async_start(port->loop, &port->async);
    return port;
}

void contender_send(struct port *port)
{
    ev_async_send(port->loop, &port->async);
}

void contender_run(struct port *port)
{
    ev_run(port->loop, 0);
}
