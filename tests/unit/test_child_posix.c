/* SPDX-License-Identifier: ISC */
/* Where nothing stands for a child but its number. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "harness.h"
#include "sys/child.h"

TEST(child_posix, there_is_no_descriptor) {
    gyi_sys sys = {{0}};
    CHECK_EQ(gyi_child_open(&sys, getpid()), -ENOSYS);
    CHECK_EQ(gyi_child_kill(&sys, -1, getpid(), 0), 0);
}
