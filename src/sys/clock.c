/* SPDX-License-Identifier: ISC */
/* Reading the clocks, and being told when the wall clock was set. */
#include "sys/clock.h"

#include <unistd.h>

gy_ns gyi_clock_wall(void) {
    struct timespec t = {0, 0};
    clock_gettime(CLOCK_REALTIME, &t);
    return (gy_ns)t.tv_sec * GY_S(1) + t.tv_nsec;
}

#ifdef __linux__

#include <sys/timerfd.h>

/* A timer in the far future that the kernel cancels when the clock is set: reading it then gives ECANCELED, and arms
 * the notice again. */
int gyi_clock_watch_open(gyi_sys *sys) {
    int err = gyi_sys_enter(sys, GYI_SYS_POLLER);
    if (err) return err;
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd < 0) return -errno;
    struct itimerspec far = {{0, 0}, {(time_t)(INT32_MAX), 0}};
    err = gyi_sys_enter(sys, GYI_SYS_POLLER);
    if (!err && timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL)) err = -errno;
    if (!err) return fd;
    close(fd);
    return err;
}

void gyi_clock_watch_clear(gyi_sys *sys, int fd) {
    uint64_t count;
    if (gyi_sys_enter(sys, GYI_SYS_READ)) return;
    if (read(fd, &count, sizeof count) < 0) return; /* ECANCELED is what it is read for */
}

#else

int gyi_clock_watch_open(gyi_sys *sys) {
    (void)sys;
    return -ENOTSUP;
}

void gyi_clock_watch_clear(gyi_sys *sys, int fd) {
    (void)sys;
    (void)fd;
}

#endif
