/* SPDX-License-Identifier: ISC */
/* The credentials of a local socket's peer. Each system has its own call; what they agree on is the user and the
 * group. */
#include "sys/peer.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef __linux__

static int peer_ask(int fd, gyi_peer *out) {
    struct ucred cred;
    socklen_t len = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len)) return -errno;
    *out = (gyi_peer){cred.pid, cred.uid, cred.gid};
    return 0;
}

#else

#ifdef LOCAL_PEERPID

static int64_t peer_pid(int fd) {
    pid_t pid;
    socklen_t len = sizeof pid;
    return getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &pid, &len) ? -1 : pid;
}

#else

static int64_t peer_pid(int fd) {
    (void)fd;
    return -1;
}

#endif

static int peer_ask(int fd, gyi_peer *out) {
    uid_t uid;
    gid_t gid;
    if (getpeereid(fd, &uid, &gid)) return -errno;
    *out = (gyi_peer){peer_pid(fd), uid, gid};
    return 0;
}

#endif

int gyi_peer_get(gyi_sys *sys, int fd, gyi_peer *out) {
    int err = gyi_sys_enter(sys, GYI_SYS_NAME);
    return err ? err : peer_ask(fd, out);
}
