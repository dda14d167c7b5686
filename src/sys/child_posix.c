/* SPDX-License-Identifier: ISC */
/* Where nothing stands for a child but its number. That number stays its own until it was waited for. */
#include <signal.h>

#include "sys/child.h"

int gyi_child_open(gyi_sys *sys, int pid) {
    (void)pid;
    int err = gyi_sys_enter(sys, GYI_SYS_PROCESS);
    return err ? err : -ENOSYS;
}

int gyi_child_kill(gyi_sys *sys, int fd, int pid, int signo) {
    (void)fd;
    int err = gyi_sys_enter(sys, GYI_SYS_PROCESS);
    if (err) return err;
    return kill(pid, signo) ? -errno : 0;
}
