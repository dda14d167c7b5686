/* SPDX-License-Identifier: ISC */
/* What gy_dial_start() refuses, and how it takes a host and a port apart: by what the resolver is asked. */
#include "gyre/dns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"

static int dial_err;
static unsigned dial_calls;
static char dial_asked[1400];

static void dial_note(gy_dial *dial, int err) {
    (void)dial;
    dial_calls++;
    dial_err = err;
}

static int dial_resolve(const gy_dns_question *q, gy_dns_answer *answer) {
    (void)answer;
    snprintf(dial_asked, sizeof dial_asked, "%s|%s|%u", q->host, q->service ? q->service : "", (unsigned)q->port);
    return GY_ENONAME;
}

static void check_split(gy_loop *loop, const char *host, uint16_t port, const char *asked) {
    gy_dial dial = {.user = NULL};
    gy_stream stream = {.user = NULL};
    gy_dial_opts opts = {.host = host, .port = port, .resolve = dial_resolve, .fn = dial_note};
    CHECK_EQ(gy_dial_start(loop, &dial, &stream, opts), 0);
    CHECK_EQ(gy_dial_start(loop, &dial, &stream, opts), -EALREADY);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(dial_err, GY_ENONAME);
    CHECK_STR(dial_asked, asked);
    CHECK_EQ(dial.tried, 0);
}

TEST(dial, takes_hosts_and_ports_apart) {
    gy_loop *loop;
    dial_calls = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    check_split(loop, "example.org:443", 0, "example.org||443");
    check_split(loop, "example.org:https", 0, "example.org|https|0");
    check_split(loop, "example.org", 8080, "example.org||8080");
    check_split(loop, "[fe80::1%none]:25", 0, "fe80::1%none||25");
    check_split(loop, "[fe80::1%none]", 25, "fe80::1%none||25");
    check_split(loop, "fe80::1%none", 25, "fe80::1%none||25");
    CHECK_EQ(dial_calls, 6);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(dial, refuses_what_is_wrong_at_once) {
    gy_loop *loop;
    gy_dial dial = {.user = NULL};
    gy_stream stream = {.user = NULL};
    static const char *const bad[] = {"",        "x",       "x:",        ":80",    "a b:80", "::1:80",
                                      "[::1",    "[::1]",   "[::1]80",   "[]:80",  "x:0",    "x:65536",
                                      "[::1]:",  "x]:80",   "x:80:80",   "http://x:80"};
    char long_one[2000];
    dial_calls = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_EQ(gy_dial_start(loop, &dial, &stream, (gy_dial_opts){.host = bad[i], .fn = dial_note}), GY_EADDRESS);
    gy_dial_opts opts = {.host = "[::1]x", .port = 80, .fn = dial_note};
    CHECK_EQ(gy_dial_start(loop, &dial, &stream, opts), GY_EADDRESS);
    memset(long_one, 'x', sizeof long_one);
    memcpy(long_one + sizeof long_one - 4, ":80", 4);
    opts = (gy_dial_opts){.host = long_one, .fn = dial_note};
    CHECK_EQ(gy_dial_start(loop, &dial, &stream, opts), -ENAMETOOLONG);
    gy_addr addr = {"127.0.0.1:1"}, none = {"127.0.0.1"};
    const gy_dial_opts wrong[] = {
        {.host = "x:1"},
        {.fn = dial_note},
        {.host = "x:1", .addrs = &addr, .count = 1, .fn = dial_note},
        {.addrs = &addr, .fn = dial_note},
        {.host = "x:1", .timeout = -1, .fn = dial_note},
        {.host = "x:1", .delay = -1, .fn = dial_note},
        {.host = "x:1", .family = (gy_dns_family)7, .fn = dial_note},
        {.host = "x:1", .family = GY_DNS_V6, .from = "127.0.0.1:0", .fn = dial_note},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_EQ(gy_dial_start(loop, &dial, &stream, wrong[i]), -EINVAL);
    opts = (gy_dial_opts){.host = "x:1", .from = "somewhere", .fn = dial_note};
    CHECK_EQ(gy_dial_start(loop, &dial, &stream, opts), GY_EADDRESS);
    opts = (gy_dial_opts){.addrs = &none, .count = 1, .fn = dial_note};
    CHECK_EQ(gy_dial_start(loop, &dial, &stream, opts), GY_EADDRESS);
    opts = (gy_dial_opts){.addrs = &addr, .count = 1, .from = "[::1]:0", .fn = dial_note};
    CHECK_EQ(gy_dial_start(loop, &dial, &stream, opts), GY_ENOADDRESS);
    CHECK_EQ(gy_dial_cancel(&dial), -EALREADY);
    CHECK(!gy_loop_alive(loop));
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(dial_calls, 0);
}
