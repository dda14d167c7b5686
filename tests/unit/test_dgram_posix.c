/* SPDX-License-Identifier: ISC */
/* One call for each datagram: how many calls that is. The contract is in test_dgram.c, for every system. */
#include "dgrams.h"

TEST(dgram_posix, each_is_a_call) {
    dgrams d;
    char byte = 1;
    gy_buf buf = {&byte, 1};
    gyi_dgram_out out[3];
    int later;
    dgrams_open(&d);
    for (int i = 0; i < 3; i++) out[i] = (gyi_dgram_out){&d.at_b.addr, d.at_b.len, 0, &buf, 1, NULL};
    memset(&d.sys, 0, sizeof d.sys);
    CHECK_EQ(gyi_dgram_send(&d.sys, d.a, out, 3), 3);
    CHECK_EQ(gyi_dgram_recv(&d.sys, d.b, d.in, NULL, 3, &later), 3);
    CHECK_EQ(d.sys.count[GYI_SYS_WRITE], 3);
    CHECK_EQ(d.sys.count[GYI_SYS_READ], 3);
    dgrams_close(&d);
}
