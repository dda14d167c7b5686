/* SPDX-License-Identifier: ISC */
/* An overflow of a fiber's stack ends the process, on request with a line that says so. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"

static int (*volatile again)(int);

static int dig(int depth) {
    volatile char room[512];
    memset((char *)(uintptr_t)room, depth, sizeof room);
    return again(depth + 1) + room[depth % 512];
}

static gy_value overflow(void *arg) {
    (void)arg;
    again = dig;
    return gy_num(dig(0));
}

/* The frames of the address sanitizer lie elsewhere, or are looked at by its own handler first. */
TEST(overflow, it_is_told_of) {
    int out[2], status = 0;
    char text[400] = {0};
    CHECK_EQ(pipe(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        dup2(out[1], 2);
        gy_loop *loop;
        if (gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}) || gy_fiber_debug_overflow(loop)) _exit(1);
        if (gy_fiber_debug_overflow(loop)) _exit(2);
        gy_fiber_start(loop, (gy_fiber_opts){.fn = overflow});
        _exit(0);
    }
    close(out[1]);
    CHECK(read(out[0], text, sizeof text - 1) >= 0);
    close(out[0]);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status));
    CHECK(strstr(text, "gyre: the stack of a fiber has overflowed (gy_fiber_opts.stack)\n") != NULL);
}

TEST(overflow, there_is_room_for_sixteen_loops) {
    gy_loop *loop[17];
    pid_t pid = fork(); /* the handlers stay with the process */
    if (pid == 0) {
        for (int i = 0; i < 17; i++) {
            if (gy_loop_new(&loop[i], (gy_loop_opts){.backend = "sim"})) _exit(1);
            if (gy_fiber_debug_overflow(loop[i]) != (i < 16 ? 0 : -EMFILE)) _exit(2);
        }
        gy_loop_free(loop[3]);
        if (gy_fiber_debug_overflow(loop[16])) _exit(3);
        for (int i = 0; i < 17; i++)
            if (i != 3 && gy_loop_free(loop[i])) _exit(4);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
}
