/* SPDX-License-Identifier: ISC */
/* libuv: uv_poll_t for the descriptors; the timeout is moved with uv_timer_again(), which libuv documents for this use.
 */
#include "dispatch/workload.h"

#include <uv.h>

const char contender[] = "libuv";

struct watcher {
    uv_poll_t poll;
    uv_timer_t timeout;
    int fd, next; /* the descriptor, and the one that gets the token */
};

static uv_loop_t loop;
static struct watcher *watchers;
static size_t count;
static uint64_t seen, wanted;

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    if (++seen >= wanted)
        uv_stop(poll->loop);
}

static void on_ready_timeout(uv_poll_t *poll, int status, int events)
{
    uv_timer_again(&((struct watcher *)(void *)poll)->timeout);
    on_ready(poll, status, events);
}

static void on_ready_relay(uv_poll_t *poll, int status, int events)
{
    struct watcher *watcher = (struct watcher *)(void *)poll;

    dispatch_relay(watcher->fd, watcher->next);
    on_ready(poll, status, events);
}

static void on_timeout(uv_timer_t *timer)
{
    (void)timer;
    bench_die("a descriptor was silent for a minute");
}

static uv_poll_cb ready_fn;

void contender_open(const struct dispatch *setup)
{
    ready_fn = setup->timeouts ? on_ready_timeout : setup->relay ? on_ready_relay : on_ready;
    bench_must(uv_loop_init(&loop) == 0, "make a loop");
    count = setup->count;
    watchers = bench_alloc(count, sizeof *watchers);
    for (size_t i = 0; i < count; i++) {
        watchers[i].fd = setup->fds[i];
        watchers[i].next = setup->fds[(i + 1) % count];
        bench_must(uv_poll_init(&loop, &watchers[i].poll, setup->fds[i]) == 0, "watch a descriptor");
        uv_poll_start(&watchers[i].poll, UV_READABLE, ready_fn);
        if (!setup->timeouts)
            continue;
        uv_timer_init(&loop, &watchers[i].timeout);
        uv_timer_start(&watchers[i].timeout, on_timeout, TIMEOUT_S * 1000, TIMEOUT_S * 1000);
    }
}

void contender_run(uint64_t events)
{
    wanted = seen + events;
    uv_run(&loop, UV_RUN_DEFAULT);
}

void contender_idle(uint64_t turns)
{
    while (turns-- > 0)
        uv_run(&loop, UV_RUN_NOWAIT);
}

void contender_restart(uint64_t turns)
{
    while (turns-- > 0) {
        for (size_t i = 0; i < count; i++) {
            uv_poll_stop(&watchers[i].poll);
            uv_poll_start(&watchers[i].poll, UV_READABLE, ready_fn);
        }
        uv_run(&loop, UV_RUN_NOWAIT);
    }
}
