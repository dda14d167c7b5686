/* SPDX-License-Identifier: ISC */
/* Where nothing can be moved inside the kernel, all say so. */
#include <errno.h>

#include "harness.h"
#include "sys/move.h"

TEST(move, is_always_done_by_reading_and_writing) {
    gyi_sys sys = {.count = {0}};
    CHECK_EQ(gyi_move_send(&sys, 0, 0, 1, 10), -ENOTSUP);
    CHECK_EQ(gyi_move_splice(&sys, 0, 1, 10), -ENOTSUP);
    CHECK_EQ(gyi_move_ready(&sys, 0, 1), -ENOTSUP);
    CHECK_EQ(gyi_move_copy(&sys, 0, 0, 1, 0, 10), -ENOTSUP);
    CHECK_EQ(gyi_move_cached(&sys, 0, 0, 10), 0);
}
