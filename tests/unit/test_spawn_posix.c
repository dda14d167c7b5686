/* SPDX-License-Identifier: ISC */
/* Elsewhere: what is made for a child is close-on-exec and waits. */
#include <fcntl.h>
#include <unistd.h>

#include "harness.h"
#include "sys/spawn.h"

TEST(spawn_posix, pipes_and_pairs) {
    gyi_sys sys = {{0}};
    int (*const make[])(gyi_sys *, int *) = {gyi_spawn_pipe, gyi_spawn_channel, gyi_spawn_pair};
    for (int i = 0; i < 3; i++) {
        int ends[2];
        char byte = 'x';
        CHECK_EQ(make[i](&sys, ends), 0);
        CHECK(fcntl(ends[0], F_GETFD) & FD_CLOEXEC);
        CHECK(fcntl(ends[1], F_GETFD) & FD_CLOEXEC);
        CHECK(!(fcntl(ends[0], F_GETFL) & O_NONBLOCK));
        CHECK_EQ(write(ends[1], &byte, 1), 1);
        CHECK_EQ(read(ends[0], &byte, 1), 1);
        close(ends[0]);
        close(ends[1]);
    }
}
