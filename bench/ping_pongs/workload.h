/* SPDX-License-Identifier: ISC */
/* An echo server over tcp on the loopback interface, and what one round trip costs it.
 *
 * The client is a program of its own (client.c), the same for everybody, so that neither its processor time nor its
 * instructions are the server's. Both stay on one processor: the server then finds as many connections ready as there
 * are, always, where on two processors it would depend on who happens to be faster.
 */
#ifndef BENCH_PING_PONGS_WORKLOAD_H
#define BENCH_PING_PONGS_WORKLOAD_H

#include "common/bench.h"

enum { BUFFER_SIZE = 16384, BACKLOG = 1024 };

/* Listens on 127.0.0.1 and returns the port. */
int contender_listen(void);

/* Accepts connections and echoes what they send, until as many as `connections` have been closed by the client. */
void contender_serve(unsigned connections);

/* For contenders that open sockets themselves: a non-blocking socket that listens on 127.0.0.1, and its port. */
int server_socket(int *port);

#endif
