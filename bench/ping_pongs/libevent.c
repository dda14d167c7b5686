/* SPDX-License-Identifier: ISC */
/* libevent: a persistent read event per connection, read and write in its callback. A bufferevent would be the other
 * usual way; it copies every message into and out of two buffers and is slower here, so libevent gets the quicker one.
 */
#include "ping_pongs/raw.h"
#include "ping_pongs/workload.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

const char contender[] = "libevent";

struct conn {
    struct event event;
    char buf[BUFFER_SIZE];
};

static struct event_base *base;
static struct event *server;
static unsigned open_conns;

static void on_ready(evutil_socket_t fd, short events, void *arg)
{
    struct conn *conn = arg;

    (void)events;
    if (raw_echo(fd, conn->buf))
        return;
    event_del(&conn->event);
    close(fd);
    free(conn);
    if (--open_conns == 0)
        event_base_loopbreak(base);
}

static void on_conn(evutil_socket_t listener, short events, void *arg)
{
    int fd = raw_accept(listener);
    struct conn *conn;

    (void)events, (void)arg;
    if (fd < 0)
        return;
    conn = bench_alloc(1, sizeof *conn);
    bench_must(event_assign(&conn->event, base, fd, EV_READ | EV_PERSIST, on_ready, conn) == 0 &&
                   event_add(&conn->event, NULL) == 0, "watch a connection");
}

int contender_listen(void)
{
    int port, fd = server_socket(&port);

    base = event_base_new();
    bench_must(base != NULL, "make a loop");
    server = event_new(base, fd, EV_READ | EV_PERSIST, on_conn, NULL);
    bench_must(server != NULL && event_add(server, NULL) == 0, "listen");
    return port;
}

void contender_serve(unsigned connections)
{
    open_conns = connections;
    event_base_loop(base, 0);
}
