/* SPDX-License-Identifier: ISC */
/* What Linux has: how long a truncated datagram was, the queue of errors, segments, and few calls. */
#include "dgrams.h"

TEST(dgram_linux, the_length_of_what_was_truncated) {
    dgrams d;
    char bytes[50] = "";
    int later;
    dgrams_open(&d);
    gyi_dgram_out out = {&d.at_b.addr, d.at_b.len, 0, &(gy_buf){bytes, 50}, 1, NULL};
    CHECK_EQ(gyi_dgram_send(&d.sys, d.a, &out, 1), 1);
    CHECK_EQ(gyi_dgram_recv(&d.sys, d.b, d.in, NULL, 2, &later), 1);
    CHECK_EQ(d.in[0].len, 50);
    CHECK(d.in[0].truncated);
    dgrams_close(&d);
}

TEST(dgram_linux, many_are_one_call) {
    dgrams d;
    char byte = 1;
    gy_buf buf = {&byte, 1};
    gyi_dgram_out out[GYI_DGRAM_BATCH];
    int later;
    dgrams_open(&d);
    for (int i = 0; i < GYI_DGRAM_BATCH; i++) out[i] = (gyi_dgram_out){&d.at_b.addr, d.at_b.len, 0, &buf, 1, NULL};
    memset(&d.sys, 0, sizeof d.sys);
    CHECK_EQ(gyi_dgram_send(&d.sys, d.a, out, GYI_DGRAM_BATCH), GYI_DGRAM_BATCH);
    CHECK_EQ(gyi_dgram_recv(&d.sys, d.b, d.in, NULL, GYI_DGRAM_BATCH, &later), GYI_DGRAM_BATCH);
    CHECK_EQ(d.sys.count[GYI_SYS_WRITE], 1);
    CHECK_EQ(d.sys.count[GYI_SYS_READ], 1);
    dgrams_close(&d);
}

TEST(dgram_linux, errors_are_kept_with_their_datagrams) {
    dgrams d;
    char bytes[] = "lost";
    int what = 0;
    dgrams_open(&d);
    CHECK_EQ(gyi_dgram_take_error(&d.sys, d.a, d.in, &what), -EAGAIN);
    CHECK_EQ(gyi_dgram_keep_errors(&d.sys, d.a, AF_INET), 0);
    CHECK_EQ(gyi_dgram_take_error(&d.sys, d.a, d.in, &what), -EAGAIN);
    close(d.b);
    gyi_dgram_out out = {&d.at_b.addr, d.at_b.len, 0, &(gy_buf){bytes, 4}, 1, NULL};
    CHECK_EQ(gyi_dgram_send(&d.sys, d.a, &out, 1), 1);
    CHECK_EQ(gyi_dgram_take_error(&d.sys, d.a, d.in, &what), 0);
    CHECK_EQ(what, -ECONNREFUSED);
    CHECK_EQ(d.in[0].len, 4);
    CHECK_EQ(memcmp(d.room[0], "lost", 4), 0);
    CHECK_EQ(memcmp(&d.from[0], &d.at_b.addr, sizeof(struct sockaddr_in)), 0);
    CHECK_EQ(gyi_dgram_take_error(&d.sys, d.a, d.in, &what), -EAGAIN);
    CHECK_EQ(gyi_dgram_take_error(&d.sys, -1, d.in, &what), -EBADF);
    close(d.a);
}

TEST(dgram_linux, the_kernel_cuts) {
    dgrams d;
    char bytes[25];
    int later;
    dgrams_open(&d);
    if (gyi_dgram_cuts(&d.sys, d.a)) SKIP("this kernel knows no segments");
    for (int i = 0; i < 25; i++) bytes[i] = (char)i;
    gy_buf buf = {bytes, 25};
    gyi_dgram_out plain = {&d.at_b.addr, d.at_b.len, 0, &buf, 1, NULL}, out[2] = {plain, plain};
    out[0].segment = 10;
    CHECK_EQ(gyi_dgram_send(&d.sys, d.a, out, 1), 1);
    CHECK_EQ(gyi_dgram_send(&d.sys, d.a, out, 2), 2);
    CHECK_EQ(gyi_dgram_recv(&d.sys, d.b, d.in, NULL, 10, &later), 7);
    CHECK_EQ(d.in[0].len, 10);
    CHECK_EQ(d.in[2].len, 5);
    CHECK_EQ(d.room[2][0], 20);
    CHECK_EQ(d.in[6].len, 25);
    CHECK(gyi_dgram_cuts(&d.sys, -1) < 0);
    dgrams_close(&d);
}
