/* SPDX-License-Identifier: ISC */
/* What may be asked, and what is refused at once. */
#include "net/dns.h"

#include <string.h>

#include "harness.h"

static int dns_calls;

static void dns_note(gy_dns *req, int err) {
    (void)req, (void)err;
    dns_calls++;
}

static int dns_check_text(const char *host) { return gyi_dns_check_host(host, strlen(host)); }

TEST(dns, hosts_that_may_be_asked_for) {
    char long_one[1100];
    CHECK_EQ(dns_check_text("example.org"), 0);
    CHECK_EQ(dns_check_text("."), 0);
    CHECK_EQ(dns_check_text("fe80::1%eth0"), 0);
    CHECK_EQ(dns_check_text("b\xc3\xbc" "cher.example"), 0);
    CHECK_EQ(dns_check_text("_sip._tcp.example"), 0);
    CHECK_EQ(dns_check_text(""), GY_EADDRESS);
    CHECK_EQ(dns_check_text("two words"), GY_EADDRESS);
    CHECK_EQ(dns_check_text(" x"), GY_EADDRESS);
    CHECK_EQ(dns_check_text("x\n"), GY_EADDRESS);
    CHECK_EQ(dns_check_text("x\x7f"), GY_EADDRESS);
    CHECK_EQ(dns_check_text("[::1]"), GY_EADDRESS);
    CHECK_EQ(dns_check_text("http://x"), GY_EADDRESS);
    memset(long_one, 'a', sizeof long_one);
    CHECK_EQ(gyi_dns_check_host(long_one, 253), 0);
    CHECK_EQ(gyi_dns_check_host(long_one, 254), -ENAMETOOLONG);
    long_one[253] = '.';
    CHECK_EQ(gyi_dns_check_host(long_one, 254), 0);
    long_one[0] = '\xc3';
    CHECK_EQ(gyi_dns_check_host(long_one, 1024), 0);
    CHECK_EQ(gyi_dns_check_host(long_one, 1025), -ENAMETOOLONG);
}

TEST(dns, ports_are_numbers_up_to_65535) {
    uint16_t port = 7;
    CHECK_EQ(gyi_dns_port("0", &port), 0);
    CHECK_EQ(port, 0);
    CHECK_EQ(gyi_dns_port("65535", &port), 0);
    CHECK_EQ(port, 65535);
    CHECK_EQ(gyi_dns_port("65536", &port), -ERANGE);
    CHECK_EQ(gyi_dns_port("99999999999999999999999999", &port), -ERANGE);
    CHECK_EQ(gyi_dns_port("", &port), -EINVAL);
    CHECK_EQ(gyi_dns_port("80x", &port), -EINVAL);
    CHECK_EQ(gyi_dns_port("-1", &port), -EINVAL);
    CHECK_EQ(gyi_dns_port("https", &port), -EINVAL);
    CHECK_EQ(port, 65535);
}

TEST(dns, what_is_wrong_is_said_at_once) {
    gy_loop *loop;
    gy_dns req = {.user = NULL};
    dns_calls = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    gy_dns_opts good = {.host = "localhost"}, bad = good;
    CHECK_EQ(gy_dns_lookup(loop, &req, good, NULL), -EINVAL);
    CHECK_EQ(gy_dns_lookup(loop, &req, (gy_dns_opts){.port = 80}, dns_note), -EINVAL);
    bad.flags = 1u << 20;
    CHECK_EQ(gy_dns_lookup(loop, &req, bad, dns_note), -EINVAL);
    bad = (gy_dns_opts){.host = "x", .family = (gy_dns_family)3};
    CHECK_EQ(gy_dns_lookup(loop, &req, bad, dns_note), -EINVAL);
    bad = (gy_dns_opts){.host = "x", .service = "80", .port = 80};
    CHECK_EQ(gy_dns_lookup(loop, &req, bad, dns_note), -EINVAL);
    bad = (gy_dns_opts){.host = "x", .service = ""};
    CHECK_EQ(gy_dns_lookup(loop, &req, bad, dns_note), -EINVAL);
    bad = (gy_dns_opts){.host = "x", .service = "65536"};
    CHECK_EQ(gy_dns_lookup(loop, &req, bad, dns_note), -EINVAL);
    bad = (gy_dns_opts){.host = "x", .timeout = -1};
    CHECK_EQ(gy_dns_lookup(loop, &req, bad, dns_note), -EINVAL);
    CHECK_EQ(gy_dns_lookup(loop, &req, (gy_dns_opts){.host = "a b"}, dns_note), GY_EADDRESS);
    CHECK_EQ(gy_dns_reverse(loop, &req, (gy_dns_reverse_opts){.addr = "127.0.0.1:1"}, NULL), -EINVAL);
    CHECK_EQ(gy_dns_reverse(loop, &req, (gy_dns_reverse_opts){.flags = 0}, dns_note), -EINVAL);
    CHECK_EQ(gy_dns_reverse(loop, &req, (gy_dns_reverse_opts){.addr = "localhost:1"}, dns_note), GY_EADDRESS);
    CHECK_EQ(gy_dns_reverse(loop, &req, (gy_dns_reverse_opts){.addr = "*:1"}, dns_note), GY_EADDRESS);
    gy_dns_reverse_opts canon = {.addr = "127.0.0.1:1", .flags = GY_DNS_CANON};
    CHECK_EQ(gy_dns_reverse(loop, &req, canon, dns_note), -EINVAL);
    CHECK_EQ(gy_dns_cancel(&req), -EALREADY);
    CHECK_EQ(gy_dns_abandon(&req), -EALREADY);
    gy_dns_release(&req);
    CHECK(!gy_loop_alive(loop));
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(dns_calls, 0);
}

TEST(dns, one_that_is_forgotten_reports_nothing) {
    gy_loop *loop;
    gy_dns req[3] = {{.user = NULL}};
    dns_calls = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    gyi_dns_forget(&req[0]);
    CHECK_EQ(gy_dns_lookup(loop, &req[1], (gy_dns_opts){.host = "::1", .port = 1}, dns_note), 0);
    gy_dns_opts asks = {.host = "localhost", .timeout = GY_S(100)};
    CHECK_EQ(gy_dns_lookup(loop, &req[2], asks, dns_note), 0);
    gyi_dns_forget(&req[1]);
    gyi_dns_forget(&req[2]);
    CHECK(req[1].addrs == NULL);
    CHECK_EQ(gy_dns_cancel(&req[2]), -EALREADY);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(dns_calls, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}
