/* SPDX-License-Identifier: ISC */
/* libev: an ev_io per connection, read and write in its callback. libev has no streams; this is how it is used. */
#include "ping_pongs/raw.h"
#include "ping_pongs/workload.h"

#include <ev.h>
#include <stdlib.h>

#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-aliasing"

const char contender[] = "libev";

struct conn {
    ev_io io;
    char buf[BUFFER_SIZE];
};

static struct ev_loop *loop;
static ev_io server;
static unsigned open_conns;

static void on_ready(struct ev_loop *l, ev_io *io, int events)
{
    struct conn *conn = (struct conn *)(void *)io;

    (void)events;
    if (raw_echo(io->fd, conn->buf))
        return;
    ev_io_stop(l, io);
    close(io->fd);
    free(conn);
    if (--open_conns == 0)
        ev_break(l, EVBREAK_ALL);
}

static void on_conn(struct ev_loop *l, ev_io *io, int events)
{
    int fd = raw_accept(io->fd);
    struct conn *conn;

    (void)events;
    if (fd < 0)
        return;
    conn = bench_alloc(1, sizeof *conn);
    ev_io_init(&conn->io, on_ready, fd, EV_READ);
    ev_io_start(l, &conn->io);
}

int contender_listen(void)
{
    int port, fd = server_socket(&port);

    loop = ev_loop_new(EVBACKEND_EPOLL);
    bench_must(loop != NULL, "make a loop");
    ev_io_init(&server, on_conn, fd, EV_READ);
    ev_io_start(loop, &server);
    return port;
}

void contender_serve(unsigned connections)
{
    open_conns = connections;
    ev_run(loop, 0);
}
