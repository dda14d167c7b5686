/* SPDX-License-Identifier: ISC */
/* The hook into every system call: it is asked, its answer is the result, and the call is counted either way. */
#include <errno.h>

#include "harness.h"
#include "sys/sys.h"

static int asked[GYI_SYS_KINDS];

static int refuse_reads(gyi_syscall kind) {
    asked[kind]++;
    return kind == GYI_SYS_READ ? -EIO : 0;
}

TEST(fault, the_hook_decides_and_all_is_counted) {
    gyi_sys sys = {{0}};
    CHECK(gyi_sys_fault == NULL);
    CHECK_EQ(gyi_sys_enter(&sys, GYI_SYS_READ), 0);
    gyi_sys_fault = refuse_reads;
    CHECK_EQ(gyi_sys_enter(&sys, GYI_SYS_READ), -EIO);
    CHECK_EQ(gyi_sys_enter(&sys, GYI_SYS_WRITE), 0);
    gyi_sys_fault = NULL;
    CHECK_EQ(gyi_sys_enter(&sys, GYI_SYS_READ), 0);
    CHECK_EQ(asked[GYI_SYS_READ], 1);
    CHECK_EQ(asked[GYI_SYS_WRITE], 1);
    CHECK_EQ(sys.count[GYI_SYS_READ], 3);
    CHECK_EQ(sys.count[GYI_SYS_WRITE], 1);
}
