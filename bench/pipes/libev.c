/* SPDX-License-Identifier: ISC */
/* libev: an ev_io per pipe. */
#include "pipes/workload.h"

#include <ev.h>

#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-aliasing"

const char contender[] = "libev";

static struct ev_loop *loop;
static ev_io *watchers;

static void on_ready(struct ev_loop *l, ev_io *io, int events)
{
    (void)events;
    if (pipes_ready((size_t)(io - watchers)))
        ev_break(l, EVBREAK_ALL);
}

void contender_open(const int *fds, size_t count)
{
    loop = ev_loop_new(EVBACKEND_EPOLL);
    bench_must(loop != NULL, "make a loop");
    watchers = bench_alloc(count, sizeof *watchers);
    for (size_t i = 0; i < count; i++) {
        ev_io_init(&watchers[i], on_ready, fds[i], EV_READ);
        ev_io_start(loop, &watchers[i]);
    }
    ev_run(loop, EVRUN_NOWAIT); /* registration is not what is measured */
}

void contender_run(void)
{
    ev_run(loop, 0);
}
