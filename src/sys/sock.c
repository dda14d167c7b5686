/* SPDX-License-Identifier: ISC */
/* Sockets. Where the kernel can do a thing at once (accept4, SOCK_CLOEXEC) it is asked to; elsewhere the two steps are
 * made one after the other, with the window between them in which another thread's fork inherits the descriptor. */
#include "sys/sock.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "sys/fd.h"

#if defined(TCP_KEEPIDLE)
enum { SOCK_KEEPIDLE = TCP_KEEPIDLE };
#elif defined(TCP_KEEPALIVE)
enum { SOCK_KEEPIDLE = TCP_KEEPALIVE }; /* macOS calls it so */
#else
enum { SOCK_KEEPIDLE = -1 }; /* OpenBSD: one time for all */
#endif

#ifdef SOCK_CLOEXEC

static int sock_create(gyi_sys *sys, int family) {
    (void)sys;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

static int sock_two(gyi_sys *sys, int ends[2]) {
    (void)sys;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) ? -errno : 0;
}

static int sock_take(gyi_sys *sys, int fd) {
    (void)sys;
    int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return got < 0 ? -errno : got;
}

#else

static int sock_prepare(gyi_sys *sys, int fd) {
    int err = gyi_fd_cloexec(sys, fd);
    if (!err) err = gyi_fd_nonblock(sys, fd);
    if (!err) err = gyi_sock_set(sys, fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
    if (!err) return fd;
    gyi_fd_close(sys, fd);
    return err;
}

static int sock_create(gyi_sys *sys, int family) {
    int fd = socket(family, SOCK_STREAM, 0);
    return fd < 0 ? -errno : sock_prepare(sys, fd);
}

static int sock_two(gyi_sys *sys, int ends[2]) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return -errno;
    int err = sock_prepare(sys, ends[0]);
    if (err < 0) {
        gyi_fd_close(sys, ends[1]);
        return err;
    }
    err = sock_prepare(sys, ends[1]);
    if (err < 0) gyi_fd_close(sys, ends[0]);
    return err < 0 ? err : 0;
}

static int sock_take(gyi_sys *sys, int fd) {
    int got = accept(fd, NULL, NULL);
    if (got < 0) return -errno;
    got = sock_prepare(sys, got);
    return got == -EINVAL ? -ECONNABORTED : got; /* macOS says so of a connection that was reset already */
}

#endif

int gyi_sock_open(gyi_sys *sys, int family) {
    int err = gyi_sys_enter(sys, GYI_SYS_SOCKET);
    return err ? err : sock_create(sys, family);
}

int gyi_sock_pair(gyi_sys *sys, int ends[2]) {
    int err = gyi_sys_enter(sys, GYI_SYS_SOCKET);
    return err ? err : sock_two(sys, ends);
}

int gyi_sock_bind(gyi_sys *sys, int fd, const gyi_sockaddr *addr) {
    int err = gyi_sys_enter(sys, GYI_SYS_BIND);
    if (err) return err;
    return bind(fd, (const struct sockaddr *)&addr->addr, addr->len) ? -errno : 0;
}

int gyi_sock_listen(gyi_sys *sys, int fd, int backlog) {
    int err = gyi_sys_enter(sys, GYI_SYS_LISTEN);
    if (err) return err;
    return listen(fd, backlog) ? -errno : 0;
}

int gyi_sock_accept(gyi_sys *sys, int fd) {
    for (;;) {
        int err = gyi_sys_enter(sys, GYI_SYS_ACCEPT);
        if (err) return err;
        int got = sock_take(sys, fd);
        if (got != -EINTR && got != -ECONNABORTED) return got;
    }
}

int gyi_sock_connect(gyi_sys *sys, int fd, const gyi_sockaddr *addr) {
    int err = gyi_sys_enter(sys, GYI_SYS_CONNECT);
    if (err) return err;
    if (connect(fd, (const struct sockaddr *)&addr->addr, addr->len) == 0) return 0;
    /* An interrupted connect goes on in the background, as one in progress does. */
    return errno == EINTR ? -EINPROGRESS : -errno;
}

int gyi_sock_error(gyi_sys *sys, int fd) {
    int value = 0, err = gyi_sock_get(sys, fd, SOL_SOCKET, SO_ERROR, &value);
    return err ? err : -value;
}

int gyi_sock_shutdown_write(gyi_sys *sys, int fd) {
    int err = gyi_sys_enter(sys, GYI_SYS_SHUTDOWN);
    if (err) return err;
    return shutdown(fd, SHUT_WR) ? -errno : 0;
}

int gyi_sock_set(gyi_sys *sys, int fd, int level, int option, int value) {
    int err = gyi_sys_enter(sys, GYI_SYS_SOCKOPT);
    if (err) return err;
    return setsockopt(fd, level, option, &value, sizeof value) ? -errno : 0;
}

int gyi_sock_get(gyi_sys *sys, int fd, int level, int option, int *value) {
    int err = gyi_sys_enter(sys, GYI_SYS_SOCKOPT);
    if (err) return err;
    socklen_t len = sizeof *value;
    return getsockopt(fd, level, option, value, &len) ? -errno : 0;
}

int gyi_sock_reset(gyi_sys *sys, int fd) {
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    int err = gyi_sys_enter(sys, GYI_SYS_SOCKOPT);
    if (err) return err;
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none) ? -errno : 0;
}

int gyi_sock_keepalive(gyi_sys *sys, int fd, int seconds) {
    int err = gyi_sock_set(sys, fd, SOL_SOCKET, SO_KEEPALIVE, seconds > 0);
    if (err || seconds == 0 || SOCK_KEEPIDLE < 0) return err;
    return gyi_sock_set(sys, fd, IPPROTO_TCP, SOCK_KEEPIDLE, seconds);
}

int gyi_sock_keepalive_time(gyi_sys *sys, int fd, int *seconds) {
    *seconds = 1;
    return SOCK_KEEPIDLE < 0 ? 0 : gyi_sock_get(sys, fd, IPPROTO_TCP, SOCK_KEEPIDLE, seconds);
}

int gyi_sock_local(gyi_sys *sys, int fd, gyi_sockaddr *out) {
    int err = gyi_sys_enter(sys, GYI_SYS_NAME);
    if (err) return err;
    out->len = sizeof out->addr;
    return getsockname(fd, (struct sockaddr *)&out->addr, &out->len) ? -errno : 0;
}

int gyi_sock_peer(gyi_sys *sys, int fd, gyi_sockaddr *out) {
    int err = gyi_sys_enter(sys, GYI_SYS_NAME);
    if (err) return err;
    out->len = sizeof out->addr;
    return getpeername(fd, (struct sockaddr *)&out->addr, &out->len) ? -errno : 0;
}

ssize_t gyi_sock_sendmsg(gyi_sys *sys, int fd, const struct msghdr *msg) {
    for (;;) {
        int err = gyi_sys_enter(sys, GYI_SYS_WRITE);
        if (err) return err;
        ssize_t n = sendmsg(fd, msg, GYI_SOCK_SEND);
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
}

ssize_t gyi_sock_sendv(gyi_sys *sys, int fd, const gy_buf *from, unsigned count) {
    struct msghdr msg;
    memset(&msg, 0, sizeof msg);
    msg.msg_iov = (struct iovec *)(uintptr_t)from;
    msg.msg_iovlen = (__typeof__(msg.msg_iovlen))count;
    return gyi_sock_sendmsg(sys, fd, &msg);
}
