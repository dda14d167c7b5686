/* SPDX-License-Identifier: ISC */
/* Wake-ups: an eventfd where there is one, else a pipe. A full pipe or counter is no error: the reader has not yet seen
 * the last wake-up, so it will. */
#include "sys/wake.h"

#include <unistd.h>

#include "sys/fd.h"

#ifdef __linux__

#include <sys/eventfd.h>

int gyi_wake_open(gyi_sys *sys, gyi_wake *wake) {
    *wake = GYI_WAKE_CLOSED;
    int err = gyi_sys_enter(sys, GYI_SYS_POLLER);
    if (err) return err;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return -errno;
    *wake = (gyi_wake){fd, fd};
    return 0;
}

#else

int gyi_wake_open(gyi_sys *sys, gyi_wake *wake) {
    *wake = GYI_WAKE_CLOSED;
    int ends[2], err = gyi_fd_pipe(sys, ends);
    if (!err) *wake = (gyi_wake){ends[0], ends[1]};
    return err;
}

#endif

void gyi_wake_close(gyi_sys *sys, gyi_wake *wake) {
    gyi_fd_close(sys, wake->fd);
    if (wake->send != wake->fd) gyi_fd_close(sys, wake->send);
    *wake = GYI_WAKE_CLOSED;
}

int gyi_wake_send(const gyi_wake *wake) {
    int kept = errno, err = GYI_SYS_FAULT(GYI_SYS_WAKE);
    const uint64_t one = 1;
    while (!err && write(wake->send, &one, sizeof one) < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN) err = -errno;
        break;
    }
    errno = kept;
    return err;
}

void gyi_wake_clear(gyi_sys *sys, const gyi_wake *wake) {
    char sink[512];
    ssize_t n;
    do n = gyi_fd_read(sys, wake->fd, sink, sizeof sink);
    while (n == (ssize_t)sizeof sink);
}
