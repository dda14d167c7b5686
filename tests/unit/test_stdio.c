/* SPDX-License-Identifier: ISC */
/* The list of descriptors: what is checked, and what is opened for it. */
#include <errno.h>
#include <unistd.h>

#include "harness.h"
#include "process/process.h"

TEST(stdio, lists_are_checked) {
    gy_stream a = {0};
    const gy_stdio good[] = {{GY_STDIO_IN, .stream = &a}, {.kind = GY_STDIO_IGNORE}, {GY_STDIO_SAME, .fd = 1}};
    const gy_stdio forward[] = {{GY_STDIO_SAME, .fd = 1}, {.kind = GY_STDIO_IGNORE}};
    const gy_stdio twice[] = {{GY_STDIO_IN, .stream = &a}, {GY_STDIO_DUPLEX, .stream = &a}};
    CHECK_EQ(gyi_stdio_check(NULL, 0), 0);
    CHECK_EQ(gyi_stdio_check(NULL, 1), -EINVAL);
    CHECK_EQ(gyi_stdio_check(good, 3), 0);
    CHECK_EQ(gyi_stdio_check(forward, 2), -EINVAL);
    CHECK_EQ(gyi_stdio_check(twice, 2), -EINVAL);
}

TEST(stdio, what_is_opened_is_closed) {
    gy_loop *loop;
    gy_stream a = {0};
    gyi_stdio s;
    int step;
    const gy_stdio list[] = {{.kind = GY_STDIO_IGNORE}, {GY_STDIO_OUT, .stream = &a}, {GY_STDIO_SAME, .fd = 1}};
    const gy_process_opts opts = {.stdio = list, .stdio_count = 3};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gyi_stdio_open(loop, &s, &opts, &step), 0);
    CHECK_EQ(s.count, 3);
    CHECK_EQ(s.source[0], GYI_SPAWN_NULL);
    CHECK_EQ(s.source[1], s.theirs[1]);
    CHECK_EQ(s.source[2], s.source[1]);
    CHECK(gyi_spawn_is_open(s.ours[1]) && gyi_spawn_is_open(s.theirs[1]));
    int ours = s.ours[1], theirs = s.theirs[1];
    gyi_stdio_close(loop, &s);
    CHECK(!gyi_spawn_is_open(ours) && !gyi_spawn_is_open(theirs));
    CHECK_EQ(gy_loop_free(loop), 0);
}
