/* SPDX-License-Identifier: ISC */
/* By hand: level-triggered epoll, both ends watched for one direction each. */
#include "pump/raw.h"

#include <sys/epoll.h>

const char contender[] = "hand";

static int epoll;

static void watch(int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    bench_must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "watch a socket");
}

void contender_open(int to, int from)
{
    epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_must(epoll >= 0, "make a loop");
    watch(to, EPOLLOUT);
    watch(from, EPOLLIN);
}

void contender_run(void)
{
    struct epoll_event events[2];

    for (;;) {
        int got = epoll_wait(epoll, events, 2, -1);
        for (int i = 0; i < got; i++) {
            int fd = events[i].data.fd;
            if (events[i].events & EPOLLOUT) {
                if (!raw_write(fd))
                    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
            } else if (raw_read(fd)) {
                return;
            }
        }
    }
}
