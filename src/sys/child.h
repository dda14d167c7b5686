/* SPDX-License-Identifier: ISC */
/* A child process that runs: waiting for it, and signalling it.
 *
 * Where the system has it, a descriptor stands for the child and becomes readable when it ends: a pidfd on Linux, a
 * kqueue of its own on the BSDs. Elsewhere there is SIGCHLD, which is not this file's. */
#ifndef GYI_SYS_CHILD_H
#define GYI_SYS_CHILD_H

#include "sys/sys.h"

typedef struct gyi_child_end {
    int code, signo; /* one of them; code is -1 after a signal */
    bool core;
    gy_ns user, system;
    int64_t max_rss; /* bytes */
} gyi_child_end;

/* Looks whether a child has ended, and if so, takes its end: the number is free afterwards. @return 1 with `end`
 * filled; 0 while it runs; -ECHILD when it is nobody's to wait for. */
int gyi_child_wait(gyi_sys *sys, int pid, gyi_child_end *end);

/* Whether a child that nobody has waited for is at the head of its process group. It may leave it for another. */
bool gyi_child_heads_group(int pid);

/* Signals a process group. @return 0 or -errno. */
int gyi_child_kill_group(gyi_sys *sys, int group, int signo);

/* ---- of the platform ---- */

/* A descriptor that becomes readable when the child, which nobody has waited for, ends; close-on-exec. @return it or
 * -errno, -ENOSYS when there is no such thing. */
int gyi_child_open(gyi_sys *sys, int pid);

/* Signals a child that nobody has waited for. `fd` is what gyi_child_open() said. @return 0 or -errno. */
int gyi_child_kill(gyi_sys *sys, int fd, int pid, int signo);

#endif
