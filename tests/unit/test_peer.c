/* SPDX-License-Identifier: ISC */
/* The credentials of a peer that is this very process. */
#include <errno.h>
#include <unistd.h>

#include "harness.h"
#include "sys/peer.h"
#include "sys/sock.h"

TEST(peer, a_pair_knows_itself) {
    gyi_sys sys = {{0}};
    int pair[2], ends[2];
    gyi_peer peer = {0};
    CHECK_EQ(gyi_sock_pair(&sys, pair), 0);
    CHECK_EQ(gyi_peer_get(&sys, pair[0], &peer), 0);
    CHECK(peer.pid == getpid() || peer.pid == -1);
    CHECK_EQ(peer.uid, geteuid());
    CHECK_EQ(peer.gid, getegid());
    CHECK_EQ(pipe(ends), 0);
    CHECK(gyi_peer_get(&sys, ends[0], &peer) < 0);
    CHECK_EQ(gyi_peer_get(&sys, -1, &peer), -EBADF);
    close(pair[0]);
    close(pair[1]);
    close(ends[0]);
    close(ends[1]);
}
