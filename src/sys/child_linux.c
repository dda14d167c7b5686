/* SPDX-License-Identifier: ISC */
/* pidfds, since Linux 5.3. The number of a child that nobody has waited for is not given to another process, so opening
 * it after the birth is as good as at the birth. */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/child.h"

/* The numbers are the same on every architecture whose headers may lack them. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

int gyi_child_open(gyi_sys *sys, int pid) {
    int err = gyi_sys_enter(sys, GYI_SYS_PROCESS);
    if (err) return err;
    long fd = syscall(SYS_pidfd_open, pid, 0U);
    return fd < 0 ? -errno : (int)fd;
}

int gyi_child_kill(gyi_sys *sys, int fd, int pid, int signo) {
    int err = gyi_sys_enter(sys, GYI_SYS_PROCESS);
    if (err) return err;
    if (fd >= 0) {
        if (syscall(SYS_pidfd_send_signal, fd, signo, NULL, 0U) == 0) return 0;
        if (errno != ENOSYS) return -errno;
    }
    return kill(pid, signo) ? -errno : 0;
}
