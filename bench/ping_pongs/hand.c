/* SPDX-License-Identifier: ISC */
/* By hand: level-triggered epoll, a struct per connection in the event's pointer, read and write. */
#include "ping_pongs/raw.h"
#include "ping_pongs/workload.h"

#include <stdlib.h>
#include <sys/epoll.h>

const char contender[] = "hand";

enum { BATCH = 256 };

struct conn {
    int fd;
    char buf[BUFFER_SIZE];
};

static int epoll, server;
static unsigned open_conns;

static void on_conn(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int fd = raw_accept(server);
    struct conn *conn;

    if (fd < 0)
        return;
    conn = bench_alloc(1, sizeof *conn);
    conn->fd = fd;
    event.data.ptr = conn;
    bench_must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "watch a connection");
}

static void on_ready(struct conn *conn)
{
    if (raw_echo(conn->fd, conn->buf))
        return;
    close(conn->fd);
    free(conn);
    open_conns--;
}

int contender_listen(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    int port;

    server = server_socket(&port);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_must(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, server, &event) == 0, "make a loop");
    return port;
}

void contender_serve(unsigned connections)
{
    struct epoll_event events[BATCH];

    open_conns = connections;
    while (open_conns > 0) {
        int got = epoll_wait(epoll, events, BATCH, -1);

        for (int i = 0; i < got; i++) {
            if (events[i].data.ptr)
                on_ready(events[i].data.ptr);
            else
                on_conn();
        }
    }
}
