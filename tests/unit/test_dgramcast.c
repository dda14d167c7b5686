/* SPDX-License-Identifier: ISC */
/* Interfaces by name, number and address; groups; and how what is sent to groups leaves. */
#include <net/if.h>

#include "dgrams.h"
#include "net/udp.h"

static gyi_sockaddr host(const char *text) {
    gyi_sockaddr out;
    CHECK_EQ(gyi_endpoint_parse_host(text, &out), 0);
    return out;
}

TEST(dgramcast, an_interface_has_three_names) {
    gyi_sys sys = {.count = {0}};
    gyi_dgram_port by_addr, by_name, by_number;
    gyi_sockaddr lo = host("127.0.0.1"), nowhere = host("192.0.2.199"), six = host("fd00::1:2:3");
    char name[IF_NAMESIZE], number[2] = "0";
    CHECK_EQ(gyi_dgram_find_port(&sys, "", &lo, &by_addr), 0);
    CHECK(by_addr.index > 0);
    CHECK_EQ(memcmp(by_addr.v4, (unsigned char[]){127, 0, 0, 1}, 4), 0);
    CHECK(if_indextoname(by_addr.index, name) != NULL);
    CHECK_EQ(gyi_dgram_find_port(&sys, name, NULL, &by_name), 0);
    CHECK_EQ(by_name.index, by_addr.index);
    CHECK_EQ(memcmp(by_name.v4, by_addr.v4, 4), 0);
    if (by_addr.index < 10) {
        number[0] = (char)('0' + by_addr.index);
        CHECK_EQ(gyi_dgram_find_port(&sys, number, NULL, &by_number), 0);
        CHECK_EQ(by_number.index, by_addr.index);
    }
    CHECK_EQ(gyi_dgram_find_port(&sys, "", &nowhere, &by_addr), -ENODEV);
    CHECK_EQ(gyi_dgram_find_port(&sys, "", &six, &by_addr), -ENODEV);
    CHECK_EQ(gyi_dgram_find_port(&sys, "", NULL, &by_addr), -ENODEV);
    CHECK_EQ(gyi_dgram_find_port(&sys, "99999999999999999999", NULL, &by_addr), -ENODEV);
    CHECK_EQ(gyi_dgram_find_port(&sys, "12x", NULL, &by_addr), -ENODEV);
}

TEST(dgramcast, options_and_groups_say_what_the_kernel_says) {
    dgrams d;
    gyi_dgram_port none = {0}, lo, bare = {.index = 1};
    gyi_sockaddr group = host("239.8.8.8"), source = host("127.0.0.5"), at = host("127.0.0.1");
    unsigned char got = 99;
    socklen_t len = sizeof got;
    dgrams_open(&d);
    CHECK_EQ(gyi_dgram_find_port(&d.sys, "", &at, &lo), 0);
    CHECK_EQ(gyi_dgram_cast_ttl(&d.sys, d.a, AF_INET, 3), 0);
    CHECK_EQ(getsockopt(d.a, IPPROTO_IP, IP_MULTICAST_TTL, &got, &len), 0);
    CHECK_EQ(got, 3);
    CHECK_EQ(gyi_dgram_cast_loop(&d.sys, d.a, AF_INET, 0), 0);
    CHECK_EQ(getsockopt(d.a, IPPROTO_IP, IP_MULTICAST_LOOP, &got, &len), 0);
    CHECK_EQ(got, 0);
    CHECK_EQ(gyi_dgram_cast_by(&d.sys, d.a, AF_INET, &lo), 0);
    CHECK_EQ(gyi_dgram_cast_by(&d.sys, d.a, AF_INET, &none), 0);
    CHECK_EQ(gyi_dgram_cast_by(&d.sys, d.a, AF_INET, &bare), -EADDRNOTAVAIL);
    CHECK_EQ(gyi_dgram_cast_by(&d.sys, -1, AF_INET6, &lo), -EBADF);
    CHECK_EQ(gyi_dgram_cast_ttl(&d.sys, -1, AF_INET6, 3), -EBADF);
    CHECK(gyi_dgram_group(&d.sys, d.a, GYI_DGRAM_LEAVE, &group, NULL, &lo) < 0);
    CHECK(gyi_dgram_group(&d.sys, d.a, GYI_DGRAM_LEAVE, &group, &source, &lo) < 0);
    CHECK(gyi_dgram_group(&d.sys, d.a, GYI_DGRAM_JOIN, &at, NULL, &lo) < 0);
    dgrams_close(&d);
}
