/* SPDX-License-Identifier: ISC */
/* What the contenders without streams of their own do with a ready socket: one read, one write of what came.
 *
 * A level-triggered loop reports what a short read has left over, so there is no need to read until EAGAIN. A message
 * is far smaller than a socket's buffer, so a write that does not go through at once ends the program instead of being
 * queued: the lead that this gives over a library with a write queue is part of what "hand-written" means.
 */
#ifndef BENCH_PING_PONGS_RAW_H
#define BENCH_PING_PONGS_RAW_H

#include "ping_pongs/workload.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* Returns false when the peer has closed. */
static inline bool raw_echo(int fd, char *buf)
{
    ssize_t got = read(fd, buf, BUFFER_SIZE);

    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    if (send(fd, buf, (size_t)got, MSG_NOSIGNAL) != got)
        bench_die("write");
    return true;
}

static inline int raw_accept(int listener)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        bench_must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "set TCP_NODELAY");
    return fd;
}

#endif
