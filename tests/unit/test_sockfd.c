/* SPDX-License-Identifier: ISC */
/* Descriptors over a pair of local sockets: how they arrive, how many, and what is left when there is no room. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness.h"
#include "sys/fd.h"
#include "sys/sock.h"
#include "sys/sockfd.h"

static gyi_sys sys;

static int sockfd_lowest(void) {
    int fd = dup(0);
    close(fd);
    return fd;
}

TEST(sockfd, descriptors_arrive_with_the_first_byte_close_on_exec) {
    int pair[2], ends[2];
    char buf[8] = "abc";
    gyi_sock_fds got;
    CHECK_EQ(gyi_sock_pair(&sys, pair), 0);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(gyi_sock_recv_fds(&sys, pair[1], GY_BUF(buf), &got), -EAGAIN);
    CHECK_EQ(gyi_sock_send_fds(&sys, pair[0], (gy_buf){buf, 3}, ends, 2), 3);
    CHECK_EQ(gyi_sock_recv_fds(&sys, pair[1], (gy_buf){buf, 1}, &got), 1);
    CHECK_EQ(got.count, 2);
    CHECK_EQ(got.err, 0);
    for (int i = 0; i < 2; i++) CHECK(fcntl(got.at[i], F_GETFD) & FD_CLOEXEC);
    CHECK_EQ(write(got.at[1], "x", 1), 1); /* the order is kept */
    CHECK_EQ(read(ends[0], buf, sizeof buf), 1);
    close(got.at[0]);
    close(got.at[1]);
    CHECK_EQ(gyi_sock_recv_fds(&sys, pair[1], GY_BUF(buf), &got), 2);
    CHECK_EQ(got.count, 0);
    close(pair[0]);
    CHECK_EQ(gyi_sock_recv_fds(&sys, pair[1], GY_BUF(buf), &got), 0);
    CHECK_EQ(gyi_sock_send_fds(&sys, pair[1], GY_BUF(buf), ends, 2), -EPIPE);
    close(pair[1]);
    close(ends[0]);
    close(ends[1]);
}

TEST(sockfd, as_many_as_may_be_sent) {
    enum { MANY = 200 };
    int pair[2], fds[MANY];
    char buf[8];
    gyi_sock_fds got;
    CHECK_EQ(gyi_sock_pair(&sys, pair), 0);
    for (int i = 0; i < MANY; i++) fds[i] = pair[i % 2];
    CHECK_EQ(gyi_sock_send_fds(&sys, pair[0], (gy_buf){buf, 1}, fds, MANY), 1);
    CHECK_EQ(gyi_sock_recv_fds(&sys, pair[1], GY_BUF(buf), &got), 1);
    CHECK_EQ(got.count, MANY);
    for (int i = 0; i < got.count; i++) close(got.at[i]);
    fds[7] = 1 << 20; /* not open: none is sent, nor the byte */
    CHECK_EQ(gyi_sock_send_fds(&sys, pair[0], (gy_buf){buf, 1}, fds, MANY), -EBADF);
    CHECK_EQ(gyi_sock_recv_fds(&sys, pair[1], GY_BUF(buf), &got), -EAGAIN);
    close(pair[0]);
    close(pair[1]);
}

/* The process has room for one number more, and three come. */
TEST(sockfd, what_has_no_room_is_lost_and_said) {
    int pair[2], fds[3];
    char buf[8];
    gyi_sock_fds got;
    struct rlimit before, tight;
    CHECK_EQ(gyi_sock_pair(&sys, pair), 0);
    fds[0] = fds[1] = fds[2] = pair[0];
    CHECK_EQ(gyi_sock_send_fds(&sys, pair[0], (gy_buf){buf, 1}, fds, 3), 1);
    int lowest = sockfd_lowest();
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)lowest + 1;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    ssize_t n = gyi_sock_recv_fds(&sys, pair[1], GY_BUF(buf), &got);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    if (n >= 0) { /* elsewhere than on Linux the call may fail as a whole */
        CHECK_EQ(n, 1);
        CHECK_EQ(got.err, -EMFILE);
        for (int i = 0; i < got.count; i++) close(got.at[i]);
    }
    CHECK_EQ(sockfd_lowest(), lowest);
    close(pair[0]);
    close(pair[1]);
}
