/* SPDX-License-Identifier: ISC */
/* libevent: a persistent read event for each connection. */
#include "idle_connections/workload.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <unistd.h>

const char contender[] = "libevent";

static struct event_base *base;
static struct event server, *connections;

static void on_ready(evutil_socket_t fd, short events, void *arg)
{
    struct event *connection = arg;

    (void)events;
    if (idle_read(fd))
        return;
    event_del(connection);
    close(fd);
    idle_free((size_t)(connection - connections));
}

static void on_conn(evutil_socket_t listener, short events, void *arg)
{
    int fd = idle_accept(listener);
    struct event *connection;

    (void)events, (void)arg;
    if (fd < 0)
        return;
    connection = &connections[idle_take()];
    bench_must(event_assign(connection, base, fd, EV_READ | EV_PERSIST, on_ready, connection) == 0 &&
                   event_add(connection, NULL) == 0, "watch a connection");
    idle_opened();
}

size_t contender_handle(void)
{
    return sizeof *connections;
}

int contender_listen(size_t most)
{
    int port, fd = idle_socket(&port);

    base = event_base_new();
    connections = calloc(most, sizeof *connections);
    bench_must(base && connections, "make a loop");
    bench_must(event_assign(&server, base, fd, EV_READ | EV_PERSIST, on_conn, NULL) == 0 &&
                   event_add(&server, NULL) == 0, "listen");
    return port;
}

void contender_run(void)
{
    event_base_dispatch(base);
}

void contender_stop(void)
{
    event_base_loopbreak(base);
}
