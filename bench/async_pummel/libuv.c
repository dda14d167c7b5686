/* SPDX-License-Identifier: ISC */
/* libuv: uv_async_t. */
#include "async_pummel/workload.h"

#include <uv.h>

const char contender[] = "libuv";

struct port {
    uv_loop_t loop;
    uv_async_t async;
    bool (*called)(void *arg);
    void *arg;
};

static void on_async(uv_async_t *async)
{
    struct port *port = async->data;

    if (port->called(port->arg))
        uv_stop(&port->loop);
}

struct port *contender_open(bool (*called)(void *arg), void *arg)
{
    struct port *port = bench_alloc(1, sizeof *port);

    port->called = called;
    port->arg = arg;
    bench_must(uv_loop_init(&port->loop) == 0, "make a loop");
    bench_must(uv_async_init(&port->loop, &port->async, on_async) == 0, "make a handle");
    port->async.data = port;
    return port;
}

void contender_send(struct port *port)
{
    uv_async_send(&port->async);
}

void contender_run(struct port *port)
{
    uv_run(&port->loop, UV_RUN_DEFAULT);
}
