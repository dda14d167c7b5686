/* SPDX-License-Identifier: ISC */
/* By hand: epoll, an array of events, a function pointer per descriptor, and a timer wheel. It does what a loop needs
 * to do to be correct for this one program and no more: no generations, no queue, no stop from inside other callbacks.
 * Changes of interest are collected and applied once per turn, as gyre does, because stop and restart would otherwise
 * be system calls.
 */
#include "common/wheel.h"
#include "dispatch/workload.h"

#include <sys/epoll.h>
#include <time.h>

const char contender[] = "hand";

enum { BATCH = 256 };

struct watcher {
    void (*fn)(struct watcher *, unsigned events);
    struct watcher *changed; /* the next on the list of changes */
    int fd, next; /* the descriptor, and the one that gets the token */
    uint16_t want, have;
    bool listed;
    struct wheel_timer timeout;
};

static int epoll;
static struct wheel wheel;
static int64_t now;
static struct watcher *watchers, *changes;
static size_t count;
static bool stop;
static uint64_t seen, wanted;

static void on_ready(struct watcher *watcher, unsigned events)
{
    (void)watcher, (void)events;
    if (++seen >= wanted)
        stop = true;
}

static void on_ready_timeout(struct watcher *watcher, unsigned events)
{
    wheel_start(&wheel, &watcher->timeout, now + INT64_C(1000000000) * TIMEOUT_S);
    on_ready(watcher, events);
}

static void on_ready_relay(struct watcher *watcher, unsigned events)
{
    dispatch_relay(watcher->fd, watcher->next);
    on_ready(watcher, events);
}

static void on_timeout(struct wheel_timer *timer)
{
    (void)timer;
    bench_die("a descriptor was silent for a minute");
}

static int64_t read_clock(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Not inlined: where a watcher is stopped is not where it is restarted, and a compiler that sees both at once removes
 * the work that is to be measured.
 */
static __attribute__((noinline)) void set_interest(struct watcher *watcher, uint16_t want)
{
    watcher->want = want;
    if (watcher->listed)
        return;
    watcher->listed = true;
    watcher->changed = changes;
    changes = watcher;
}

static void apply_changes(void)
{
    for (struct watcher *w = changes; w; w = w->changed) {
        struct epoll_event event = {.events = w->want, .data.ptr = w};

        w->listed = false;
        if (w->want == w->have)
            continue;
        bench_must(epoll_ctl(epoll, !w->have ? EPOLL_CTL_ADD : w->want ? EPOLL_CTL_MOD : EPOLL_CTL_DEL, w->fd,
                             &event) == 0, "change interest");
        w->have = w->want;
    }
    changes = NULL;
}

static void turn(bool wait)
{
    struct epoll_event events[BATCH];
    int got;

    if (changes)
        apply_changes();
    got = epoll_wait(epoll, events, BATCH, wait ? wheel_wait_ms(&wheel, now) : 0);
    now = read_clock();
    for (int i = 0; i < got; i++) {
        struct watcher *watcher = events[i].data.ptr;
        watcher->fn(watcher, events[i].events);
    }
    wheel_advance(&wheel, now);
}

void contender_open(const struct dispatch *setup)
{
    epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_must(epoll >= 0, "make a loop");
    now = read_clock();
    wheel_init(&wheel, now);
    count = setup->count;
    watchers = bench_alloc(count, sizeof *watchers);
    for (size_t i = 0; i < count; i++) {
        watchers[i].fd = setup->fds[i];
        watchers[i].next = setup->fds[(i + 1) % count];
        watchers[i].fn = setup->timeouts ? on_ready_timeout : setup->relay ? on_ready_relay : on_ready;
        watchers[i].timeout.fn = on_timeout;
        set_interest(&watchers[i], EPOLLIN);
        if (setup->timeouts)
            wheel_start(&wheel, &watchers[i].timeout, now + INT64_C(1000000000) * TIMEOUT_S);
    }
}

void contender_run(uint64_t events)
{
    wanted = seen + events;
    for (stop = false; !stop;)
        turn(true);
}

void contender_idle(uint64_t turns)
{
    while (turns-- > 0)
        turn(false);
}

void contender_restart(uint64_t turns)
{
    while (turns-- > 0) {
        for (size_t i = 0; i < count; i++) {
            set_interest(&watchers[i], 0);
            set_interest(&watchers[i], EPOLLIN);
        }
        turn(false);
    }
}
