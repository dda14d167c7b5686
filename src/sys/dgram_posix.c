/* SPDX-License-Identifier: ISC */
/* Moving datagrams where one call moves one: macOS, the BSDs, and any other system with POSIX's calls. What FreeBSD and
 * NetBSD have of calls for many is a loop inside their C libraries or saves little, so this is for them too.
 *
 * There is no word of how long a truncated datagram was, no queue of errors, and no cutting by the kernel. */
#include "sys/dgram.h"

#include <string.h>

int gyi_dgram_cuts(gyi_sys *sys, int fd) {
    (void)sys, (void)fd;
    return -ENOTSUP;
}

int gyi_dgram_join(gyi_sys *sys, int fd, int on) {
    (void)sys, (void)fd, (void)on;
    return -ENOTSUP;
}

bool gyi_dgram_joins(gyi_sys *sys, int fd) {
    (void)sys, (void)fd;
    return false;
}

int gyi_dgram_keep_errors(gyi_sys *sys, int fd, int family) {
    (void)sys, (void)fd, (void)family;
    return -ENOTSUP;
}

bool gyi_dgram_keeps_errors(gyi_sys *sys, int fd, int family) {
    (void)sys, (void)fd, (void)family;
    return false;
}

int gyi_dgram_take_error(gyi_sys *sys, int fd, gyi_dgram_in *in, int *what) {
    (void)sys, (void)fd, (void)in, (void)what;
    return -EAGAIN;
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static int dgram_send_one(gyi_sys *sys, int fd, const gyi_dgram_out *out) {
    _Alignas(struct cmsghdr) unsigned char control[GYI_DGRAM_FROM] = {0};
    struct msghdr m;
    memset(&m, 0, sizeof m);
    if (out->from) {
        m.msg_controllen = (__typeof__(m.msg_controllen))gyi_dgram_write_from(out->from, control);
        m.msg_control = control;
    }
    m.msg_name = (void *)(uintptr_t)out->to;
    m.msg_namelen = out->to_len;
    m.msg_iov = (struct iovec *)(uintptr_t)out->bufs;
    m.msg_iovlen = (__typeof__(m.msg_iovlen))out->count;
    for (;;) {
        int err = gyi_sys_enter(sys, GYI_SYS_WRITE);
        if (err) return err;
        if (sendmsg(fd, &m, GYI_SOCK_SEND) >= 0) return 0;
        if (errno != EINTR) return -errno;
    }
}

int gyi_dgram_send(gyi_sys *sys, int fd, const gyi_dgram_out *out, unsigned count) {
    int err = 0;
    unsigned n = 0;
    while (n < count && n < GYI_DGRAM_BATCH && !(err = dgram_send_one(sys, fd, &out[n]))) n++;
    return n ? (int)n : err;
}

/* ---- receiving --------------------------------------------------------------------------------------------------- */

static int dgram_recv_one(gyi_sys *sys, int fd, gyi_dgram_in *in, gyi_dgram_info *info) {
    _Alignas(struct cmsghdr) unsigned char control[GYI_DGRAM_CONTROL];
    struct msghdr m;
    for (;;) {
        memset(&m, 0, sizeof m);
        m.msg_name = in->from;
        m.msg_namelen = in->from_len;
        m.msg_iov = (struct iovec *)(void *)&in->room;
        m.msg_iovlen = 1;
        m.msg_control = info ? control : NULL;
        m.msg_controllen = info ? sizeof control : 0;
        int err = gyi_sys_enter(sys, GYI_SYS_READ);
        if (err) return err;
        ssize_t n = recvmsg(fd, &m, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        in->from_len = m.msg_namelen;
        in->len = (size_t)n;
        in->truncated = m.msg_flags & MSG_TRUNC;
        if (info) gyi_dgram_read_info(&m, info);
        return 0;
    }
}

int gyi_dgram_recv(gyi_sys *sys, int fd, gyi_dgram_in *in, gyi_dgram_info *info, unsigned count, int *err) {
    unsigned n = 0;
    *err = 0;
    while (n < count && n < GYI_DGRAM_BATCH && !(*err = dgram_recv_one(sys, fd, &in[n], info ? &info[n] : NULL))) n++;
    int first = *err;
    if (n == 0 || first == -EAGAIN) *err = 0;
    return n ? (int)n : first;
}
