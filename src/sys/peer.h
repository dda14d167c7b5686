/* SPDX-License-Identifier: ISC */
/* Who is at the other end of a local socket. */
#ifndef GYI_SYS_PEER_H
#define GYI_SYS_PEER_H

#include "sys/sys.h"

typedef struct gyi_peer {
    int64_t pid; /* -1: this system does not tell */
    uint32_t uid, gid;
} gyi_peer;

/* Who had made the peer when it connected, listened or was paired. @return 0 or -errno. */
int gyi_peer_get(gyi_sys *sys, int fd, gyi_peer *out);

#endif
