/* SPDX-License-Identifier: ISC */
/* Multicast on the loopback interface, options, and sharing of ports. */
#include "udp.h"

#include <ifaddrs.h>
#include <net/if.h>

#ifdef __linux__
enum { UDP_ON_LINUX = 1 };
#else
enum { UDP_ON_LINUX = 0 };
#endif

static const char *loopback_name(void) {
    static char name[IF_NAMESIZE];
    struct ifaddrs *list = NULL;
    name[0] = 0;
    CHECK_EQ(getifaddrs(&list), 0);
    for (struct ifaddrs *i = list; i; i = i->ifa_next)
        if ((i->ifa_flags & IFF_LOOPBACK) && !name[0]) snprintf(name, sizeof name, "%s", i->ifa_name);
    freeifaddrs(list);
    return name;
}

/* Sends to the group and says whether it comes. */
static bool group_hears(kit *k, post *from, post *member, const gy_endpoint *group) {
    letter l = {0};
    int before = member->count;
    letter_send(from, &l, "all", group);
    kit_until(k, &l.done, 1);
    for (int i = 0; i < 20 && member->count == before; i++) kit_turns(k, 1);
    return l.err == 0 && member->count > before;
}

static void group_test(kit *k, const char *any, const char *host, const char *sender) {
    const char *lo = loopback_name();
    char text[64], index[16];
    gy_endpoint group;
    snprintf(index, sizeof index, "%u", if_nametoindex(lo));
    post *member = post_open_with(k, (gy_udp_opts){.addr = any, .reuseaddr = true, .v6only = any[0] == '['});
    post *from = post_open(k, sender);
    snprintf(text, sizeof text, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, gy_endpoint_port(&member->at));
    CHECK_EQ(gy_endpoint_parse(&group, text), 0);
    post_receive(member);
    int err = gy_udp_join(&member->udp, (gy_udp_group){.group = host, .interface = lo});
    if (err == -ENODEV || err == -EADDRNOTAVAIL) SKIP("the loopback interface takes no groups here");
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_udp_multicast_by(&from->udp, lo), 0);
    CHECK_EQ(gy_udp_set(&from->udp, GY_UDP_MULTICAST_TTL, 0), 0);
    if (!group_hears(k, from, member, &group)) SKIP("groups are not routed over the loopback interface here");
    CHECK_STR(member->text, "all");
    CHECK_EQ(gy_udp_join(&member->udp, (gy_udp_group){.group = host, .interface = lo}), -EADDRINUSE);
    CHECK_EQ(gy_udp_leave(&member->udp, (gy_udp_group){.group = host, .interface = index}), 0);
    CHECK_EQ(gy_udp_leave(&member->udp, (gy_udp_group){.group = host, .interface = lo}), -EADDRNOTAVAIL);
    CHECK(!group_hears(k, from, member, &group));
    /* From one source alone: the one that sends, and another. */
    const char *self = any[0] == '[' ? "::1" : "127.0.0.1", *other = any[0] == '[' ? "fd00::99" : "127.0.0.9";
    gy_udp_group one = {.group = host, .source = other, .interface = lo};
    CHECK_EQ(gy_udp_leave(&member->udp, one), -EADDRNOTAVAIL);
    CHECK_EQ(gy_udp_join(&member->udp, one), 0);
    if (UDP_ON_LINUX) CHECK_EQ(gy_udp_join(&member->udp, one), -EADDRINUSE);
    CHECK(!group_hears(k, from, member, &group));
    CHECK_EQ(gy_udp_leave(&member->udp, one), 0);
    CHECK_EQ(gy_udp_leave(&member->udp, one), -EADDRNOTAVAIL);
    one.source = self;
    CHECK_EQ(gy_udp_join(&member->udp, one), 0);
    CHECK(group_hears(k, from, member, &group));
    CHECK_EQ(gy_udp_leave(&member->udp, one), 0);
    CHECK(!group_hears(k, from, member, &group));
    post_close(k, member);
    post_close(k, from);
}

