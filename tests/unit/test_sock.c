/* SPDX-License-Identifier: ISC */
/* Sockets over the loopback: birth, bind, listen, connect, accept, bytes, and the errors of each. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "sys/fd.h"
#include "sys/sock.h"

static gyi_sys sys;

static gyi_sockaddr loopback(uint16_t port) {
    gyi_sockaddr a;
    memset(&a, 0, sizeof a);
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a.addr;
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.len = sizeof *in;
    return a;
}

static void wait_for(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    CHECK_EQ(poll(&p, 1, 10000), 1);
}

static int listener(gyi_sockaddr *where) {
    gyi_sockaddr any = loopback(0);
    int fd = gyi_sock_open(&sys, AF_INET);
    CHECK(fd >= 0);
    CHECK_EQ(gyi_sock_bind(&sys, fd, &any), 0);
    CHECK_EQ(gyi_sock_listen(&sys, fd, 5), 0);
    CHECK_EQ(gyi_sock_local(&sys, fd, where), 0);
    return fd;
}

static void check_born(int fd) {
    CHECK(fd >= 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

TEST(sock, a_connection_from_end_to_end) {
    gyi_sockaddr where, peer;
    char got[16];
    int l = listener(&where), c = gyi_sock_open(&sys, AF_INET);
    check_born(l);
    check_born(c);
    CHECK_EQ(gyi_sock_accept(&sys, l), -EAGAIN);
    int err = gyi_sock_connect(&sys, c, &where);
    CHECK(err == 0 || err == -EINPROGRESS);
    wait_for(c, POLLOUT);
    CHECK_EQ(gyi_sock_error(&sys, c), 0);
    wait_for(l, POLLIN);
    int s = gyi_sock_accept(&sys, l);
    check_born(s);
    CHECK_EQ(gyi_sock_peer(&sys, c, &peer), 0);
    CHECK_EQ(peer.len, where.len);
    CHECK_EQ(memcmp(&peer.addr, &where.addr, where.len), 0);
    CHECK_EQ(gyi_sock_recv(&sys, s, got, sizeof got), -EAGAIN);
    CHECK_EQ(gyi_sock_send(&sys, c, "abc", 3), 3);
    gy_buf parts[2] = {{(char[]){"de"}, 2}, {(char[]){"f"}, 1}};
    CHECK_EQ(gyi_sock_sendv(&sys, c, parts, 2), 3);
    wait_for(s, POLLIN);
    CHECK_EQ(gyi_sock_recv(&sys, s, got, sizeof got), 6);
    CHECK_EQ(memcmp(got, "abcdef", 6), 0);
    CHECK_EQ(gyi_sock_shutdown_write(&sys, c), 0);
    wait_for(s, POLLIN);
    CHECK_EQ(gyi_sock_recv(&sys, s, got, sizeof got), 0);
    close(c);
    close(s);
    close(l);
}

TEST(sock, options) {
    int c = gyi_sock_open(&sys, AF_INET), value = 0;
    CHECK_EQ(gyi_sock_set(&sys, c, IPPROTO_TCP, TCP_NODELAY, 1), 0);
    CHECK_EQ(gyi_sock_get(&sys, c, IPPROTO_TCP, TCP_NODELAY, &value), 0);
    CHECK(value != 0);
    CHECK_EQ(gyi_sock_keepalive(&sys, c, 30), 0);
    CHECK_EQ(gyi_sock_get(&sys, c, SOL_SOCKET, SO_KEEPALIVE, &value), 0);
    CHECK(value != 0);
    CHECK_EQ(gyi_sock_keepalive(&sys, c, 0), 0);
    CHECK_EQ(gyi_sock_get(&sys, c, SOL_SOCKET, SO_KEEPALIVE, &value), 0);
    CHECK_EQ(value, 0);
    close(c);
}

/* A peer that is gone is an error, and no signal. */
TEST(sock, a_send_to_nobody_is_EPIPE) {
    int pair[2];
    gy_buf part = {(char[]){"x"}, 1};
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    close(pair[1]);
    CHECK_EQ(gyi_sock_send(&sys, pair[0], "x", 1), -EPIPE);
    CHECK_EQ(gyi_sock_sendv(&sys, pair[0], &part, 1), -EPIPE);
    close(pair[0]);
}

