/* SPDX-License-Identifier: ISC */
/* Linux: the child shares memory, descriptors are close-on-exec from birth, and the user of this process stays. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "sys/spawn.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COPIES 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define COPIES 1
#endif

TEST(spawn_linux, the_child_shares_memory_unless_told_not_to) {
#ifdef COPIES
    SKIP("under ThreadSanitizer it is always a copy");
#endif
    const char *preload = getenv("LD_PRELOAD");
    if (preload && strstr(preload, "vgpreload")) SKIP("under valgrind it is always a copy");
    gyi_sys sys = {{0}};
    int source[3] = {GYI_SPAWN_NULL, GYI_SPAWN_NULL, GYI_SPAWN_NULL};
    const char *const argv[] = {"true", NULL};
    for (int copy = 0; copy < 2; copy++) {
        gyi_spawn s;
        memset(&s, 0, sizeof s);
        s.program = "/bin/true";
        s.argv = argv;
        s.source = source;
        s.count = 3;
        s.flags = copy ? GYI_SPAWN_COPY : 0;
        int pid = gyi_spawn_program(&sys, &s);
        CHECK(pid > 0);
        CHECK_EQ(s.shared, !copy);
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
    }
}

static void check_pair(const int ends[2], bool both) {
    char byte = 'x';
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(fcntl(ends[i], F_GETFD), FD_CLOEXEC);
        CHECK(!(fcntl(ends[i], F_GETFL) & O_NONBLOCK)); /* the child's end must wait */
    }
    CHECK_EQ(write(ends[1], &byte, 1), 1);
    CHECK_EQ(read(ends[0], &byte, 1), 1);
    CHECK_EQ(write(ends[0], &byte, 1), both ? 1 : -1);
    close(ends[0]);
    close(ends[1]);
}

TEST(spawn_linux, pipes_and_pairs) {
    gyi_sys sys = {{0}};
    int ends[2];
    CHECK_EQ(gyi_spawn_pipe(&sys, ends), 0);
    check_pair(ends, false);
    CHECK_EQ(gyi_spawn_channel(&sys, ends), 0);
    check_pair(ends, false);
    CHECK_EQ(gyi_spawn_pair(&sys, ends), 0);
    check_pair(ends, true);
    CHECK(gyi_spawn_environ() != NULL);
}
