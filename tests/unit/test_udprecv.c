/* SPDX-License-Identifier: ISC */
/* How many places are offered follows what comes. Everything else about receiving is in tests/loop/udp.c. */
#include <errno.h>

#include "harness.h"
#include "net/udp.h"

static unsigned recv_count;

static void recv_add(gy_udp *u, int err, const gy_udp_msg *msgs, unsigned count) {
    (void)u, (void)msgs;
    CHECK_EQ(err, 0);
    recv_count += count;
}

static void recv_feed(gy_loop *loop, gy_udp *u, const gy_endpoint *to, unsigned count) {
    char byte = 1;
    recv_count = 0;
    for (unsigned i = 0; i < count; i++) CHECK_EQ(gy_udp_try_send(u, (gy_buf){&byte, 1}, to), 1);
    for (int i = 0; i < 50 && recv_count < count; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(recv_count, count);
}

TEST_BACKENDS(udprecv, places_follow_what_comes) {
    gy_loop *loop;
    gy_udp u = {0};
    gy_endpoint at;
    char slots[50 * 4];
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gy_udp_open(loop, &u, (gy_udp_opts){.addr = "127.0.0.1:0"}), 0);
    CHECK_EQ(gy_udp_local(&u, &at), 0);
    gy_udp_recv_opts opts = {.into = GY_BUF(slots), .size = 4, .fn = recv_add};
    CHECK_EQ(gy_udp_recv_start(&u, opts), 0);
    CHECK_EQ(u.priv.slots, 50);
    CHECK_EQ(u.priv.expect, 4);
    recv_feed(loop, &u, &at, 100);
    CHECK(u.priv.expect >= 25 && u.priv.expect <= 50);
    for (int i = 0; i < 10; i++) recv_feed(loop, &u, &at, 1);
    CHECK(u.priv.expect < 8);
    gy_udp_recv_stop(&u);
    opts.size = 0;
    CHECK_EQ(gy_udp_recv_start(&u, opts), 0);
    CHECK_EQ(u.priv.expect, 1);
    recv_feed(loop, &u, &at, 5);
    gy_udp_close(&u, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}
