/* SPDX-License-Identifier: ISC */
/* Starting a program, below the handle: both kinds of children (one that shares memory, one that is a copy) tell the
 * same of every step, and leave the parent as it was. The options are tested with the handle (tests/loop). */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "sys/fd.h"
#include "sys/spawn.h"

static int source[3];
static const char *const argv_true[] = {"true", NULL};

static gyi_spawn plain(unsigned flags) {
    gyi_spawn s;
    memset(&s, 0, sizeof s);
    for (int i = 0; i < 3; i++) source[i] = GYI_SPAWN_NULL;
    s.program = "/bin/true";
    s.argv = argv_true;
    s.source = source;
    s.count = 3;
    s.flags = flags;
    return s;
}

static int code_of(int pid) {
    int status = -1;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void starts(unsigned flags) {
    gyi_sys sys = {{0}};
    gyi_spawn s = plain(flags);
    int pid = gyi_spawn_program(&sys, &s);
    CHECK(pid > 0);
    CHECK_EQ(code_of(pid), 0);
    s = plain(flags);
    const char *const argv[] = {"sh", "-c", "exit 9", NULL};
    s.program = "sh";
    s.path = "/nonexistent::/bin";
    s.argv = argv;
    pid = gyi_spawn_program(&sys, &s);
    CHECK(pid > 0);
    CHECK_EQ(code_of(pid), 9);
}

static void fails_at(unsigned flags, gyi_spawn *s, int step, int err) {
    gyi_sys sys = {{0}};
    s->flags |= flags;
    CHECK_EQ(gyi_spawn_program(&sys, s), err);
    CHECK_EQ(s->step, step);
    CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
    CHECK_EQ(errno, ECHILD);
}

static void tells_every_step(unsigned flags) {
    gyi_spawn s = plain(0);
    s.program = "/nonexistent";
    fails_at(flags, &s, GYI_SPAWN_EXEC, -ENOENT);
    s = plain(0);
    s.directory = "/nonexistent";
    fails_at(flags, &s, GYI_SPAWN_DIRECTORY, -ENOENT);
    s = plain(0);
    source[1] = 1 << 28; /* is not open */
    fails_at(flags, &s, GYI_SPAWN_STDIO, -EBADF);
    s = plain(GYI_SPAWN_SETPGID);
    s.group = 1;
    fails_at(flags, &s, GYI_SPAWN_GROUP, -EPERM);
    s = plain(0);
    const gyi_spawn_limit limit = {999, 1, 1};
    s.limits = &limit;
    s.limit_count = 1;
    fails_at(flags, &s, GYI_SPAWN_LIMITS, -EINVAL);
}

TEST(spawn, starts_a_program) { starts(0); }
TEST(spawn, starts_a_program_in_a_copy) { starts(GYI_SPAWN_COPY); }
TEST(spawn, tells_the_step_that_failed) { tells_every_step(0); }
TEST(spawn, tells_the_step_that_failed_in_a_copy) { tells_every_step(GYI_SPAWN_COPY); }

static volatile sig_atomic_t handled;
static void handle(int signo) {
    (void)signo;
    handled = 1;
}

/* The parent's own handlers, mask, umask and directory are untouched by what its child does. */
TEST(spawn, leaves_the_parent_as_it_was) {
    gyi_sys sys = {{0}};
    sigset_t mask, before;
    char here[512], there[512];
    signal(SIGUSR1, handle);
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, &mask, NULL), 0);
    CHECK(getcwd(here, sizeof here) != NULL);
    gyi_spawn s = plain(GYI_SPAWN_SETUMASK | GYI_SPAWN_SETSID);
    s.directory = "/";
    s.umask = 0777;
    int pid = gyi_spawn_program(&sys, &s);
    CHECK(pid > 0);
    CHECK_EQ(code_of(pid), 0);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    CHECK(sigismember(&before, SIGUSR2) && !sigismember(&before, SIGUSR1));
    CHECK(getcwd(there, sizeof there) != NULL);
    CHECK_STR(there, here);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK(handled);
}

TEST(spawn, a_name_that_does_not_fit_is_passed_over) {
    gyi_sys sys = {{0}};
    static char path[2 * GYI_SPAWN_NAME];
    memset(path, 'x', sizeof path - 6);
    strcpy(path + sizeof path - 6, ":/bin");
    gyi_spawn s = plain(0);
    s.program = "true";
    s.path = path;
    int pid = gyi_spawn_program(&sys, &s);
    CHECK(pid > 0);
    CHECK_EQ(code_of(pid), 0);
}

TEST(spawn, knows_what_is_open) {
    int fd = dup(0);
    CHECK(fd >= 0 && gyi_spawn_is_open(fd));
    close(fd);
    CHECK(!gyi_spawn_is_open(fd));
}
