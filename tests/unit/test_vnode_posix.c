/* SPDX-License-Identifier: ISC */
/* No kqueue: the answer that has files looked at instead. */
#include "harness.h"
#include "sys/vnode.h"

TEST(vnode_posix, nothing_of_the_kind) {
    gyi_sys sys = {{0}};
    CHECK_EQ(gyi_vnode_open(&sys), -ENOTSUP);
    CHECK_EQ(sys.count[GYI_SYS_NOTIFY], 1);
}