TEST_BACKENDS(udp_multicast, groups_of_IPv4) {
    kit k;
    kit_open(&k, backend);
    group_test(&k, "0.0.0.0:0", "239.255.77.7", "127.0.0.1:0");
    kit_close(&k);
}

TEST_BACKENDS(udp_multicast, groups_of_IPv6) {
    kit k;
    if (!kit_has(KIT_TCP6)) SKIP("this machine has no IPv6 loopback");
    kit_open(&k, backend);
    group_test(&k, "[::]:0", "ff11::7777", "[::1]:0");
    kit_close(&k);
}

TEST_BACKENDS(udp_multicast, bad_groups_are_refused) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0");
    CHECK_EQ(gy_udp_join(&a->udp, (gy_udp_group){.group = NULL}), -EINVAL);
    CHECK_EQ(gy_udp_join(&a->udp, (gy_udp_group){.group = "239.1.1.1:80"}), GY_EADDRESS);
    CHECK_EQ(gy_udp_join(&a->udp, (gy_udp_group){.group = "*"}), GY_EADDRESS);
    CHECK_EQ(gy_udp_join(&a->udp, (gy_udp_group){.group = ""}), GY_EADDRESS);
    CHECK_EQ(gy_udp_join(&a->udp, (gy_udp_group){.group = "239.1.1.1", .source = "me"}), GY_EADDRESS);
    CHECK_EQ(gy_udp_join(&a->udp, (gy_udp_group){.group = "239.1.1.1", .source = "::1"}), -EINVAL);
    CHECK_EQ(gy_udp_join(&a->udp, (gy_udp_group){.group = "ff02::1"}), -EAFNOSUPPORT);
    CHECK_EQ(gy_udp_join(&a->udp, (gy_udp_group){.group = "127.0.0.1", .interface = loopback_name()}), -EINVAL);
    CHECK_EQ(gy_udp_join(&a->udp, (gy_udp_group){.group = "239.1.1.1", .interface = "nonesuch0"}), -ENODEV);
    CHECK_EQ(gy_udp_join(&a->udp, (gy_udp_group){.group = "239.1.1.1", .interface = "99999"}), -ENODEV);
    CHECK_EQ(gy_udp_join(&a->udp, (gy_udp_group){.group = "239.1.1.1", .interface = "192.0.2.222"}), -ENODEV);
    CHECK_EQ(gy_udp_multicast_by(&a->udp, "nonesuch0"), -ENODEV);
    CHECK_EQ(gy_udp_multicast_by(&a->udp, NULL), 0);
    CHECK_EQ(gy_udp_multicast_by(&a->udp, "127.0.0.1"), 0);
    gy_udp closed = {0};
    CHECK_EQ(gy_udp_join(&closed, (gy_udp_group){.group = "239.1.1.1"}), GY_ECLOSED);
    CHECK_EQ(gy_udp_multicast_by(&closed, NULL), GY_ECLOSED);
    post_close(&k, a);
    kit_close(&k);
}

/* Two sockets on one port: a sender's datagrams reach one of them. */
TEST_BACKENDS(udp_multicast, a_shared_port) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open_with(&k, (gy_udp_opts){.addr = "127.0.0.1:0", .reuseport = true});
    post *b = post_open_with(&k, (gy_udp_opts){.addr = post_text(&a->at), .reuseport = true});
    post *from = post_open(&k, "127.0.0.1:0");
    letter l[10] = {0};
    CHECK(gy_endpoint_equal(&a->at, &b->at));
    post_receive(a);
    post_receive(b);
    for (int i = 0; i < 10; i++) letter_send(from, &l[i], "x", &a->at);
    for (int i = 0; i < 1000 && a->count + b->count < 10; i++) kit_turns(&k, 1);
    CHECK_EQ(a->count + b->count, 10);
    post_close(&k, a);
    post_close(&k, b);
    post_close(&k, from);
    kit_close(&k);
}
