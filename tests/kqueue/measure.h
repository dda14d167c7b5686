/* SPDX-License-Identifier: ISC */
/* What is true of a descriptor at this moment, in the words of kqueue. See measure.c. */
#ifndef GY_TESTS_KQUEUE_MEASURE_H
#define GY_TESTS_KQUEUE_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum fd_kind {
    KIND_FILE,     /* a regular file or a directory */
    KIND_PIPE,     /* also a FIFO */
    KIND_TCP,
    KIND_LOCAL,    /* a connected kind of unix socket */
    KIND_DATAGRAM, /* any other socket */
    KIND_OTHER     /* eventfd, terminal, another kqueue */
} fd_kind;

typedef struct fact {
    bool ready, eof;
    unsigned error; /* of a connection that has ended */
    int64_t data;   /* bytes to be read, room to be written, connections to be accepted */
} fact;

/* The kind of a descriptor, or a negative error. */
int measure_kind(int fd);

/* The state for EVFILT_READ or EVFILT_WRITE. */
fact measure_fact(int fd, fd_kind kind, short filter);

/* The amount whose change is an event of its own for an EV_CLEAR knote: what is unread of a pipe, what is unsent of a
 * connection, or something that differs whenever a file was written. @return false when there is none */
bool measure_amount(int fd, fd_kind kind, short filter, int64_t *out);

#endif
