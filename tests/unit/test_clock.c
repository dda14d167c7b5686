/* SPDX-License-Identifier: ISC */
/* Clocks: the monotonic one never goes back, the wall clock is that of the system, and the notice of its being set is a
 * descriptor that is quiet until then. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>

#include "harness.h"
#include "sys/clock.h"
#include "sys/fd.h"

TEST(clock, monotonic_never_goes_back) {
    gy_ns last = gyi_clock_mono();
    CHECK(last >= 0);
    for (int i = 0; i < 10000; i++) {
        gy_ns now = gyi_clock_mono();
        CHECK(now >= last);
        last = now;
    }
}

TEST(clock, wall_is_the_time_of_day) {
    time_t before = time(NULL);
    gy_ns wall = gyi_clock_wall();
    time_t after = time(NULL);
    CHECK(wall / GY_S(1) + 1 >= before && wall / GY_S(1) <= after + 1);
}

TEST(clock, watch_is_quiet_while_nobody_sets_the_clock) {
    gyi_sys sys = {{0}};
    int fd = gyi_clock_watch_open(&sys);
    if (fd == -ENOTSUP) SKIP("this system has no such notice");
    CHECK(fd >= 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    CHECK_EQ(poll(&p, 1, 0), 0);
    gyi_clock_watch_clear(&sys, fd);
    CHECK(sys.count[GYI_SYS_POLLER] >= 1);
    CHECK_EQ(sys.count[GYI_SYS_READ], 1);
    gyi_fd_close(&sys, fd);
}

static int refuse_second(gyi_syscall kind) {
    static int calls;
    return kind == GYI_SYS_POLLER && ++calls == 2 ? -ENOMEM : 0;
}

TEST(clock, watch_leaves_nothing_behind_when_it_fails) {
    gyi_sys sys = {{0}};
    int probe = gyi_clock_watch_open(&sys);
    if (probe == -ENOTSUP) SKIP("this system has no such notice");
    gyi_fd_close(&sys, probe);
    gyi_sys_fault = refuse_second;
    int err = gyi_clock_watch_open(&sys);
    gyi_sys_fault = NULL;
    CHECK_EQ(err, -ENOMEM);
    int again = gyi_clock_watch_open(&sys);
    CHECK_EQ(again, probe); /* the number is free: it was closed */
    gyi_fd_close(&sys, again);
}
