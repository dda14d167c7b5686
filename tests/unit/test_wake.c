/* SPDX-License-Identifier: ISC */
/* Wake-ups: readable after a send, quiet after a clear, and never full. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "harness.h"
#include "sys/wake.h"

static bool readable(const gyi_wake *w) {
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

TEST(wake, send_and_clear) {
    gyi_sys sys = {{0}};
    gyi_wake w;
    CHECK_EQ(gyi_wake_open(&sys, &w), 0);
    CHECK(fcntl(w.fd, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(w.fd, F_GETFL) & O_NONBLOCK);
    CHECK(!readable(&w));
    gyi_wake_clear(&sys, &w); /* of what is quiet: does not block */
    for (int i = 0; i < 3; i++) CHECK_EQ(gyi_wake_send(&w), 0);
    CHECK(readable(&w));
    gyi_wake_clear(&sys, &w);
    CHECK(!readable(&w));
    CHECK_EQ(gyi_wake_send(&w), 0);
    CHECK(readable(&w));
    gyi_wake_close(&sys, &w);
    CHECK_EQ(w.fd, -1);
    CHECK_EQ(w.send, -1);
    gyi_wake_close(&sys, &w);
}

TEST(wake, is_never_full_and_keeps_errno) {
    gyi_sys sys = {{0}};
    gyi_wake w;
    CHECK_EQ(gyi_wake_open(&sys, &w), 0);
    errno = ERANGE;
    for (int i = 0; i < 20000; i++) CHECK_EQ(gyi_wake_send(&w), 0);
    CHECK_EQ(errno, ERANGE);
    gyi_wake_clear(&sys, &w);
    CHECK(!readable(&w));
    gyi_wake_close(&sys, &w);
    errno = ERANGE;
    CHECK_EQ(gyi_wake_send(&w), -EBADF);
    CHECK_EQ(errno, ERANGE);
}

static int refuse(gyi_syscall kind) { return kind == GYI_SYS_POLLER ? -EMFILE : kind == GYI_SYS_WAKE ? -EIO : 0; }

TEST(wake, failures_are_reported) {
    gyi_sys sys = {{0}};
    gyi_wake w, good;
    CHECK_EQ(gyi_wake_open(&sys, &good), 0);
    gyi_sys_fault = refuse;
    int open = gyi_wake_open(&sys, &w), send = gyi_wake_send(&good);
    gyi_sys_fault = NULL;
    CHECK_EQ(open, -EMFILE);
    CHECK_EQ(w.fd, -1);
    CHECK_EQ(send, -EIO);
    gyi_wake_close(&sys, &good);
}
