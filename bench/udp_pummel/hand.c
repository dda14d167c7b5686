/* SPDX-License-Identifier: ISC */
/* By hand: level-triggered epoll, recvmmsg of up to 64, and the answers with one sendmmsg.
 */
#include "udp_pummel/workload.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

const char contender[] = "hand";

enum { BATCH = 64, SLOT = 128 };

static int epoll, fds[2];
static struct sockaddr_in at[2], from[BATCH];
static struct mmsghdr in[BATCH], out[2][BATCH];
static struct iovec in_iov[BATCH], out_iov;
static char slots[BATCH][SLOT];

void contender_open(unsigned inflight)
{
    (void)inflight;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_must(epoll >= 0, "make a loop");
    out_iov = (struct iovec){pummel_payload, PUMMEL_BYTES};
    for (uint32_t i = 0; i < 2; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        fds[i] = pummel_socket(&at[i]);
        bench_must(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event) == 0, "watch a socket");
    }
    for (int i = 0; i < BATCH; i++) {
        in_iov[i] = (struct iovec){slots[i], SLOT};
        for (int side = 0; side < 2; side++) {
            out[side][i].msg_hdr = (struct msghdr){.msg_name = &at[1 - side], .msg_namelen = sizeof at[0],
                                                   .msg_iov = &out_iov, .msg_iovlen = 1};
        }
    }
}

static void throw_some(unsigned side, unsigned count)
{
    while (count > 0) {
        int n = sendmmsg(fds[side], out[side], count < BATCH ? count : BATCH, 0);
        bench_must(n > 0, "send");
        count -= (unsigned)n;
    }
}

void contender_throw(unsigned count)
{
    throw_some(0, count);
}

/* Takes a batch; returns whether the last datagram was in it. */
static bool take(unsigned side)
{
    unsigned answers = 0;
    int n;

    for (int i = 0; i < BATCH; i++) {
        in[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &in_iov[i],
                                        .msg_iovlen = 1};
    }
    n = recvmmsg(fds[side], in, BATCH, MSG_DONTWAIT, NULL);
    bench_must(n > 0, "receive");
    for (int i = 0; i < n; i++) {
        enum pummel_next next = pummel_caught(in[i].msg_len);
        if (next == PUMMEL_STOP)
            return true;
        answers += next == PUMMEL_ANSWER;
    }
    throw_some(side, answers);
    return false;
}

void contender_run(void)
{
    struct epoll_event events[2];

    for (;;) {
        int got = epoll_wait(epoll, events, 2, -1);

        for (int i = 0; i < got; i++) {
            if (take(events[i].data.u32))
                return;
        }
    }
}
