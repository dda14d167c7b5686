/* SPDX-License-Identifier: ISC */
/* Counts the datagrams (workload.h).
 */
#include "udp_pummel/workload.h"

#include <string.h>
#include <sys/socket.h>

char pummel_payload[PUMMEL_BYTES];

static uint64_t sends_left, receives_left;

enum pummel_next pummel_caught(size_t bytes)
{
    bench_must(bytes == PUMMEL_BYTES, "receive a whole datagram");
    if (--receives_left == 0)
        return PUMMEL_STOP;
    if (sends_left == 0)
        return PUMMEL_DROP;
    sends_left--;
    return PUMMEL_ANSWER;
}

int pummel_socket(struct sockaddr_in *at)
{
    socklen_t len = sizeof *at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    bench_must(fd >= 0, "make a socket");
    memset(at, 0, sizeof *at);
    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bench_must(bind(fd, (struct sockaddr *)at, sizeof *at) == 0, "bind a socket");
    bench_must(getsockname(fd, (struct sockaddr *)at, &len) == 0, "ask for the port");
    return fd;
}

int main(int argc, char **argv)
{
    struct bench_watch watch;
    uint64_t size;
    unsigned inflight;

    bench_init(argc, argv);
    size = bench_arg("size", 1000000);
    inflight = (unsigned)bench_arg("inflight", 128);
    bench_must(inflight > 0 && inflight <= PUMMEL_INFLIGHT_MOST && size >= inflight, "make sense of the sizes");
    memset(pummel_payload, 'x', sizeof pummel_payload);
    contender_open(inflight);
    receives_left = size;
    sends_left = size - inflight;
    bench_start(&watch);
    contender_throw(inflight);
    contender_run();
    bench_stop(&watch);
    bench_begin("udp_pummel");
    bench_fact("inflight", (double)inflight);
    bench_per_op(&watch, size);
    bench_end();
    return 0;
}
