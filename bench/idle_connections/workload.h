/* SPDX-License-Identifier: ISC */
/* A server with `--size` connections (18,000 unless it says otherwise) on which nothing happens, and what memory they
 * take in user space; then some of them are ended and new ones made for `--seconds`, and how much it grows in the
 * second half of that.
 *
 * Each contender keeps for a connection what its library wants, and nothing of its own; what arrives is read into one
 * buffer for all. `handle` is the size of that, `library` what the library has allocated for each connection besides,
 * `user` the sum, `resident` what the process has grown by, for each connection, in pages that it has touched.
 *
 * The other ends are held by a child, which has a limit of descriptors of its own.
 */
#ifndef BENCH_IDLE_CONNECTIONS_WORKLOAD_H
#define BENCH_IDLE_CONNECTIONS_WORKLOAD_H

#include "common/bench.h"

enum { IDLE_BACKLOG = 1024, IDLE_SPARE = 200 };

/* Listens on 127.0.0.1 and returns the port. Connections are made of `handles`, which has room for so many. */
int contender_listen(size_t most);

/* Accepts connections, closes those that the client ends, and returns after contender_stop(). */
void contender_run(void);
void contender_stop(void);

/* Bytes of a handle: what contender_listen() allocates for each connection. */
size_t contender_handle(void);

/* To be called when a connection was accepted, and when bytes have come. */
void idle_opened(void);
void idle_heard(void);

/* For contenders that have no sockets of their own: a non-blocking socket that listens on 127.0.0.1, and its port; the
 * next connection, or -1; and whether the connection goes on, after its bytes were read and heard of. */
int idle_socket(int *port);
int idle_accept(int server);
bool idle_read(int fd);

/* Numbers of free handles: the one that was freed last comes first. */
size_t idle_take(void);
void idle_free(size_t index);

#endif
