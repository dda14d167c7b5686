/* SPDX-License-Identifier: ISC */
/* A kqueue for each child: readable at the end. */
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "harness.h"
#include "sys/child.h"

TEST(child_bsd, a_descriptor_stands_for_the_child) {
    gyi_sys sys = {{0}};
    gyi_child_end end;
    int pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    int fd = gyi_child_open(&sys, pid);
    struct pollfd ask = {.fd = fd, .events = POLLIN};
    CHECK(fd >= 0);
    CHECK_EQ(poll(&ask, 1, 0), 0);
    CHECK_EQ(gyi_child_kill(&sys, fd, pid, SIGTERM), 0);
    CHECK_EQ(poll(&ask, 1, -1), 1);
    while (gyi_child_wait(&sys, pid, &end) == 0) usleep(100); /* some kernels tell of the end a little too early */
    CHECK_EQ(end.signo, SIGTERM);
    close(fd);
}
