/* SPDX-License-Identifier: ISC */
/* Datagram sockets: birth, disconnecting, sharing, what is ignored; and the contract of moving datagrams, for what this
 * system has and, compiled in here under other names, for what the systems with one call per datagram have. */
#include "dgrams.h"

#define gyi_dgram_send         dgrams_plain_send
#define gyi_dgram_recv         dgrams_plain_recv
#define gyi_dgram_cuts         dgrams_plain_cuts
#define gyi_dgram_keep_errors  dgrams_plain_keep_errors
#define gyi_dgram_keeps_errors dgrams_plain_keeps_errors
#define gyi_dgram_take_error   dgrams_plain_take_error
#define gyi_dgram_join         dgrams_plain_join
#define gyi_dgram_joins        dgrams_plain_joins
int dgrams_plain_send(gyi_sys *sys, int fd, const gyi_dgram_out *out, unsigned count);
int dgrams_plain_recv(gyi_sys *sys, int fd, gyi_dgram_in *in, gyi_dgram_info *info, unsigned count, int *err);
int dgrams_plain_cuts(gyi_sys *sys, int fd);
int dgrams_plain_keep_errors(gyi_sys *sys, int fd, int family);
bool dgrams_plain_keeps_errors(gyi_sys *sys, int fd, int family);
int dgrams_plain_take_error(gyi_sys *sys, int fd, gyi_dgram_in *in, int *what);
int dgrams_plain_join(gyi_sys *sys, int fd, int on);
bool dgrams_plain_joins(gyi_sys *sys, int fd);
#include "sys/dgram_posix.c"
#undef gyi_dgram_send
#undef gyi_dgram_recv
#undef gyi_dgram_cuts
#undef gyi_dgram_keep_errors
#undef gyi_dgram_keeps_errors
#undef gyi_dgram_take_error
#undef gyi_dgram_join
#undef gyi_dgram_joins

TEST(dgram, moving_them) { dgrams_contract(gyi_dgram_send, gyi_dgram_recv); }

TEST(dgram, moving_them_one_by_one) {
    dgrams d;
    int what = 0;
    dgrams_contract(dgrams_plain_send, dgrams_plain_recv);
    dgrams_open(&d);
    CHECK(dgrams_plain_cuts(&d.sys, d.a) < 0);
    CHECK_EQ(dgrams_plain_keep_errors(&d.sys, d.a, AF_INET), -ENOTSUP);
    CHECK(!dgrams_plain_keeps_errors(&d.sys, d.a, AF_INET));
    CHECK_EQ(dgrams_plain_join(&d.sys, d.a, 1), -ENOTSUP);
    CHECK(!dgrams_plain_joins(&d.sys, d.a));
    CHECK_EQ(dgrams_plain_take_error(&d.sys, d.a, d.in, &what), -EAGAIN);
    dgrams_close(&d);
}

#if defined(GYI_FAULTS) && GYI_FAULTS
static int dgrams_left;

static int dgrams_fault(gyi_syscall kind) { return kind == GYI_SYS_READ && dgrams_left-- == 0 ? -EHOSTUNREACH : 0; }

/* The error behind a datagram is not told again where every datagram is a call of its own, so it is kept. */
TEST(dgram, an_error_behind_a_datagram_is_kept) {
    dgrams d;
    int later = 0;
    dgrams_open(&d);
    gy_buf byte = {d.room[0], 1};
    gyi_dgram_out out = {&d.at_b.addr, d.at_b.len, 0, &byte, 1, NULL};
    CHECK_EQ(gyi_dgram_send(&d.sys, d.a, &out, 1), 1);
    gyi_sys_fault = dgrams_fault;
    dgrams_left = 1;
    int n = dgrams_plain_recv(&d.sys, d.b, d.in, NULL, 5, &later);
    gyi_sys_fault = NULL;
    CHECK_EQ(n, 1);
    CHECK_EQ(later, -EHOSTUNREACH);
    dgrams_close(&d);
}
#endif

TEST(dgram, birth_and_connections) {
    dgrams d;
    gyi_sockaddr peer;
    dgrams_open(&d);
    CHECK(fcntl(d.a, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(d.a, F_GETFL) & O_NONBLOCK);
    CHECK_EQ(gyi_sock_connect(&d.sys, d.a, &d.at_b), 0);
    CHECK_EQ(gyi_sock_peer(&d.sys, d.a, &peer), 0);
    gyi_dgram_out out = {NULL, 0, 0, &(gy_buf){d.room[0], 4}, 1, NULL};
    CHECK_EQ(gyi_dgram_send(&d.sys, d.a, &out, 1), 1);
    CHECK_EQ(gyi_dgram_disconnect(&d.sys, d.a), 0);
    CHECK_EQ(gyi_sock_peer(&d.sys, d.a, &peer), -ENOTCONN);
    CHECK_EQ(gyi_dgram_disconnect(&d.sys, -1), -EBADF);
    CHECK_EQ(gyi_dgram_share_port(&d.sys, d.a), 0);
    CHECK_EQ(gyi_dgram_share_port(&d.sys, -1), -EBADF);
    CHECK(gyi_dgram_open(&d.sys, 9999) < 0);
    dgrams_close(&d);
}

TEST(dgram, what_the_other_family_says) {
    CHECK_EQ(gyi_dgram_other(0), 0);
    CHECK_EQ(gyi_dgram_other(-EINVAL), 0);
    CHECK_EQ(gyi_dgram_other(-ENOPROTOOPT), 0);
    CHECK_EQ(gyi_dgram_other(-ENOMEM), -ENOMEM);
}
