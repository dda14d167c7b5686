/* SPDX-License-Identifier: ISC */
/* By hand: an array of buffers to which a write adds one, and one sendmsg() for all of them. */
#include "write_batch/workload.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

const char contender[] = "hand";

static struct iovec writes[BATCH_WRITES];
static size_t first = BATCH_WRITES;
static int epoll, sock;
static bool stopped;

void contender_open(int fd)
{
    struct epoll_event event = {.events = EPOLLOUT | EPOLLET};

    sock = fd;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_must(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "make a loop");
}

void contender_write(void)
{
    for (size_t i = 0; i < BATCH_WRITES; i++)
        writes[i] = (struct iovec){batch_message, sizeof batch_message};
    first = 0;
}

/* Returns false when the socket is full. */
static bool flush(void)
{
    struct msghdr msg = {.msg_iov = writes + first, .msg_iovlen = BATCH_WRITES - first};
    ssize_t sent = sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 && errno == EAGAIN)
        return false;
    bench_must(sent >= 0, "send");
    for (; first < BATCH_WRITES && (size_t)sent >= writes[first].iov_len; first++)
        sent -= (ssize_t)writes[first].iov_len;
    if (first < BATCH_WRITES) {
        writes[first].iov_base = (char *)writes[first].iov_base + sent;
        writes[first].iov_len -= (size_t)sent;
    } else {
        batch_written(BATCH_WRITES);
    }
    return true;
}

void contender_run(void)
{
    struct epoll_event event;

    while (!stopped) {
        if (flush())
            continue;
        epoll_wait(epoll, &event, 1, -1);
    }
}

void contender_stop(void)
{
    stopped = true;
}
