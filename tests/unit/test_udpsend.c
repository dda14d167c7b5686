/* SPDX-License-Identifier: ISC */
/* A queue that is longer than one turn may empty. Everything else about sending is in tests/loop/udp_send.c. */
#include <errno.h>
#include <stdlib.h>

#include "harness.h"
#include "net/udp.h"

enum { SEND_MANY = 3000 };

static int send_reported;

static void send_count(gy_dgram *d, int err) {
    (void)d;
    CHECK_EQ(err, 0);
    send_reported++;
}

TEST(udpsend, one_turn_sends_so_many_and_no_more) {
    gy_loop *loop;
    gy_udp u = {0};
    gy_endpoint to;
    char byte = 1;
    gy_dgram *d = calloc(SEND_MANY, sizeof *d);
    CHECK(d != NULL);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    CHECK_EQ(gy_udp_open(loop, &u, (gy_udp_opts){.addr = "127.0.0.1:0"}), 0);
    CHECK_EQ(gy_udp_local(&u, &to), 0);
    for (int i = 0; i < SEND_MANY; i++) CHECK_EQ(gy_udp_send(&u, &d[i], (gy_buf){&byte, 1}, &to, send_count), 0);
    CHECK_EQ(gy_udp_queued(&u), SEND_MANY - 1);
    CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(gy_udp_queued(&u), SEND_MANY - 1 - 16 * 64);
    /* To go elsewhere, what waits must have left; as much as one turn may send does. */
    CHECK_EQ(gy_udp_connect(&u, &to), -EBUSY);
    for (int i = 0; i < 200 && gy_loop_step(loop, GY_STEP_POLL) > 0 && send_reported < SEND_MANY; i++) continue;
    CHECK_EQ(send_reported, SEND_MANY);
    CHECK_EQ(gy_udp_queued(&u), 0);
    CHECK_EQ(gy_udp_connect(&u, &to), 0);
    gy_udp_close(&u, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    free(d);
}
