/* SPDX-License-Identifier: ISC */
/* Descriptors that travel over local sockets, along with bytes. */
#ifndef GYI_SYS_SOCKFD_H
#define GYI_SYS_SOCKFD_H

#include <sys/types.h>

#include "sys/sys.h"

enum { GYI_SOCK_FDS = 256 }; /* the most that any system sends at once (Linux: 253) */

/* What came with a read. */
typedef struct gyi_sock_fds {
    int count;
    int err; /* not 0: more were sent, and why they are lost */
    int at[GYI_SOCK_FDS];
} gyi_sock_fds;

/* As gyi_sock_send() of one buffer, which is not empty. The descriptors go with its first byte: when any byte has gone,
 * all of them have. `count` is at most GYI_SOCK_FDS. */
ssize_t gyi_sock_send_fds(gyi_sys *sys, int fd, gy_buf from, const int *fds, unsigned count);

/* As gyi_sock_recv(). The descriptors in `*got` are close-on-exec and belong to the caller. */
ssize_t gyi_sock_recv_fds(gyi_sys *sys, int fd, gy_buf into, gyi_sock_fds *got);

#endif
