/* SPDX-License-Identifier: ISC */
/* Processors: how many a narrowed thread has, and that a pinned one has the one that was meant. */
#include <errno.h>
#include <sched.h>

#include "harness.h"
#include "refuse.h"
#include "sys/cores.h"

static gyi_sys sys;

/* The processors of the calling thread; 0: more than such a set holds. */
static int cores_mine(cpu_set_t *set) { return sched_getaffinity(0, sizeof *set, set) ? 0 : CPU_COUNT(set); }

TEST(cores_linux, those_that_are_allowed) {
    cpu_set_t all, one;
    int n = cores_mine(&all);
    size_t last = 0;
    if (!n) SKIP("more processors than this test can count");
    CHECK_EQ(gyi_cores_count(), n);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all)) last = cpu;
    for (int i = 0; i < n + 1; i++) {
        CHECK_EQ(gyi_cores_pin(&sys, pthread_self(), (unsigned)i), 0);
        CHECK_EQ(cores_mine(&one), 1);
        CHECK_EQ(gyi_cores_count(), 1);
        if (i == n - 1) CHECK(CPU_ISSET(last, &one));
        CHECK_EQ(sched_setaffinity(0, sizeof all, &all), 0);
    }
}

TEST(cores_linux, a_refusal_is_told) {
    refuse(GYI_SYS_THREAD, -EPERM);
    int err = gyi_cores_pin(&sys, pthread_self(), 0);
    refuse_nothing();
    CHECK_EQ(err, -EPERM);
}
