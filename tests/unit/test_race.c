/* SPDX-License-Identifier: ISC */
/* A race's order and its errors. How it goes is in tests/loop/dials.c. */
#include "net/race.h"

#include <string.h>

#include "harness.h"

/* Orders addresses that are told apart by their ports: of "464" the first has port 1, and so on. */
static void check_order(const char *families, const char *expected) {
    gyi_sockaddr addr[16], room[16];
    gy_addr text;
    unsigned count = (unsigned)strlen(families);
    for (unsigned i = 0; i < count; i++) {
        char given[] = "[::1]:0", four[] = "127.0.0.1:0";
        given[6] = four[10] = (char)('1' + i);
        CHECK_EQ(gyi_addr_parse(families[i] == '6' ? given : four, &addr[i]), 0);
    }
    gyi_race_order(addr, count, room);
    for (unsigned i = 0; i < count; i++) {
        gyi_addr_format(&addr[i], &text);
        CHECK_EQ(text.text[strlen(text.text) - 1], expected[i]);
    }
}

TEST(race, families_take_turns) {
    check_order("", "");
    check_order("4", "1");
    check_order("444", "123");
    check_order("666444", "142536");
    check_order("446", "132");
    check_order("64", "12");
    check_order("6446", "1243");
    check_order("466666", "123456");
    check_order("66664", "15234");
}

TEST(race, the_error_that_says_most) {
    CHECK_EQ(gyi_race_telling(0, 0), 0);
    CHECK_EQ(gyi_race_telling(0, -EIO), -EIO);
    CHECK_EQ(gyi_race_telling(-EIO, 0), -EIO);
    CHECK_EQ(gyi_race_telling(-ECONNREFUSED, -ECONNRESET), -ECONNREFUSED);
    CHECK_EQ(gyi_race_telling(-ENETUNREACH, -ECONNREFUSED), -ECONNREFUSED);
    CHECK_EQ(gyi_race_telling(-ECONNREFUSED, -EAFNOSUPPORT), -ECONNREFUSED);
    CHECK_EQ(gyi_race_telling(-EHOSTUNREACH, -ETIMEDOUT), -ETIMEDOUT);
    CHECK_EQ(gyi_race_telling(-ETIMEDOUT, -ECONNREFUSED), -ECONNREFUSED);
    CHECK_EQ(gyi_race_telling(-ECONNREFUSED, -EMFILE), -EMFILE);
}

static void race_decided(gyi_race *race, int outcome) { (void)race, (void)outcome; }

TEST(race, is_made_of_addresses_of_the_family_only) {
    gy_loop *loop;
    gyi_race *race;
    gy_addr addrs[] = {{"127.0.0.1:1"}, {"[::1]:2"}, {"127.0.0.1:3"}, {"[::1]:4"}}, bad = {"localhost:1"};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    gyi_race_opts opts = {.addrs = addrs, .count = 4, .most = 9, .fn = race_decided};
    CHECK_EQ(gyi_race_new(loop, &race, opts), 0);
    CHECK_EQ(race->count, 4);
    CHECK_EQ(race->most, 4);
    CHECK_EQ(gy_loop_free(loop), -EBUSY);
    gyi_race_free(race);
    gyi_race_free(NULL);
    opts.family = GY_DNS_V6;
    opts.most = 2;
    CHECK_EQ(gyi_race_new(loop, &race, opts), 0);
    CHECK_EQ(race->count, 2);
    CHECK_EQ(race->most, 2);
    gyi_race_free(race);
    opts.count = 1;
    CHECK_EQ(gyi_race_new(loop, &race, opts), GY_ENOADDRESS);
    CHECK(race == NULL);
    opts.addrs = &bad;
    CHECK_EQ(gyi_race_new(loop, &race, opts), GY_EADDRESS);
    bad = (gy_addr){"*:1"};
    CHECK_EQ(gyi_race_new(loop, &race, opts), GY_EADDRESS);
    opts.count = UINT32_MAX;
    if (sizeof(size_t) == 4) CHECK_EQ(gyi_race_new(loop, &race, opts), -ENOMEM);
    CHECK_EQ(gy_loop_free(loop), 0);
}
