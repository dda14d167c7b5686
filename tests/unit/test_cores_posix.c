/* SPDX-License-Identifier: ISC */
/* Processors where threads cannot be kept on one. */
#include <errno.h>

#include "harness.h"
#include "sys/cores.h"

TEST(cores_posix, counted_only) {
    gyi_sys sys = {{0}};
    CHECK(gyi_cores_count() >= 1 && gyi_cores_count() <= 1024);
    CHECK_EQ(gyi_cores_pin(&sys, pthread_self(), 0), -ENOTSUP);
}
