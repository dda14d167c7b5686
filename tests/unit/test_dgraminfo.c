/* SPDX-License-Identifier: ISC */
/* What comes along with a datagram, and what is set for those that are sent. */
#ifdef __APPLE__
#define __APPLE_USE_RFC_3542 1
#endif
#include "dgrams.h"

TEST(dgraminfo, asked_for_and_told) {
    dgrams d;
    gyi_dgram_info info[4];
    char byte = 1;
    int later;
    dgrams_open(&d);
    gyi_dgram_out out = {&d.at_b.addr, d.at_b.len, 0, &(gy_buf){&byte, 1}, 1, NULL};
    CHECK_EQ(gyi_dgram_send(&d.sys, d.a, &out, 1), 1);
    CHECK_EQ(gyi_dgram_recv(&d.sys, d.b, d.in, info, 4, &later), 1); /* nothing was asked for */
    CHECK_EQ(info[0].family, 0);
    CHECK_EQ(info[0].ttl, -1);
    CHECK_EQ(info[0].tos, -1);
    int err = gyi_dgram_ask(&d.sys, d.b, AF_INET, GYI_DGRAM_INFO);
    if (err == -ENOTSUP) SKIP("this system does not tell the class of IPv4 datagrams");
    CHECK_EQ(err, 0);
    CHECK_EQ(gyi_dgram_set_ttl(&d.sys, d.a, AF_INET, 201), 0);
    CHECK_EQ(gyi_dgram_set_tos(&d.sys, d.a, AF_INET, 0x10), 0);
    CHECK_EQ(gyi_dgram_send(&d.sys, d.a, &out, 1), 1);
    dgrams_place(&d);
    CHECK_EQ(gyi_dgram_recv(&d.sys, d.b, d.in, info, 4, &later), 1);
    CHECK_EQ(info[0].family, AF_INET);
    CHECK_EQ(memcmp(info[0].local, (unsigned char[]){127, 0, 0, 1}, 4), 0);
    CHECK_EQ(info[0].ttl, 201);
    CHECK_EQ(info[0].tos, 0x10);
    dgrams_close(&d);
}

/* A value is one byte or an int; a message that is neither ours nor known is passed over. */
TEST(dgraminfo, messages_of_either_width) {
    _Alignas(struct cmsghdr) unsigned char room[GYI_DGRAM_CONTROL];
    struct msghdr m;
    gyi_dgram_info info;
    int wide = 44;
    memset(&m, 0, sizeof m);
    memset(room, 0, sizeof room);
    m.msg_control = room;
    m.msg_controllen = CMSG_SPACE(1) + CMSG_SPACE(sizeof wide);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = IPPROTO_IPV6;
    c->cmsg_type = IPV6_TCLASS;
    c->cmsg_len = CMSG_LEN(1);
    *CMSG_DATA(c) = 33;
    c = CMSG_NXTHDR(&m, c);
    c->cmsg_level = IPPROTO_IPV6;
    c->cmsg_type = IPV6_HOPLIMIT;
    c->cmsg_len = CMSG_LEN(sizeof wide);
    memcpy(CMSG_DATA(c), &wide, sizeof wide);
    gyi_dgram_read_info(&m, &info);
    CHECK_EQ(info.tos, 33);
    CHECK_EQ(info.ttl, 44);
    CHECK_EQ(info.family, 0);
}

TEST(dgraminfo, errors_are_passed_on) {
    gyi_sys sys = {.count = {0}};
    CHECK_EQ(gyi_dgram_ask(&sys, -1, AF_INET, GYI_DGRAM_HOPS), -EBADF);
    CHECK_EQ(gyi_dgram_ask(&sys, -1, AF_INET6, GYI_DGRAM_LOCAL), -EBADF);
    CHECK_EQ(gyi_dgram_set_ttl(&sys, -1, AF_INET6, 5), -EBADF);
    CHECK_EQ(gyi_dgram_set_tos(&sys, -1, AF_INET, 5), -EBADF);
    CHECK(gyi_dgram_set_whole(&sys, -1, AF_INET, 1) < 0);
}
