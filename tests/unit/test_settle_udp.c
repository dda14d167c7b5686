/* SPDX-License-Identifier: ISC */
/* Datagrams as promises. */
#include <errno.h>
#include <sys/socket.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

static void closed(gy_udp *udp) { (void)udp; }

/* The first datagram of a turn leaves at once, and a token is too late for it; those behind it wait. */
TEST_BACKENDS(settle_udp, a_token_is_heard_while_it_waits) {
    gy_loop *loop;
    gy_udp udp = {0};
    gy_dgram dgrams[3] = {{0}};
    gy_cancel token = {0};
    gy_endpoint to;
    outcome seen[3] = {{.count = 0}};
    char text[] = "hello", back[8];
    gy_buf buf = {text, 5};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gy_udp_open(loop, &udp, (gy_udp_opts){.addr = "127.0.0.1:0"}), 0);
    CHECK_EQ(gy_udp_local(&udp, &to), 0);
    for (int i = 0; i < 3; i++) {
        gy_cancel *heard = i < 2 ? &token : NULL;
        gy_dgram *d = &dgrams[i];
        outcome_of(GY_PROMISE_UNTIL(heard, loop, dgram, d, gy_udp_send(&udp, d, buf, &to, gy_settle_dgram)), &seen[i]);
    }
    gy_cancel_now(&token, GY_ECANCELED);
    while (!seen[0].count || !seen[1].count || !seen[2].count) gy_loop_step(loop, GY_STEP_WAIT);
    CHECK_EQ(seen[0].err, 0);
    CHECK_EQ(seen[1].err, GY_ECANCELED);
    CHECK_EQ(seen[2].err, 0);
    CHECK_EQ(recv(gy_udp_fd(&udp), back, sizeof back, MSG_DONTWAIT), 5);
    CHECK_EQ(recv(gy_udp_fd(&udp), back, sizeof back, MSG_DONTWAIT), 5);
    CHECK_EQ(recv(gy_udp_fd(&udp), back, sizeof back, MSG_DONTWAIT), -1);
    gy_cancel_close(&token);
    gy_udp_close(&udp, closed);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(settle_udp, sends) {
    gy_loop *loop;
    gy_udp near = {0}, far = {0};
    gy_dgram dgram = {0}, bad = {0};
    gy_endpoint to;
    outcome a = {.count = 0}, b = {.count = 0};
    char text[] = "hello", back[8];
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gy_udp_open(loop, &far, (gy_udp_opts){.addr = "127.0.0.1:0"}), 0);
    CHECK_EQ(gy_udp_open(loop, &near, (gy_udp_opts){.addr = "127.0.0.1:0"}), 0);
    CHECK_EQ(gy_udp_local(&far, &to), 0);
    gy_buf buf = {text, 5};
    outcome_of(GY_PROMISE(loop, dgram, &dgram, gy_udp_send(&near, &dgram, buf, &to, gy_settle_dgram)), &a);
    outcome_of(GY_PROMISE(loop, dgram, &bad, gy_udp_send(&near, &bad, buf, &to, NULL)), &b);
    while (!a.count || !b.count) gy_loop_step(loop, GY_STEP_WAIT);
    CHECK_EQ(a.err, 0);
    CHECK_EQ(b.err, -EINVAL);
    CHECK_EQ(recv(gy_udp_fd(&far), back, sizeof back, MSG_DONTWAIT), 5);
    gy_udp_close(&near, closed);
    gy_udp_close(&far, closed);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(settle_udp, closes) {
    gy_loop *loop;
    gy_udp udp = {0};
    outcome o = {.count = 0};
    udp.user = &o;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gy_udp_open(loop, &udp, (gy_udp_opts){.addr = "127.0.0.1:0"}), 0);
    outcome_of(GY_PROMISE(loop, shut, &udp, (gy_udp_close(&udp, gy_settle_shut), 0)), &o);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.count, 1);
    CHECK_EQ(o.err, 0);
    CHECK(udp.user == &o);
    CHECK_EQ(gy_loop_free(loop), 0);
}
