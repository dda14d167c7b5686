/* SPDX-License-Identifier: ISC */
/* Starting a program on the BSDs, macOS and others: fork(), as vfork() is deprecated there or the same. */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/spawn.h"

#ifdef __APPLE__
#include <crt_externs.h>

const char *const *gyi_spawn_environ(void) { return (const char *const *)*_NSGetEnviron(); }

#else

extern char **environ;

const char *const *gyi_spawn_environ(void) { return (const char *const *)environ; }

#endif

/* Close-on-exec in a second step: a fork of another thread in between inherits them. */
static int spawn_close_on_exec(gyi_sys *sys, int ends[2]) {
    int err = gyi_fd_cloexec(sys, ends[0]);
    if (!err) err = gyi_fd_cloexec(sys, ends[1]);
    if (!err) return 0;
    gyi_fd_close(sys, ends[0]);
    gyi_fd_close(sys, ends[1]);
    return err;
}

int gyi_spawn_pipe(gyi_sys *sys, int ends[2]) {
    int err = gyi_sys_enter(sys, GYI_SYS_POLLER);
    if (err) return err;
    return pipe(ends) ? -errno : spawn_close_on_exec(sys, ends);
}

int gyi_spawn_pair(gyi_sys *sys, int ends[2]) {
    int err = gyi_sys_enter(sys, GYI_SYS_SOCKET);
    if (err) return err;
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) ? -errno : spawn_close_on_exec(sys, ends);
}

/* A socket: kqueue refuses to watch the end of a pipe that was closed on the other side, and /dev/stdin opens sockets
 * here. */
int gyi_spawn_channel(gyi_sys *sys, int ends[2]) { return gyi_spawn_pair(sys, ends); }

int gyi_spawn_start(gyi_spawn *spawn) {
    int pid = fork();
    if (pid == 0) gyi_spawn_child(spawn);
    return pid < 0 ? -errno : pid;
}

#ifdef __linux__
typedef size_t spawn_count;
#else
typedef int spawn_count;
#endif

/* Who is not root may change its effective user alone, and change back: that is looked at afterwards. */
int gyi_spawn_become(const gyi_spawn *s) {
    _Static_assert(sizeof(gid_t) == sizeof *s->groups, "groups are handed over as they are");
    if (setgroups((spawn_count)s->group_count, (const gid_t *)s->groups)) return -errno;
    if ((s->flags & GYI_SPAWN_SETGID) && setgid(s->gid)) return -errno;
    if ((s->flags & GYI_SPAWN_SETUID) && setuid(s->uid)) return -errno;
    if ((s->flags & GYI_SPAWN_SETGID) && getgid() != s->gid) return -EPERM;
    return (s->flags & GYI_SPAWN_SETUID) && getuid() != s->uid ? -EPERM : 0;
}

#ifdef __FreeBSD__
#include <sys/procctl.h>

int gyi_spawn_with_parent(const gyi_spawn *s) {
    int signo = SIGKILL;
    if (procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &signo)) return -errno;
    return getppid() == s->parent ? 0 : -ESRCH;
}

#else

int gyi_spawn_with_parent(const gyi_spawn *s) {
    (void)s;
    return -ENOTSUP;
}

#endif

#if defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || defined(__DragonFly__)

void gyi_spawn_seal(int from) { closefrom(from); }

#else

enum { SPAWN_FDS = 65536 };

void gyi_spawn_seal(int from) {
    long most = sysconf(_SC_OPEN_MAX);
    int end = most < 0 || most > SPAWN_FDS ? SPAWN_FDS : (int)most;
    for (int fd = from; fd < end; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

#endif
