/* SPDX-License-Identifier: ISC */
/* For contenders that tell of readiness and leave the calls to the program: a write of what fits of all that may be
 * under way, and one read.
 */
#ifndef BENCH_PUMP_RAW_H
#define BENCH_PUMP_RAW_H

#include "pump/workload.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static size_t raw_left; /* of all that may be under way */

/* Returns whether there is more to write. */
static inline bool raw_write(int fd)
{
    struct iovec parts[PUMP_INFLIGHT];
    struct msghdr msg = {.msg_iov = parts};
    size_t left;
    ssize_t n;

    while (raw_left <= (PUMP_INFLIGHT - 1) * (size_t)PUMP_BYTES && pump_next())
        raw_left += PUMP_BYTES;
    if (raw_left == 0)
        return false;
    for (left = raw_left; left > 0; left -= parts[msg.msg_iovlen - 1].iov_len) {
        size_t len = left % PUMP_BYTES ? left % PUMP_BYTES : PUMP_BYTES;
        parts[msg.msg_iovlen++] = (struct iovec){pump_payload, len};
    }
    n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    bench_must(n > 0 || errno == EAGAIN, "write");
    if (n > 0)
        raw_left -= (size_t)n;
    return true;
}

/* Returns whether that was all. */
static inline bool raw_read(int fd)
{
    ssize_t n = recv(fd, pump_sink, PUMP_BYTES, 0);

    bench_must(n > 0 || (n < 0 && errno == EAGAIN), "read");
    return n > 0 && pump_got((size_t)n);
}

#endif