TEST(sock, errors_of_each_call) {
    gyi_sockaddr where, none = loopback(0);
    char byte;
    int ends[2], l = listener(&where), second = gyi_sock_open(&sys, AF_INET);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(gyi_sock_bind(&sys, second, &where), -EADDRINUSE);
    CHECK_EQ(gyi_sock_peer(&sys, second, &none), -ENOTCONN);
    CHECK_EQ(gyi_sock_shutdown_write(&sys, second), -ENOTCONN);
    CHECK_EQ(gyi_sock_recv(&sys, ends[0], &byte, 1), -ENOTSOCK);
    CHECK_EQ(gyi_sock_send(&sys, ends[1], "x", 1), -ENOTSOCK);
    CHECK_EQ(gyi_sock_error(&sys, ends[0]), -ENOTSOCK);
    CHECK(gyi_sock_open(&sys, 9999) < 0);
    close(l); /* and now nobody listens there */
    int err = gyi_sock_connect(&sys, second, &where);
    if (err == -EINPROGRESS) {
        wait_for(second, POLLOUT);
        err = gyi_sock_error(&sys, second);
    }
    CHECK_EQ(err, -ECONNREFUSED);
    close(second);
    close(ends[0]);
    close(ends[1]);
}

TEST(sock, a_pair_is_connected_and_a_reset_is_noticed) {
    gyi_sockaddr where;
    int pair[2];
    char got[4];
    CHECK_EQ(gyi_sock_pair(&sys, pair), 0);
    for (int i = 0; i < 2; i++) check_born(pair[i]);
    CHECK_EQ(gyi_sock_send(&sys, pair[0], "abc", 3), 3);
    CHECK_EQ(gyi_sock_recv(&sys, pair[1], got, sizeof got), 3);
    close(pair[0]);
    close(pair[1]);
    int l = listener(&where), c = gyi_sock_open(&sys, AF_INET);
    gyi_sock_connect(&sys, c, &where);
    wait_for(l, POLLIN);
    int s = gyi_sock_accept(&sys, l);
    CHECK_EQ(gyi_sock_reset(&sys, s), 0);
    close(s);
    wait_for(c, POLLIN);
    CHECK_EQ(gyi_sock_recv(&sys, c, got, sizeof got), -ECONNRESET);
    CHECK_EQ(gyi_sock_reset(&sys, -1), -EBADF);
    close(c);
    close(l);
}

TEST(sock, the_seconds_of_keepalive_are_told) {
    int c = gyi_sock_open(&sys, AF_INET), value = 0;
    CHECK_EQ(gyi_sock_keepalive(&sys, c, 30), 0);
    CHECK_EQ(gyi_sock_keepalive_time(&sys, c, &value), 0);
    CHECK(value == 30 || value == 1);
    close(c);
}

#if defined(__linux__) || defined(__FreeBSD__)
/* A socket in blocking mode is read and written without waiting. */
TEST(sock, calls_do_not_wait_whatever_the_mode) {
    static char big[1 << 22];
    int pair[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_EQ(gyi_sock_recv(&sys, pair[0], big, 1), -EAGAIN);
    ssize_t n = gyi_sock_send(&sys, pair[0], big, sizeof big);
    CHECK(n > 0 && n < (ssize_t)sizeof big);
    CHECK_EQ(gyi_sock_send(&sys, pair[0], big, sizeof big), -EAGAIN);
    gy_buf part = {big, sizeof big};
    CHECK_EQ(gyi_sock_sendv(&sys, pair[0], &part, 1), -EAGAIN);
    CHECK(!(fcntl(pair[0], F_GETFL) & O_NONBLOCK));
    close(pair[0]);
    close(pair[1]);
}
#endif
