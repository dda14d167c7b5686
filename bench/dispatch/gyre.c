/* SPDX-License-Identifier: ISC */
/* gyre: one gy_io per descriptor, and for its timeout a gy_timer that is moved with gy_timer_restart(), in the absolute
 * form, which does not read the clock.
 */
#include "common/gyre_loop.h"
#include "dispatch/workload.h"

#include "gyre/io.h"
#include "gyre/timer.h"

const char contender[] = "gyre";

struct watcher {
    gy_io io;
    gy_timer timeout;
    int next; /* the descriptor that gets the token */
};

static gy_loop *loop;
static struct watcher *watchers;
static size_t count;
static uint64_t seen, wanted;

static void on_ready(gy_io *io, int err, unsigned events)
{
    (void)err, (void)events;
    if (++seen >= wanted)
        gy_loop_stop(io->loop);
}

static void on_ready_timeout(gy_io *io, int err, unsigned events)
{
    struct watcher *watcher = GY_OF(io, struct watcher, io);

    gy_timer_restart(&watcher->timeout, gy_loop_now(io->loop) + GY_S(TIMEOUT_S));
    on_ready(io, err, events);
}

static void on_ready_relay(gy_io *io, int err, unsigned events)
{
    dispatch_relay(gy_io_fd(io), GY_OF(io, struct watcher, io)->next);
    on_ready(io, err, events);
}

static void on_timeout(gy_timer *timer)
{
    (void)timer;
    bench_die("a descriptor was silent for a minute");
}

void contender_open(const struct dispatch *setup)
{
    gy_io_fn *fn = setup->timeouts ? on_ready_timeout : setup->relay ? on_ready_relay : on_ready;

    loop = bench_loop();
    count = setup->count;
    watchers = bench_alloc(count, sizeof *watchers);
    for (size_t i = 0; i < count; i++) {
        watchers[i].next = setup->fds[(i + 1) % count];
        bench_must(gy_io_start(loop, &watchers[i].io, setup->fds[i], GY_READABLE, fn) == 0, "watch a descriptor");
        if (setup->timeouts)
            gy_timer_start(loop, &watchers[i].timeout, (gy_timer_opts){.fn = on_timeout, .after = GY_S(TIMEOUT_S)});
    }
}

void contender_run(uint64_t events)
{
    wanted = seen + events;
    gy_loop_run(loop);
}

void contender_idle(uint64_t turns)
{
    while (turns-- > 0)
        gy_loop_step(loop, GY_STEP_POLL);
}

void contender_restart(uint64_t turns)
{
    while (turns-- > 0) {
        for (size_t i = 0; i < count; i++) {
            gy_io_stop(&watchers[i].io);
            gy_io_restart(&watchers[i].io, GY_READABLE);
        }
        gy_loop_step(loop, GY_STEP_POLL);
    }
}
