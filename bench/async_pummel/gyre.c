/* SPDX-License-Identifier: ISC */
/* gyre: gy_async. */
#include "common/gyre_loop.h"
#include "async_pummel/workload.h"

#include "gyre/async.h"

const char contender[] = "gyre";

struct port {
    gy_loop *loop;
    gy_async async;
    bool (*called)(void *arg);
    void *arg;
};

static void on_async(gy_async *async)
{
    struct port *port = GY_OF(async, struct port, async);

    if (port->called(port->arg))
        gy_loop_stop(port->loop);
}

struct port *contender_open(bool (*called)(void *arg), void *arg)
{
    struct port *port = bench_alloc(1, sizeof *port);

    port->called = called;
    port->arg = arg;
    port->loop = bench_loop();
    bench_must(gy_async_start(port->loop, &port->async, on_async) == 0, "make a handle");
    return port;
}

void contender_send(struct port *port)
{
    gy_async_send(&port->async);
}

void contender_run(struct port *port)
{
    gy_loop_run(port->loop);
}
