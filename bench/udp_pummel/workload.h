/* SPDX-License-Identifier: ISC */
/* Datagrams that are thrown back and forth as fast as it goes.
 *
 * Two sockets on loopback, in one loop. `inflight` datagrams of 64 bytes are thrown from the first to the second;
 * whoever receives one sends one to the other side, until `--size` have been received. So the number under way stays
 * the same, none is lost as long as it fits the receive buffer, and one operation is one datagram sent and received.
 * Each contender uses what its library has for many datagrams at once.
 */
#ifndef BENCH_UDP_PUMMEL_WORKLOAD_H
#define BENCH_UDP_PUMMEL_WORKLOAD_H

#include "common/bench.h"

#include <netinet/in.h>

enum { PUMMEL_BYTES = 64, PUMMEL_INFLIGHT_MOST = 256 };

/* What every datagram carries. */
extern char pummel_payload[PUMMEL_BYTES];

/* Opens two sockets on 127.0.0.1 and begins to receive on both. */
void contender_open(unsigned inflight);

/* Throws `count` datagrams from the first to the second. */
void contender_throw(unsigned count);

/* Runs the loop until pummel_caught() has said PUMMEL_STOP. */
void contender_run(void);

/* To be called for each datagram that was received. */
enum pummel_next {
    PUMMEL_ANSWER, /* send one to the other side */
    PUMMEL_DROP,   /* do not: enough are on their way */
    PUMMEL_STOP    /* that was the last one */
};
enum pummel_next pummel_caught(size_t bytes);

/* A non-blocking udp socket on 127.0.0.1, for who wants one ready-made, and where it is. */
int pummel_socket(struct sockaddr_in *at);

#endif
