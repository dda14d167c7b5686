/* SPDX-License-Identifier: ISC */
/* libevent: a persistent event for each end. */
#include "pump/raw.h"

#include <event2/event.h>
#include <event2/event_struct.h>

const char contender[] = "libevent";

static struct event_base *base;
static struct event to, from;

static void on_writable(evutil_socket_t fd, short events, void *arg)
{
    (void)events, (void)arg;
    if (!raw_write(fd))
        event_del(&to);
}

static void on_readable(evutil_socket_t fd, short events, void *arg)
{
    (void)events, (void)arg;
    if (raw_read(fd))
        event_base_loopbreak(base);
}

void contender_open(int to_fd, int from_fd)
{
    base = event_base_new();
    bench_must(base != NULL, "make a loop");
    event_assign(&to, base, to_fd, EV_WRITE | EV_PERSIST, on_writable, NULL);
    event_assign(&from, base, from_fd, EV_READ | EV_PERSIST, on_readable, NULL);
    bench_must(event_add(&to, NULL) == 0 && event_add(&from, NULL) == 0, "watch the sockets");
}

void contender_run(void)
{
    event_base_loop(base, 0);
}
