/* SPDX-License-Identifier: ISC */
/* Moving datagrams on Linux: many per call, cut into segments by the kernel, and with a queue of errors.
 *
 * When a datagram fails behind others, sendmmsg reports those before it and nothing of the failure: the next call meets
 * it again. recvmmsg does the same and keeps the error for the next call itself, so a short count means that there was
 * nothing more, or that there is an error of which the kernel has sent word.
 *
 * sendmmsg is called by number, with padding zeroed, because musl makes one call for each datagram out of it on 64-bit
 * systems, over members whose width it sees differently. */
#include "sys/dgram.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bits.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* Room for two control messages: the address to send from, and a segment's size. */
typedef struct dgram_cut {
    _Alignas(struct cmsghdr) unsigned char bytes[GYI_DGRAM_FROM + CMSG_SPACE(sizeof(uint16_t))];
} dgram_cut;

typedef struct dgram_control {
    _Alignas(struct cmsghdr) unsigned char bytes[GYI_DGRAM_CONTROL];
} dgram_control;

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static GYI_APART void dgram_fill_control(struct msghdr *m, const gyi_dgram_out *out, dgram_cut *cut) {
    uint16_t size = (uint16_t)out->segment;
    memset(cut, 0, sizeof *cut);
    size_t used = out->from ? gyi_dgram_write_from(out->from, cut->bytes) : 0;
    if (size) {
        struct cmsghdr *c = (struct cmsghdr *)(void *)(cut->bytes + used);
        c->cmsg_level = IPPROTO_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof size);
        memcpy(CMSG_DATA(c), &size, sizeof size);
        used += CMSG_SPACE(sizeof size);
    }
    m->msg_control = cut->bytes;
    m->msg_controllen = (__typeof__(m->msg_controllen))used;
}

static void dgram_fill(struct msghdr *m, const gyi_dgram_out *out, dgram_cut *cut) {
    memset(m, 0, sizeof *m);
    m->msg_name = (void *)(uintptr_t)out->to;
    m->msg_namelen = out->to_len;
    m->msg_iov = (struct iovec *)(uintptr_t)out->bufs;
    m->msg_iovlen = (__typeof__(m->msg_iovlen))out->count;
    if (GYI_UNLIKELY(out->segment | (uintptr_t)out->from)) dgram_fill_control(m, out, cut); /* one test for both */
}

static int dgram_send_one(gyi_sys *sys, int fd, const gyi_dgram_out *out) {
    struct msghdr m;
    dgram_cut cut;
    dgram_fill(&m, out, &cut);
    for (;;) {
        int err = gyi_sys_enter(sys, GYI_SYS_WRITE);
        if (err) return err;
        if (sendmsg(fd, &m, MSG_NOSIGNAL) >= 0) return 1;
        if (errno != EINTR) return -errno;
    }
}

static GYI_APART int dgram_send_many(gyi_sys *sys, int fd, const gyi_dgram_out *out, unsigned count) {
    struct mmsghdr m[GYI_DGRAM_BATCH];
    dgram_cut cut[GYI_DGRAM_BATCH];
    for (unsigned i = 0; i < count; i++) {
        dgram_fill(&m[i].msg_hdr, &out[i], &cut[i]);
        m[i].msg_len = 0;
    }
    for (;;) {
        int err = gyi_sys_enter(sys, GYI_SYS_WRITE);
        if (err) return err;
        long n = syscall(SYS_sendmmsg, fd, m, count, MSG_NOSIGNAL);
        if (n >= 0) return (int)n;
        if (errno != EINTR) return -errno;
    }
}

int gyi_dgram_send(gyi_sys *sys, int fd, const gyi_dgram_out *out, unsigned count) {
    if (count == 1) return dgram_send_one(sys, fd, out);
    return dgram_send_many(sys, fd, out, count < GYI_DGRAM_BATCH ? count : GYI_DGRAM_BATCH);
}

int gyi_dgram_cuts(gyi_sys *sys, int fd) {
    int value;
    return gyi_sock_get(sys, fd, IPPROTO_UDP, UDP_SEGMENT, &value);
}

int gyi_dgram_join(gyi_sys *sys, int fd, int on) {
    int err = gyi_sock_set(sys, fd, IPPROTO_UDP, UDP_GRO, on);
    return err == -ENOPROTOOPT ? -ENOTSUP : err;
}

