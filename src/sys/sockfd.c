/* SPDX-License-Identifier: ISC */
/* Descriptors over local sockets: SCM_RIGHTS.
 *
 * What a message brings beyond the room for it is lost, and on some systems leaks; so there is always room for as many
 * as any system sends. The kernel still has to drop some when the process has no number free for them (Linux), which it
 * says by MSG_CTRUNC. */
#include "sys/sockfd.h"

#include <string.h>
#include <sys/uio.h>

#include "sys/fd.h"
#include "sys/sock.h"

#ifdef MSG_CMSG_CLOEXEC
enum { SOCKFD_RECV = GYI_SOCK_NOWAIT | MSG_CMSG_CLOEXEC, SOCKFD_BORN_CLOEXEC = 1 };
#else
enum { SOCKFD_RECV = GYI_SOCK_NOWAIT, SOCKFD_BORN_CLOEXEC = 0 };
#endif

/* Beside descriptors, credentials may come, where somebody has asked the socket for them. */
enum { SOCKFD_OTHERS = 256 };

typedef union sockfd_control {
    char bytes[CMSG_SPACE(GYI_SOCK_FDS * sizeof(int)) + SOCKFD_OTHERS];
    struct cmsghdr align;
} sockfd_control;

ssize_t gyi_sock_send_fds(gyi_sys *sys, int fd, gy_buf from, const int *fds, unsigned count) {
    sockfd_control control;
    struct iovec data = {from.base, from.len};
    struct msghdr msg;
    size_t size = count * sizeof *fds;
    memset(&control, 0, sizeof control);
    memset(&msg, 0, sizeof msg);
    msg.msg_iov = &data;
    msg.msg_iovlen = 1;
    msg.msg_control = control.bytes;
    msg.msg_controllen = (__typeof__(msg.msg_controllen))CMSG_SPACE(size);
    struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = (__typeof__(head->cmsg_len))CMSG_LEN(size);
    memcpy(CMSG_DATA(head), fds, size);
    return gyi_sock_sendmsg(sys, fd, &msg);
}

/* Takes over one descriptor of a message; after the first that cannot be had, none. */
static void sockfd_take(gyi_sys *sys, gyi_sock_fds *got, int fd) {
    int err = got->err;
    if (!err && !SOCKFD_BORN_CLOEXEC) err = gyi_fd_cloexec(sys, fd);
    if (!err && got->count == GYI_SOCK_FDS) err = -EMFILE;
    if (err) gyi_fd_close(sys, fd);
    else got->at[got->count++] = fd;
    got->err = err;
}

static void sockfd_unpack(gyi_sys *sys, struct msghdr *msg, gyi_sock_fds *got) {
    for (struct cmsghdr *head = CMSG_FIRSTHDR(msg); head; head = CMSG_NXTHDR(msg, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        const unsigned char *at = CMSG_DATA(head);
        size_t size = head->cmsg_len - CMSG_LEN(0);
        for (size_t i = 0; i + sizeof(int) <= size; i += sizeof(int)) {
            int fd;
            memcpy(&fd, at + i, sizeof fd);
            sockfd_take(sys, got, fd);
        }
    }
    if (!got->err && (msg->msg_flags & MSG_CTRUNC)) got->err = -EMFILE;
}

ssize_t gyi_sock_recv_fds(gyi_sys *sys, int fd, gy_buf into, gyi_sock_fds *got) {
    sockfd_control control;
    struct iovec data = {into.base, into.len};
    struct msghdr msg;
    got->count = got->err = 0;
    for (;;) {
        memset(&msg, 0, sizeof msg);
        msg.msg_iov = &data;
        msg.msg_iovlen = 1;
        msg.msg_control = control.bytes;
        msg.msg_controllen = sizeof control.bytes;
        int err = gyi_sys_enter(sys, GYI_SYS_READ);
        if (err) return err;
        ssize_t n = recvmsg(fd, &msg, SOCKFD_RECV);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        sockfd_unpack(sys, &msg, got);
        return n;
    }
}
