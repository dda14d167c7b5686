/* SPDX-License-Identifier: ISC */
/* libev: a watcher for each end. */
#include "pump/raw.h"

#include <ev.h>

#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-aliasing"

const char contender[] = "libev";

static struct ev_loop *loop;
static ev_io to, from;

static void on_writable(struct ev_loop *l, ev_io *io, int events)
{
    (void)events;
    if (!raw_write(io->fd))
        ev_io_stop(l, io);
}

static void on_readable(struct ev_loop *l, ev_io *io, int events)
{
    (void)events;
    if (raw_read(io->fd))
        ev_break(l, EVBREAK_ALL);
}

void contender_open(int to_fd, int from_fd)
{
    loop = ev_loop_new(EVBACKEND_EPOLL);
    bench_must(loop != NULL, "make a loop");
    ev_io_init(&to, on_writable, to_fd, EV_WRITE);
    ev_io_init(&from, on_readable, from_fd, EV_READ);
    ev_io_start(loop, &to);
    ev_io_start(loop, &from);
}

void contender_run(void)
{
    ev_run(loop, 0);
}
