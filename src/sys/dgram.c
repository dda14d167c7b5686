/* SPDX-License-Identifier: ISC */
/* Datagram sockets, as far as all systems agree: birth, disconnecting, options. Moving datagrams differs from system to
 * system (dgram_linux.c, dgram_posix.c). */
#include "sys/dgram.h"

#include <poll.h>
#include <string.h>

#include "sys/fd.h"

#ifdef SO_REUSEPORT_LB
enum { DGRAM_REUSEPORT = SO_REUSEPORT_LB }; /* FreeBSD: the plain one does not spread */
#else
enum { DGRAM_REUSEPORT = SO_REUSEPORT };
#endif

#ifdef SOCK_CLOEXEC

static int dgram_create(gyi_sys *sys, int family) {
    (void)sys;
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

#else

static int dgram_create(gyi_sys *sys, int family) {
    int fd = socket(family, SOCK_DGRAM, 0);
    if (fd < 0) return -errno;
    int err = gyi_fd_cloexec(sys, fd);
    if (!err) err = gyi_fd_nonblock(sys, fd);
    if (!err) return fd;
    gyi_fd_close(sys, fd);
    return err;
}

#endif

int gyi_dgram_open(gyi_sys *sys, int family) {
    int err = gyi_sys_enter(sys, GYI_SYS_SOCKET);
    return err ? err : dgram_create(sys, family);
}

int gyi_dgram_disconnect(gyi_sys *sys, int fd) {
    struct sockaddr none;
    memset(&none, 0, sizeof none);
    none.sa_family = AF_UNSPEC;
    int err = gyi_sys_enter(sys, GYI_SYS_CONNECT);
    if (err) return err;
    if (connect(fd, &none, sizeof none) == 0) return 0;
    return errno == EAFNOSUPPORT ? 0 : -errno; /* the BSDs and macOS say so when they have done it */
}

int gyi_dgram_set(gyi_sys *sys, int fd, int level, int option, const void *value, size_t len) {
    int err = gyi_sys_enter(sys, GYI_SYS_SOCKOPT);
    if (err) return err;
    return setsockopt(fd, level, option, value, (socklen_t)len) ? -errno : 0;
}

int gyi_dgram_share_port(gyi_sys *sys, int fd) { return gyi_sock_set(sys, fd, SOL_SOCKET, DGRAM_REUSEPORT, 1); }

bool gyi_dgram_waits(gyi_sys *sys, int fd) {
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    return gyi_sys_enter(sys, GYI_SYS_WAIT) || poll(&waiting, 1, 0) < 0 || (waiting.revents & POLLIN);
}
