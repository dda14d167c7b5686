/* SPDX-License-Identifier: ISC */
/* Sockets: tcp and local. */
#ifndef GYI_SYS_SOCK_H
#define GYI_SYS_SOCK_H

#include <sys/socket.h>
#include <sys/types.h>

#include "base/bits.h"
#include "sys/sys.h"

/* An address of any family. `len` 0: none. */
typedef struct gyi_sockaddr {
    struct sockaddr_storage addr;
    socklen_t len;
} gyi_sockaddr;

/* A new stream socket, close-on-exec and non-blocking; on systems that can, one that raises no SIGPIPE. */
int gyi_sock_open(gyi_sys *sys, int family);

int gyi_sock_bind(gyi_sys *sys, int fd, const gyi_sockaddr *addr);
int gyi_sock_listen(gyi_sys *sys, int fd, int backlog);

/* A connection, close-on-exec and non-blocking. -EAGAIN: none is waiting. Aborted connections are skipped. */
int gyi_sock_accept(gyi_sys *sys, int fd);

/* Begins to connect. 0: connected already. -EINPROGRESS: writable when decided, see gyi_sock_error(). */
int gyi_sock_connect(gyi_sys *sys, int fd, const gyi_sockaddr *addr);

/* The pending error of a socket as 0 or -errno. */
int gyi_sock_error(gyi_sys *sys, int fd);

int gyi_sock_shutdown_write(gyi_sys *sys, int fd);

int gyi_sock_set(gyi_sys *sys, int fd, int level, int option, int value);
int gyi_sock_get(gyi_sys *sys, int fd, int level, int option, int *value);

/* Two local sockets that are connected with each other, born as those of gyi_sock_open(). */
int gyi_sock_pair(gyi_sys *sys, int ends[2]);

/* Has the close that follows reset the connection instead of ending it. */
int gyi_sock_reset(gyi_sys *sys, int fd);

/* Turns keepalive on with the given seconds of silence before the first probe, or off with 0. */
int gyi_sock_keepalive(gyi_sys *sys, int fd, int seconds);

/* Those seconds, or 1 where the system does not tell. */
int gyi_sock_keepalive_time(gyi_sys *sys, int fd, int *seconds);

int gyi_sock_local(gyi_sys *sys, int fd, gyi_sockaddr *out);
int gyi_sock_peer(gyi_sys *sys, int fd, gyi_sockaddr *out);

/* Where a call can say itself that it is not to wait, in both directions, a socket that is handed over can stay in the
 * blocking mode in which others may use it. The rest of the systems are not known to honour it when sending. */
#if defined(__linux__) || defined(__FreeBSD__)
enum { GYI_SOCK_NOWAIT = MSG_DONTWAIT };
#else
enum { GYI_SOCK_NOWAIT = 0 };
#endif

#ifdef MSG_NOSIGNAL
enum { GYI_SOCK_SEND = MSG_NOSIGNAL | GYI_SOCK_NOWAIT };
#else
enum { GYI_SOCK_SEND = GYI_SOCK_NOWAIT }; /* SO_NOSIGPIPE instead, set at birth */
#endif

/* Move bytes without SIGPIPE. -EAGAIN when it would block. The two that are called for every message are inline. */
static inline ssize_t gyi_sock_recv(gyi_sys *sys, int fd, void *to, size_t len) {
    for (;;) {
        int err = gyi_sys_enter(sys, GYI_SYS_READ);
        if (err) return err;
        ssize_t n = recv(fd, to, len, GYI_SOCK_NOWAIT);
        if (GYI_LIKELY(n >= 0)) return n;
        if (errno != EINTR) return -errno;
    }
}

static inline ssize_t gyi_sock_send(gyi_sys *sys, int fd, const void *from, size_t len) {
    for (;;) {
        int err = gyi_sys_enter(sys, GYI_SYS_WRITE);
        if (err) return err;
        ssize_t n = send(fd, from, len, GYI_SOCK_SEND);
        if (GYI_LIKELY(n >= 0)) return n;
        if (errno != EINTR) return -errno;
    }
}

ssize_t gyi_sock_sendmsg(gyi_sys *sys, int fd, const struct msghdr *msg);
ssize_t gyi_sock_sendv(gyi_sys *sys, int fd, const gy_buf *from, unsigned count);

#endif
