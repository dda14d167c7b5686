/* SPDX-License-Identifier: ISC */
/* Endpoints: reading, writing, comparing, and IPv4 in the clothes of IPv6. */
#include <netinet/in.h>
#include <string.h>

#include "harness.h"
#include "net/udp.h"

static gy_endpoint parsed(const char *text) {
    gy_endpoint e;
    CHECK_EQ(gy_endpoint_parse(&e, text), 0);
    return e;
}

TEST(udpaddr, what_is_read_is_written) {
    static const char *const same[] = {"127.0.0.1:7000", "0.0.0.0:0", "[::1]:65535", "[fe80::1%2]:53", "[::]:0"};
    gy_addr out;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        gy_endpoint e = parsed(same[i]), again = parsed(same[i]);
        gy_endpoint_text(&e, &out);
        CHECK_STR(out.text, same[i]);
        CHECK(gy_endpoint_equal(&e, &again));
    }
    gy_endpoint none = {0}, kept = parsed("1.2.3.4:5");
    gy_endpoint_text(&none, &out);
    CHECK_STR(out.text, "");
    CHECK_EQ(gy_endpoint_port(&none), 0);
    CHECK_EQ(gy_endpoint_parse(&kept, "1.2.3.4"), GY_EADDRESS);
    CHECK_EQ(gy_endpoint_parse(&kept, NULL), GY_EADDRESS);
    CHECK_EQ(gy_endpoint_port(&kept), 5);
}

TEST(udpaddr, what_differs_is_not_equal) {
    static const char *const all[] = {"1.2.3.4:5", "1.2.3.4:6", "1.2.3.5:5", "[::1]:5",
                                      "[::1%3]:5", "[::2]:5", "[::1]:6"};
    gy_endpoint none = {0}, nothing = {0};
    CHECK(gy_endpoint_equal(&none, &nothing));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        gy_endpoint a = parsed(all[i]);
        CHECK(!gy_endpoint_equal(&a, &none));
        for (size_t j = 0; j < sizeof all / sizeof *all; j++) {
            gy_endpoint b = parsed(all[j]);
            CHECK_EQ(gy_endpoint_equal(&a, &b), i == j);
        }
    }
}

TEST(udpaddr, IPv4_on_a_socket_of_IPv6) {
    gy_endpoint four = parsed("10.1.2.3:99"), six = parsed("[::1]:99"), out, none = {0};
    CHECK_EQ(gyi_endpoint_for(AF_INET6, &four, &out), 0);
    CHECK_EQ(gyi_endpoint_family(&out), AF_INET6);
    CHECK_EQ(gy_endpoint_port(&out), 99);
    gyi_endpoint_plain(&out);
    CHECK(gy_endpoint_equal(&out, &four));
    CHECK_EQ(gyi_endpoint_for(AF_INET, &six, &out), -EAFNOSUPPORT);
    CHECK_EQ(gyi_endpoint_for(AF_INET6, &six, &out), 0);
    gyi_endpoint_plain(&out);
    CHECK(gy_endpoint_equal(&out, &six));
    CHECK_EQ(gyi_endpoint_for(AF_INET, &none, &out), -EINVAL);
    gyi_endpoint_plain(&none);
    CHECK_EQ(gyi_endpoint_family(&none), 0);
}

/* An address of no family that fits, or of less bytes than it says, is none. */
TEST(udpaddr, strange_records_are_no_address) {
    gyi_sockaddr un = {.len = 100};
    gy_endpoint e = parsed("1.2.3.4:5"), cut = e;
    un.addr.ss_family = AF_UNIX;
    gyi_endpoint_from(&e, &un);
    CHECK_EQ(e.priv.len, 0);
    un.len = 20;
    gyi_endpoint_from(&e, &un);
    CHECK_EQ(gyi_endpoint_family(&e), 0);
    cut.priv.len = 8;
    CHECK_EQ(gyi_endpoint_family(&cut), 0);
    cut.priv.len = 1;
    CHECK_EQ(gyi_endpoint_family(&cut), 0);
}

TEST(udpaddr, hosts_without_a_port) {
    gyi_sockaddr out;
    static const char *const good[] = {"239.1.2.3", "ff02::1", "[ff02::1]", "::", "fe80::1%3"};
    static const char *const bad[] = {"", "*", "239.1.2.3:5", "[ff02::1]:5", "ff02::1]", "host", "[",
                                      "111111111111111111111111111111111111111111111111111111111111111111111111111111"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) CHECK_EQ(gyi_endpoint_parse_host(good[i], &out), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK_EQ(gyi_endpoint_parse_host(bad[i], &out), GY_EADDRESS);
}
