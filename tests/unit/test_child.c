/* SPDX-License-Identifier: ISC */
/* Waiting for a child, below the loop. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "sys/child.h"

static int fork_and(int code) {
    int pid = fork();
    if (pid == 0) {
        if (code < 0) raise(-code);
        _exit(code);
    }
    return pid;
}

static void await(int pid) {
    siginfo_t info;
    CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

TEST(child, ends_are_told_apart) {
    gyi_sys sys = {{0}};
    gyi_child_end end;
    int pid = fork_and(200);
    await(pid);
    CHECK_EQ(gyi_child_wait(&sys, pid, &end), 1);
    CHECK_EQ(end.code, 200);
    CHECK_EQ(end.signo, 0);
    CHECK(end.max_rss > 0);
    pid = fork_and(-SIGKILL);
    await(pid);
    CHECK_EQ(gyi_child_wait(&sys, pid, &end), 1);
    CHECK_EQ(end.code, -1);
    CHECK_EQ(end.signo, SIGKILL);
    CHECK_EQ(gyi_child_wait(&sys, pid, &end), -ECHILD);
}

TEST(child, one_that_runs_is_none) {
    gyi_sys sys = {{0}};
    gyi_child_end end;
    int pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    CHECK_EQ(gyi_child_wait(&sys, pid, &end), 0);
    CHECK_EQ(gyi_child_kill_group(&sys, pid, SIGTERM), -ESRCH); /* it heads no group */
    CHECK_EQ(gyi_child_kill(&sys, -1, pid, SIGKILL), 0);
    await(pid);
    CHECK_EQ(gyi_child_wait(&sys, pid, &end), 1);
    CHECK_EQ(end.signo, SIGKILL);
}
