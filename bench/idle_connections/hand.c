/* SPDX-License-Identifier: ISC */
/* By hand: the kernel remembers the descriptor, and there is nothing else to remember. */
#include "idle_connections/workload.h"

#include <sys/epoll.h>
#include <unistd.h>

const char contender[] = "hand";

enum { BATCH = 256 };

static int epoll, server;
static bool stopped;

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    bench_must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "watch a connection");
}

static void on_ready(int fd)
{
    if (fd == server) {
        int client = idle_accept(server);

        if (client < 0)
            return;
        watch(client);
        idle_opened();
    } else if (!idle_read(fd)) {
        close(fd);
    }
}

size_t contender_handle(void)
{
    return 0;
}

int contender_listen(size_t most)
{
    int port;

    (void)most;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    server = idle_socket(&port);
    watch(server);
    return port;
}

void contender_run(void)
{
    struct epoll_event events[BATCH];

    for (stopped = false; !stopped;) {
        int got = epoll_wait(epoll, events, BATCH, -1);

        for (int i = 0; i < got; i++)
            on_ready(events[i].data.fd);
    }
}

void contender_stop(void)
{
    stopped = true;
}
