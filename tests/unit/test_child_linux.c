/* SPDX-License-Identifier: ISC */
/* pidfds: readable at the end, close-on-exec, and of no use against another process. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "sys/child.h"

TEST(child_linux, a_descriptor_stands_for_the_child) {
    gyi_sys sys = {{0}};
    gyi_child_end end;
    int pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    int fd = gyi_child_open(&sys, pid);
    if (fd == -ENOSYS) SKIP("this kernel has no pidfds");
    struct pollfd ask = {.fd = fd, .events = POLLIN};
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(poll(&ask, 1, 0), 0);
    CHECK_EQ(gyi_child_kill(&sys, fd, pid, 0), 0);
    CHECK_EQ(gyi_child_kill(&sys, fd, pid, SIGTERM), 0);
    CHECK_EQ(poll(&ask, 1, -1), 1);
    CHECK_EQ(gyi_child_wait(&sys, pid, &end), 1);
    CHECK_EQ(end.signo, SIGTERM);
    CHECK_EQ(gyi_child_kill(&sys, fd, pid, SIGTERM), -ESRCH);
    close(fd);
}
