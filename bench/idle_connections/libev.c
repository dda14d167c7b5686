/* SPDX-License-Identifier: ISC */
/* libev: an ev_io for each connection. */
#include "idle_connections/workload.h"

#include <ev.h>
#include <stdlib.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-aliasing"

const char contender[] = "libev";

static struct ev_loop *loop;
static ev_io server, *ios;

static void on_ready(struct ev_loop *l, ev_io *io, int events)
{
    (void)events;
    if (idle_read(io->fd))
        return;
    ev_io_stop(l, io);
    close(io->fd);
    idle_free((size_t)(io - ios));
}

static void on_conn(struct ev_loop *l, ev_io *listener, int events)
{
    int fd = idle_accept(listener->fd);
    ev_io *io;

    (void)events;
    if (fd < 0)
        return;
    io = &ios[idle_take()];
    ev_io_init(io, on_ready, fd, EV_READ);
    ev_io_start(l, io);
    idle_opened();
}

size_t contender_handle(void)
{
    return sizeof *ios;
}

int contender_listen(size_t most)
{
    int port, fd = idle_socket(&port);

    loop = ev_loop_new(EVBACKEND_EPOLL);
    ios = calloc(most, sizeof *ios);
    bench_must(loop && ios, "make a loop");
    ev_io_init(&server, on_conn, fd, EV_READ);
    ev_io_start(loop, &server);
    return port;
}

void contender_run(void)
{
    ev_run(loop, 0);
}

void contender_stop(void)
{
    ev_break(loop, EVBREAK_ALL);
}
