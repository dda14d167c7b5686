/* SPDX-License-Identifier: ISC */
/* Descriptors: their flags, pipes, bytes through them, and what is left when a step fails. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "sys/fd.h"

static gyi_sys sys;

TEST(fd, pipes_are_close_on_exec_and_non_blocking) {
    int ends[2];
    char got[8];
    CHECK_EQ(gyi_fd_pipe(&sys, ends), 0);
    for (int i = 0; i < 2; i++) {
        CHECK(fcntl(ends[i], F_GETFD) & FD_CLOEXEC);
        CHECK(fcntl(ends[i], F_GETFL) & O_NONBLOCK);
    }
    CHECK_EQ(gyi_fd_read(&sys, ends[0], got, sizeof got), -EAGAIN);
    gy_buf one = {(char[]){"abc"}, 3};
    CHECK_EQ(gyi_fd_writev(&sys, ends[1], &one, 1), 3);
    gy_buf parts[2] = {{(char[]){"de"}, 2}, {(char[]){"f"}, 1}};
    CHECK_EQ(gyi_fd_writev(&sys, ends[1], parts, 2), 3);
    CHECK_EQ(gyi_fd_read(&sys, ends[0], got, sizeof got), 6);
    CHECK_EQ(memcmp(got, "abcdef", 6), 0);
    gyi_fd_close(&sys, ends[1]);
    CHECK_EQ(gyi_fd_read(&sys, ends[0], got, sizeof got), 0);
    gyi_fd_close(&sys, ends[0]);
    gyi_fd_close(&sys, -1);
    CHECK_EQ(gyi_fd_read(&sys, ends[0], got, sizeof got), -EBADF);
}

static int at, fail_at;

static int fail_nth(gyi_syscall kind) {
    (void)kind;
    return ++at == fail_at ? -ENFILE : 0;
}

TEST(fd, a_pipe_that_cannot_be_made_whole_is_not_made) {
    int ends[2], first = dup(0), failures = 0;
    close(first);
    for (fail_at = 1; fail_at < 20; fail_at++) {
        at = 0;
        gyi_sys_fault = fail_nth;
        int err = gyi_fd_pipe(&sys, ends);
        gyi_sys_fault = NULL;
        if (!err) break;
        CHECK_EQ(err, -ENFILE);
        failures++;
        int now = dup(0);
        CHECK_EQ(now, first);
        close(now);
    }
    CHECK(failures >= 1);
    gyi_fd_close(&sys, ends[0]);
    gyi_fd_close(&sys, ends[1]);
}

TEST(fd, nonblock_twice_costs_one_call_the_second_time) {
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    uint64_t before = sys.count[GYI_SYS_FCNTL];
    CHECK_EQ(gyi_fd_nonblock(&sys, ends[0]), 0);
    CHECK_EQ(sys.count[GYI_SYS_FCNTL] - before, 2);
    CHECK_EQ(gyi_fd_nonblock(&sys, ends[0]), 0);
    CHECK_EQ(sys.count[GYI_SYS_FCNTL] - before, 3);
    CHECK_EQ(gyi_fd_cloexec(&sys, ends[0]), 0);
    CHECK(fcntl(ends[0], F_GETFD) & FD_CLOEXEC);
    close(ends[0]);
    close(ends[1]);
    CHECK_EQ(gyi_fd_nonblock(&sys, ends[0]), -EBADF);
    CHECK_EQ(gyi_fd_cloexec(&sys, ends[0]), -EBADF);
}

TEST(fd, files_are_told_from_what_can_be_watched) {
    char path[] = "/tmp/gyre-fd-XXXXXX";
    int file = mkstemp(path), dir = open("/", O_RDONLY), ends[2];
    struct stat st;
    CHECK(file >= 0 && dir >= 0);
    CHECK_EQ(pipe(ends), 0);
    CHECK(gyi_fd_is_file(file) && gyi_fd_is_file(dir));
    CHECK(!gyi_fd_is_file(ends[0]) && !gyi_fd_is_file(-1));
    CHECK_EQ(gyi_fd_chmod(&sys, path, 0640), 0);
    CHECK_EQ(fstat(file, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0640);
    unlink(path);
    CHECK_EQ(gyi_fd_chmod(&sys, path, 0640), -ENOENT);
    close(file);
    close(dir);
    close(ends[0]);
    close(ends[1]);
}

TEST(fd, a_pipe_without_a_reader_is_EPIPE) {
    int ends[2];
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    CHECK_EQ(gyi_fd_pipe(&sys, ends), 0);
    gyi_fd_close(&sys, ends[0]);
    gy_buf part = {(char[]){"x"}, 1};
    CHECK_EQ(gyi_fd_writev(&sys, ends[1], &part, 1), -EPIPE);
    gyi_fd_close(&sys, ends[1]);
    signal(SIGPIPE, before);
}

static volatile sig_atomic_t broke;

static void fd_broke(int signo) {
    (void)signo;
    broke = broke + 1;
}

static bool fd_pending(void) {
    sigset_t now;
    sigpending(&now);
    return sigismember(&now, SIGPIPE) == 1;
}

TEST(fd, a_signal_is_taken_back_only_if_it_is_ours) {
    gyi_hush hush;
    sigset_t broken;
    void (*before)(int) = signal(SIGPIPE, fd_broke);
    broke = 0;
    gyi_fd_hush(&hush);
    raise(SIGPIPE);
    errno = EPIPE;
    gyi_fd_unhush(&hush, true);
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(broke, 0);
    raise(SIGPIPE); /* it is not blocked any more */
    CHECK_EQ(broke, 1);
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &broken, NULL), 0);
    gyi_fd_hush(&hush);
    raise(SIGPIPE);
    gyi_fd_unhush(&hush, true);
    CHECK(!fd_pending());
    raise(SIGPIPE); /* somebody else's */
    gyi_fd_hush(&hush);
    gyi_fd_unhush(&hush, true);
    CHECK(fd_pending());
    CHECK_EQ(sigprocmask(SIG_UNBLOCK, &broken, NULL), 0);
    CHECK_EQ(broke, 2);
    signal(SIGPIPE, before);
}

TEST(fd, modes_are_told_and_changed) {
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(gyi_fd_mode(&sys, ends[0]), GYI_FD_READS | GYI_FD_WAITS);
    CHECK_EQ(gyi_fd_mode(&sys, ends[1]), GYI_FD_WRITES | GYI_FD_WAITS);
    CHECK_EQ(gyi_fd_nonblock(&sys, ends[0]), 0);
    CHECK_EQ(gyi_fd_mode(&sys, ends[0]), GYI_FD_READS);
    for (int i = 0; i < 2; i++) CHECK_EQ(gyi_fd_blocking(&sys, ends[0]), 0);
    CHECK_EQ(gyi_fd_mode(&sys, ends[0]), GYI_FD_READS | GYI_FD_WAITS);
    close(ends[0]);
    close(ends[1]);
    CHECK_EQ(gyi_fd_mode(&sys, ends[0]), -EBADF);
    CHECK_EQ(gyi_fd_blocking(&sys, ends[0]), -EBADF);
    int null = open("/dev/null", O_RDWR);
    CHECK_EQ(gyi_fd_mode(&sys, null), GYI_FD_READS | GYI_FD_WRITES | GYI_FD_WAITS);
    close(null);
}
