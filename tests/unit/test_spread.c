/* SPDX-License-Identifier: ISC */
/* Listening on all loops: one port, all or none, closed by the stop. */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "group/group.h"
#include "harness.h"

static void nobody(gy_stream *server, int err) { CHECK_FAIL("%p got %d", (void *)server, err); }

TEST(group_spread, all_loops_listen_on_the_port_that_the_first_has_got) {
    gy_group *g;
    gy_addr at, again;
    int mine;
    gy_listen_opts opts = {.addr = "127.0.0.1:0", .fn = nobody};
    CHECK_EQ(gy_group_new(&g, (gy_group_opts){.count = 3, .loop.backend = "poll"}), 0);
    CHECK_EQ(gy_group_listen(g, NULL, &at, (gy_listen_opts){.addr = "127.0.0.1:0"}), -EINVAL);
    CHECK_EQ(gy_group_listen(g, NULL, &at, (gy_listen_opts){.addr = "nowhere", .fn = nobody}), GY_EADDRESS);
    CHECK_EQ(gy_group_listen(g, &mine, &at, opts), 0);
    CHECK_EQ(gy_group_listen(g, NULL, &again, opts), 0);
    CHECK(strcmp(at.text, again.text) != 0);
    for (unsigned i = 0; i < 3; i++) CHECK_EQ(gy_group_load(g, i), 2);
    gy_group_stop(g);
    CHECK_EQ(gy_group_join(g), 0);
    CHECK_EQ(gy_group_listen(g, NULL, &at, opts), GY_ECLOSED);
    for (unsigned i = 0; i < 3; i++) CHECK_EQ(gy_group_load(g, i), 0);
    CHECK_EQ(gy_group_free(g), 0);
}

static _Atomic int inside;

static void from_inside(gy_message *message) {
    gy_listen_opts opts = {.addr = "127.0.0.1:0", .fn = nobody};
    inside = gy_group_listen(gy_group_of(message->loop), NULL, NULL, opts);
}

TEST(group_spread, not_from_a_thread_of_the_group) {
    gy_group *g;
    gy_message message = {0};
    CHECK_EQ(gy_group_new(&g, (gy_group_opts){.count = 1, .loop.backend = "poll"}), 0);
    CHECK_EQ(gy_group_post(g, 0, &message, from_inside), 0);
    CHECK_EQ(gy_group_free(g), 0);
    CHECK_EQ(inside, -EDEADLK);
}
