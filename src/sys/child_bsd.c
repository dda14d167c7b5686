/* SPDX-License-Identifier: ISC */
/* A kqueue of its own for each child, which hears of its end. It is a descriptor, so any backend can watch it, and the
 * contract of the backends need not know of processes. A child that has ended already is refused by some kernels; then
 * SIGCHLD, which has come or will, is the other way. */
#include <signal.h>
#include <sys/types.h>

#include <sys/event.h>
#include <sys/time.h>

#include "sys/child.h"
#include "sys/fd.h"

int gyi_child_open(gyi_sys *sys, int pid) {
    int err = gyi_sys_enter(sys, GYI_SYS_PROCESS);
    if (err) return err;
    int fd = kqueue();
    if (fd < 0) return -errno;
    struct kevent change;
    EV_SET(&change, (uintptr_t)pid, EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT, 0, NULL);
    if (kevent(fd, &change, 1, NULL, 0, NULL) < 0) err = -errno;
    if (!err) err = gyi_fd_cloexec(sys, fd);
    if (!err) return fd;
    gyi_fd_close(sys, fd);
    return err;
}

int gyi_child_kill(gyi_sys *sys, int fd, int pid, int signo) {
    (void)fd;
    int err = gyi_sys_enter(sys, GYI_SYS_PROCESS);
    if (err) return err;
    return kill(pid, signo) ? -errno : 0;
}
