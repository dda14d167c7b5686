/* SPDX-License-Identifier: ISC */
/* Waiting for a child. wait4() is asked for one pid, never for any child: others belong to somebody else. */
#include "sys/child.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* The unit of ru_maxrss: bytes on macOS, kilobytes elsewhere. */
#ifdef __APPLE__
enum { CHILD_RSS_UNIT = 1 };
#else
enum { CHILD_RSS_UNIT = 1024 };
#endif

static gy_ns child_time(struct timeval t) { return GY_S(t.tv_sec) + GY_US(t.tv_usec); }

int gyi_child_wait(gyi_sys *sys, int pid, gyi_child_end *end) {
    struct rusage usage;
    int status = 0, got;
    memset(&usage, 0, sizeof usage);
    do {
        int err = gyi_sys_enter(sys, GYI_SYS_PROCESS);
        if (err) return err;
        got = (int)wait4(pid, &status, WNOHANG, &usage);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return -errno;
    if (got == 0) return 0;
    *end = (gyi_child_end){.code = -1,
                           .user = child_time(usage.ru_utime),
                           .system = child_time(usage.ru_stime),
                           .max_rss = (int64_t)usage.ru_maxrss * CHILD_RSS_UNIT};
    if (WIFEXITED(status)) end->code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) {
        end->signo = WTERMSIG(status);
        end->core = WCOREDUMP(status);
    }
    return 1;
}

/* OpenBSD does not say it of other sessions; who began its session is at the head for good. */
bool gyi_child_heads_group(int pid) {
    pid_t group = getpgid(pid);
    return group == pid || (group < 0 && errno == EPERM);
}

int gyi_child_kill_group(gyi_sys *sys, int group, int signo) {
    int err = gyi_sys_enter(sys, GYI_SYS_PROCESS);
    if (err) return err;
    return kill(-group, signo) ? -errno : 0;
}