bool gyi_dgram_joins(gyi_sys *sys, int fd) {
    int value = 0;
    return !gyi_sock_get(sys, fd, IPPROTO_UDP, UDP_GRO, &value) && value;
}

/* ---- receiving --------------------------------------------------------------------------------------------------- */

static void dgram_place(struct msghdr *m, gyi_dgram_in *in) {
    memset(m, 0, sizeof *m);
    m->msg_name = in->from;
    m->msg_namelen = in->from_len;
    m->msg_iov = (struct iovec *)(void *)&in->room;
    m->msg_iovlen = 1;
}

static void dgram_took(const struct msghdr *m, gyi_dgram_in *in, size_t len) {
    in->from_len = m->msg_namelen;
    in->len = len;
    in->truncated = m->msg_flags & MSG_TRUNC;
}

/* With MSG_TRUNC among the flags, the length that is told is that of the datagram. */
static int dgram_recv(gyi_sys *sys, int fd, struct mmsghdr *m, unsigned count) {
    for (;;) {
        int err = gyi_sys_enter(sys, GYI_SYS_READ);
        if (err) return err;
        int n = recvmmsg(fd, m, count, MSG_TRUNC, NULL);
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
}

static GYI_APART int dgram_recv_info(gyi_sys *sys, int fd, struct mmsghdr *m, gyi_dgram_info *info, unsigned count) {
    dgram_control control[GYI_DGRAM_BATCH];
    for (unsigned i = 0; i < count; i++) {
        m[i].msg_hdr.msg_control = control[i].bytes;
        m[i].msg_hdr.msg_controllen = sizeof control[i].bytes;
    }
    int n = dgram_recv(sys, fd, m, count);
    for (int i = 0; i < n; i++) gyi_dgram_read_info(&m[i].msg_hdr, &info[i]);
    return n;
}

int gyi_dgram_recv(gyi_sys *sys, int fd, gyi_dgram_in *in, gyi_dgram_info *info, unsigned count, int *err) {
    struct mmsghdr m[GYI_DGRAM_BATCH];
    *err = 0;
    if (count > GYI_DGRAM_BATCH) count = GYI_DGRAM_BATCH;
    for (unsigned i = 0; i < count; i++) {
        dgram_place(&m[i].msg_hdr, &in[i]);
        m[i].msg_len = 0;
    }
    int n = info ? dgram_recv_info(sys, fd, m, info, count) : dgram_recv(sys, fd, m, count);
    for (int i = 0; i < n; i++) dgram_took(&m[i].msg_hdr, &in[i], m[i].msg_len);
    return n;
}

/* ---- the queue of errors ----------------------------------------------------------------------------------------- */

int gyi_dgram_keep_errors(gyi_sys *sys, int fd, int family) {
    if (family == AF_INET) return gyi_sock_set(sys, fd, IPPROTO_IP, IP_RECVERR, 1);
    int err = gyi_sock_set(sys, fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    return err ? err : gyi_sock_set(sys, fd, IPPROTO_IP, IP_RECVERR, 1); /* for IPv4 on the same socket */
}

bool gyi_dgram_keeps_errors(gyi_sys *sys, int fd, int family) {
    int v4 = 0, v6 = 0;
    if (family == AF_INET6 && gyi_sock_get(sys, fd, IPPROTO_IPV6, IPV6_RECVERR, &v6)) v6 = 0;
    return v6 || (!gyi_sock_get(sys, fd, IPPROTO_IP, IP_RECVERR, &v4) && v4);
}

/* An error of this machine's own is no answer of the network: whoever sent has been told. */
static int dgram_read_error(struct msghdr *m) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        if (!v4 && !v6) continue;
        struct sock_extended_err e;
        memcpy(&e, CMSG_DATA(c), sizeof e);
        return e.ee_origin == SO_EE_ORIGIN_LOCAL ? 0 : -(int)e.ee_errno;
    }
    return 0;
}

/* The address that comes with it is where the datagram was to go. */
int gyi_dgram_take_error(gyi_sys *sys, int fd, gyi_dgram_in *in, int *what) {
    struct msghdr m;
    dgram_control control;
    for (;;) {
        dgram_place(&m, in);
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        int err = gyi_sys_enter(sys, GYI_SYS_READ);
        if (err) return err;
        ssize_t n = recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        dgram_took(&m, in, (size_t)n);
        *what = dgram_read_error(&m);
        if (*what < 0) return 0;
    }
}
