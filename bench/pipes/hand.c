/* SPDX-License-Identifier: ISC */
/* By hand: level-triggered epoll with the index as the event's data. */
#include "pipes/workload.h"

#include <sys/epoll.h>

const char contender[] = "hand";

enum { BATCH = 256 };

static int epoll;

void contender_open(const int *fds, size_t count)
{
    epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_must(epoll >= 0, "make a loop");
    for (size_t i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        bench_must(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event) == 0, "watch a pipe");
    }
}

void contender_run(void)
{
    struct epoll_event events[BATCH];

    for (;;) {
        int got = epoll_wait(epoll, events, BATCH, -1);

        for (int i = 0; i < got; i++) {
            if (pipes_ready((size_t)events[i].data.u64))
                return;
        }
    }
}
