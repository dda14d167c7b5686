/* SPDX-License-Identifier: ISC */
/* Opening where it goes wrong, what a socket's state is, and one that the kernel will not watch. */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "net/udp.h"
#include "refuse.h"

TEST(udp, closed_handles_answer) {
    gy_udp u = {0};
    gy_endpoint e;
    gy_udp_close(&u, NULL);
    gy_udp_ref(&u);
    gy_udp_unref(&u);
    gy_udp_recv_stop(&u);
    CHECK(!gy_udp_is_open(&u));
    CHECK_EQ(gy_udp_fd(&u), -1);
    CHECK_EQ(gy_udp_local(&u, &e), GY_ECLOSED);
    CHECK_EQ(gy_udp_peer(&u, &e), GY_ECLOSED);
    CHECK_EQ(gy_udp_connect(&u, NULL), GY_ECLOSED);
    CHECK_EQ(gy_udp_queued(&u), 0);
    CHECK_EQ(gy_udp_try_send(&u, (gy_buf){&u, 1}, NULL), GY_ECLOSED);
}

TEST(udp, without_an_address_any_port_is_taken) {
    gy_loop *loop;
    gy_udp u = {0};
    gy_endpoint e;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_udp_open(loop, &u, (gy_udp_opts){.send_buffer = 30000, .recv_buffer = 30000}), 0);
    CHECK_EQ(gy_udp_local(&u, &e), 0);
    CHECK(gy_endpoint_port(&e) != 0);
    CHECK_EQ(gy_udp_peer(&u, &e), -ENOTCONN);
    CHECK(gyi_udp_is(&u, GYI_UDP_LEVEL));
    gy_udp_close(&u, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

#if defined(GYI_FAULTS) && GYI_FAULTS
static int udp_error;

/* Where the machine has no IPv6, "*" is every IPv4 address. */
static int udp_no_six(gyi_syscall kind) {
    if (kind != GYI_SYS_SOCKET || udp_error == 0) return 0;
    udp_error = 0;
    return -EAFNOSUPPORT;
}

TEST(udp, every_address_without_IPv6) {
    gy_loop *loop;
    gy_udp u = {0};
    gy_endpoint e;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    gyi_sys_fault = udp_no_six;
    udp_error = 1;
    CHECK_EQ(gy_udp_open(loop, &u, (gy_udp_opts){.addr = "*:0", .v6only = true}), -EAFNOSUPPORT);
    udp_error = 1;
    CHECK_EQ(gy_udp_open(loop, &u, (gy_udp_opts){.addr = "*:0"}), 0);
    gyi_sys_fault = NULL;
    CHECK_EQ(gy_udp_local(&u, &e), 0);
    CHECK_EQ(gyi_endpoint_family(&e), AF_INET);
    gy_udp_close(&u, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static void udp_told(gy_udp *u, int err, const gy_udp_msg *msgs, unsigned count) {
    (void)msgs;
    *(int *)u->user = err;
    CHECK_EQ(count, 0);
}

static void udp_sent(gy_dgram *d, int err) { *(int *)d->user = err; }

/* Who receives is told once; what goes at once still goes, and what does not fails. */
TEST_BACKENDS(udp, one_that_the_kernel_will_not_watch) {
    gy_loop *loop;
    int told = 0, sent = 1;
    char byte = 1;
    gy_udp u = {.user = &told};
    gy_dgram d = {.user = &sent};
    gy_endpoint e;
    gy_udp_recv_opts opts = {.into = {&byte, 1}, .fn = udp_told};
    if (strcmp(backend, "epoll") != 0) SKIP("only epoll can refuse");
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gy_udp_open(loop, &u, (gy_udp_opts){.addr = "127.0.0.1:0"}), 0);
    CHECK_EQ(gy_udp_local(&u, &e), 0);
    CHECK_EQ(gy_udp_recv_start(&u, opts), 0);
    refuse(GYI_SYS_CHANGE, -ENOSPC);
    CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(told, -ENOSPC);
    CHECK_EQ(gy_udp_recv_start(&u, opts), -ENOSPC);
    CHECK_EQ(gy_udp_send(&u, &d, (gy_buf){&byte, 1}, &e, udp_sent), 0);
    for (int i = 0; i < 3; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(sent, 0);
    refuse(GYI_SYS_WRITE, -EAGAIN);
    CHECK_EQ(gy_udp_send(&u, &d, (gy_buf){&byte, 1}, &e, udp_sent), 0);
    for (int i = 0; i < 3; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(sent, -ENOSPC);
    refuse_nothing();
    gy_udp_close(&u, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}
#endif
