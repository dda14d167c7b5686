/* SPDX-License-Identifier: ISC */
/* libevent: bufferevent_write(), which copies into one buffer and reports when that has become empty. */
#include "write_batch/workload.h"

#include <event2/bufferevent.h>
#include <event2/event.h>

const char contender[] = "libevent";

static struct event_base *base;
static struct bufferevent *stream;

static void on_empty(struct bufferevent *bev, void *arg)
{
    (void)bev, (void)arg;
    batch_written(BATCH_WRITES);
}

void contender_open(int fd)
{
    base = event_base_new();
    stream = base ? bufferevent_socket_new(base, fd, 0) : NULL;
    bench_must(stream != NULL, "make a stream");
    bufferevent_setcb(stream, NULL, on_empty, NULL, NULL);
    bufferevent_enable(stream, EV_WRITE);
}

void contender_write(void)
{
    for (size_t i = 0; i < BATCH_WRITES; i++)
        bench_must(bufferevent_write(stream, batch_message, sizeof batch_message) == 0, "write");
}

void contender_run(void)
{
    event_base_dispatch(base);
}

void contender_stop(void)
{
    event_base_loopbreak(base);
}
