/* SPDX-License-Identifier: ISC */
/* libev: ev_io for the descriptors; the timeout is moved with ev_timer_again(), the way its manual recommends. The
 * functions are called with an explicit loop, as in a program with more than one. Its macros that fill in watchers do
 * not pass this project's warnings, hence the pragma.
 */
#include "dispatch/workload.h"

#include <ev.h>

#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-aliasing"

const char contender[] = "libev";

struct watcher {
    ev_io io;
    ev_timer timeout;
    int next; /* the descriptor that gets the token */
};

static struct ev_loop *loop;
static struct watcher *watchers;
static size_t count;
static uint64_t seen, wanted;

static void on_ready(struct ev_loop *l, ev_io *io, int events)
{
    (void)io, (void)events;
    if (++seen >= wanted)
        ev_break(l, EVBREAK_ALL);
}

static void on_ready_timeout(struct ev_loop *l, ev_io *io, int events)
{
    ev_timer_again(l, &((struct watcher *)(void *)io)->timeout);
    on_ready(l, io, events);
}

static void on_ready_relay(struct ev_loop *l, ev_io *io, int events)
{
    dispatch_relay(io->fd, ((struct watcher *)(void *)io)->next);
    on_ready(l, io, events);
}

static void on_timeout(struct ev_loop *l, ev_timer *timer, int events)
{
    (void)l, (void)timer, (void)events;
    bench_die("a descriptor was silent for a minute");
}

void contender_open(const struct dispatch *setup)
{
    loop = ev_loop_new(EVBACKEND_EPOLL);
    bench_must(loop != NULL, "make a loop");
    count = setup->count;
    watchers = bench_alloc(count, sizeof *watchers);
    for (size_t i = 0; i < count; i++) {
        watchers[i].next = setup->fds[(i + 1) % count];
        ev_init(&watchers[i].io, setup->timeouts ? on_ready_timeout : setup->relay ? on_ready_relay : on_ready);
        ev_io_set(&watchers[i].io, setup->fds[i], EV_READ);
        ev_io_start(loop, &watchers[i].io);
        ev_init(&watchers[i].timeout, on_timeout);
        watchers[i].timeout.repeat = TIMEOUT_S;
        if (setup->timeouts)
            ev_timer_again(loop, &watchers[i].timeout);
    }
}

void contender_run(uint64_t events)
{
    wanted = seen + events;
    ev_run(loop, 0);
}

void contender_idle(uint64_t turns)
{
    while (turns-- > 0)
        ev_run(loop, EVRUN_NOWAIT);
}

void contender_restart(uint64_t turns)
{
    while (turns-- > 0) {
        for (size_t i = 0; i < count; i++) {
            ev_io_stop(loop, &watchers[i].io);
            ev_io_start(loop, &watchers[i].io);
        }
        ev_run(loop, EVRUN_NOWAIT);
    }
}
