/* SPDX-License-Identifier: ISC */
/* Child processes: what they start with, how their failure to start is told, and what they must not get. */
#include "processes.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Runs a script to its end and checks what it wrote. */
static void says(const char *backend, gy_process_opts opts, const char *text) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    CHECK_EQ(child_start(loop, &c, opts), 0);
    CHECK(c.process.step == NULL);
    end_loop(loop);
    CHECK_STR(c.text, text);
    CHECK(c.eof);
    CHECK_EQ(c.exits, 1);
    CHECK_EQ(c.err, 0);
    CHECK_EQ(c.how.code, 0);
    CHECK_EQ(c.how.signo, 0);
}

TEST_BACKENDS(processes, the_end_is_told_once) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){.program = "/bin/true"}), 0);
    CHECK(gy_process_running(&c.process) && gy_loop_alive(loop));
    CHECK(c.process.pid > 0);
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){.program = "/bin/true"}), -EALREADY);
    CHECK_EQ(gy_loop_free(loop), -EBUSY);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(c.exits, 1);
    CHECK_EQ(c.how.code, 0);
    CHECK(c.how.max_rss > 0 && c.how.user >= 0 && c.how.system >= 0);
    CHECK(!gy_process_running(&c.process));
    CHECK_EQ(gy_process_kill(&c.process, SIGKILL), -ESRCH);
    CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
    CHECK_EQ(errno, ECHILD);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(processes, exit_codes_and_signals_are_told_apart) {
    gy_loop *loop = new_loop(backend);
    child a = {.eof = false}, b = {.eof = false};
    CHECK_EQ(child_start(loop, &a, (gy_process_opts){SHELL("exit 42")}), 0);
    CHECK_EQ(child_start(loop, &b, (gy_process_opts){SHELL("kill -9 $$")}), 0);
    end_loop(loop);
    CHECK_EQ(a.how.code, 42);
    CHECK_EQ(a.how.signo, 0);
    CHECK_EQ(b.how.code, -1);
    CHECK_EQ(b.how.signo, SIGKILL);
    CHECK(!b.how.core);
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

static void fails(gy_loop *loop, gy_process_opts opts, int err, const char *step) {
    child c = {.eof = false};
    CHECK_EQ(child_start(loop, &c, opts), err);
    CHECK_STR(c.process.step, step);
    CHECK(!gy_process_running(&c.process) && !gy_stream_is_open(&c.out));
    CHECK(!gy_loop_alive(loop));
    CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
}

TEST_BACKENDS(processes, what_keeps_a_program_from_starting_is_the_result) {
    gy_loop *loop = new_loop(backend);
    char path[] = "/tmp/gyre-process-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "true\n", 5), 5);
    close(fd);
    fails(loop, (gy_process_opts){.program = "/nonexistent/program"}, -ENOENT, "exec");
    fails(loop, (gy_process_opts){.program = "gyre-no-such-program"}, -ENOENT, "exec");
    fails(loop, (gy_process_opts){.program = ""}, -ENOENT, "exec");
    fails(loop, (gy_process_opts){.program = "/bin"}, -EACCES, "exec");
    fails(loop, (gy_process_opts){.program = path}, -EACCES, "exec");
    CHECK_EQ(chmod(path, 0700), 0);
    fails(loop, (gy_process_opts){.program = path}, -ENOEXEC, "exec");
    CHECK_EQ(unlink(path), 0);
    fails(loop, (gy_process_opts){.program = "true", .flags = GY_PROCESS_NO_SEARCH}, -ENOENT, "exec");
    fails(loop, (gy_process_opts){.program = "/bin/true", .directory = "/nonexistent"}, -ENOENT, "directory");
    fails(loop, (gy_process_opts){.program = "/bin/true", .directory = "/dev/null"}, -ENOTDIR, "directory");
    fails(loop, (gy_process_opts){.program = "/bin/true", .flags = GY_PROCESS_GROUP, .group = 1}, -EPERM, "group");
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(processes, too_many_arguments_are_told) {
    enum { HUGE_ARGUMENT = 16 << 20 };
    gy_loop *loop = new_loop("sim");
    char *huge = malloc(HUGE_ARGUMENT);
    CHECK(huge != NULL);
    memset(huge, 'x', HUGE_ARGUMENT - 1);
    huge[HUGE_ARGUMENT - 1] = 0;
    const char *const argv[] = {"true", huge, NULL};
    fails(loop, (gy_process_opts){.program = "/bin/true", .argv = argv}, -E2BIG, "exec");
    free(huge);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(processes, limits_that_are_wrong_are_told) {
    gy_loop *loop = new_loop("sim");
    const gy_process_limit upside[] = {{.resource = RLIMIT_NOFILE, .soft = 100, .hard = 50}};
    fails(loop, (gy_process_opts){.program = "/bin/true", .limits = upside, .limit_count = 1}, -EINVAL, "limits");
    CHECK_EQ(gy_loop_free(loop), 0);
}

static void refuses(gy_loop *loop, gy_process_opts opts, int err) {
    gy_process p = {0};
    CHECK_EQ(gy_process_spawn(loop, &p, opts), err);
    CHECK(!gy_process_running(&p));
}

TEST(processes, options_without_sense_are_refused) {
    gy_loop *loop = new_loop("sim");
    gy_stream s = {0};
    const char *const nothing[] = {NULL};
    refuses(loop, (gy_process_opts){0}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, .argv = nothing}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, .flags = 1024}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, .flags = GY_PROCESS_DETACHED | GY_PROCESS_GROUP}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, .group = 5}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, .group = -5, .flags = GY_PROCESS_GROUP}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, .umask = 01000, .flags = GY_PROCESS_UMASK}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, .timeout = -1}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, .grace = -1}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, .group_count = 1}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, .limit_count = 1}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, .stdio_count = 1}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, .stdio = &(gy_stdio){0}, .stdio_count = GY_STDIO_MOST + 1}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, LIST({.kind = (gy_stdio_kind)77})}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, LIST({.kind = GY_STDIO_IN})}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, LIST({.kind = GY_STDIO_FD, .fd = -1})}, -EBADF);
    refuses(loop, (gy_process_opts){TRUE, LIST({.kind = GY_STDIO_FD, .fd = 1 << 28})}, -EBADF);
    refuses(loop, (gy_process_opts){TRUE, LIST({.kind = GY_STDIO_SAME, .fd = 0})}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, LIST({.kind = GY_STDIO_SAME, .fd = -1})}, -EINVAL);
    refuses(loop, (gy_process_opts){TRUE, LIST({GY_STDIO_OUT, .stream = &s}, {GY_STDIO_OUT, .stream = &s})}, -EINVAL);
    int pair[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_EQ(gy_stream_open(loop, &s, pair[0]), 0);
    refuses(loop, (gy_process_opts){TRUE, LIST({GY_STDIO_OUT, .stream = &s})}, -EALREADY);
    gy_stream_close(&s, NULL);
    close(pair[1]);
    end_loop(loop);
}

TEST(processes, an_idle_handle_takes_every_call) {
    gy_process p = {0};
    CHECK_EQ(gy_process_kill(&p, SIGTERM), -ESRCH);
    CHECK_EQ(gy_process_kill_group(&p, SIGTERM), -ESRCH);
    CHECK(!gy_process_running(&p));
    gy_process_forget(&p);
    gy_process_ref(&p);
    gy_process_unref(&p);
}

/* ---- what it starts with ----------------------------------------------------------------------------------------- */

TEST_BACKENDS(processes, arguments_environment_and_directory) {
    const char *const argv[] = {"sh", "-c", "echo \"$0|$1|$NAME|$HOME\"; pwd", "zero", "one two", NULL};
    const char *const envp[] = {"NAME=value", "PATH=/bin:/usr/bin", NULL};
    says(backend, (gy_process_opts){.program = "sh", .argv = argv, .envp = envp, .directory = "/usr"},
         "zero|one two|value|\n/usr\n");
}

TEST(processes, the_environment_is_inherited) {
    CHECK_EQ(setenv("GYRE_INHERITED", "yes", 1), 0);
    says("sim", (gy_process_opts){SHELL("echo $GYRE_INHERITED")}, "yes\n");
}

/* A directory in which the program may not be executed does not end the search. */
TEST(processes, the_search_goes_on_to_the_end) {
    char dir[] = "/tmp/gyre-process-XXXXXX", name[64], path[128];
    CHECK(mkdtemp(dir) != NULL);
    strcat(strcpy(name, dir), "/echo");
    int fd = open(name, O_CREAT | O_WRONLY, 0600);
    CHECK(fd >= 0);
    close(fd);
    strcat(strcat(strcpy(path, "PATH=/dev/null:/nonexistent:"), dir), ":/bin");
    const char *const argv[] = {"echo", "found", NULL}, *const envp[] = {path, NULL};
    says("sim", (gy_process_opts){.program = "echo", .argv = argv, .envp = envp}, "found\n");
    path[strlen(path) - 5] = 0; /* without the directory that has it */
    gy_loop *loop = new_loop("sim");
    fails(loop, (gy_process_opts){.program = "echo", .argv = argv, .envp = envp}, -EACCES, "exec");
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(unlink(name), 0);
    CHECK_EQ(rmdir(dir), 0);
}

TEST(processes, without_a_path_there_is_a_default) {
    const char *const argv[] = {"echo", "found", NULL}, *const none[] = {NULL};
    says("sim", (gy_process_opts){.program = "echo", .argv = argv, .envp = none}, "found\n");
}

TEST(processes, umask_and_limits) {
    const gy_process_limit limits[] = {{RLIMIT_NOFILE, 33, 44}, {RLIMIT_CORE, 0, GY_UNLIMITED}};
    struct rlimit core;
    CHECK_EQ(getrlimit(RLIMIT_CORE, &core), 0);
    unsigned count = core.rlim_max == RLIM_INFINITY ? 2 : 1;
    says("sim", (gy_process_opts){SHELL("umask; ulimit -Sn; ulimit -Hn"), .umask = 0135, .flags = GY_PROCESS_UMASK,
                                  .limits = limits, .limit_count = count},
         "0135\n33\n44\n");
    umask(022);
    says("sim", (gy_process_opts){SHELL("umask"), .flags = GY_PROCESS_UMASK}, "0000\n");
    says("sim", (gy_process_opts){SHELL("umask")}, "0022\n");
}

#ifdef __linux__

static void ignore_all(void) {
    for (int signo = 1; signo < 32; signo++)
        if (signo != SIGCHLD) signal(signo, SIG_IGN);
}

TEST_BACKENDS(processes, signals_are_at_their_default) {
    sigset_t all;
    ignore_all();
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    const char *const argv[] = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL};
    says(backend, (gy_process_opts){.program = "grep", .argv = argv},
         "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

/* Nothing but the three, although there are descriptors that are not close-on-exec. `ls` has one more, of the directory
 * that it reads. */
TEST_BACKENDS(processes, no_descriptor_leaks) {
    int leak = open("/dev/null", O_RDONLY), high = fcntl(leak, F_DUPFD, 300);
    CHECK(leak >= 0 && high >= 300);
    const char *const argv[] = {"ls", "/proc/self/fd", NULL};
    says(backend, (gy_process_opts){.program = "ls", .argv = argv}, "0\n1\n2\n3\n");
    close(leak);
    close(high);
}

#endif

TEST(processes, sessions_and_groups) {
    gy_loop *loop = new_loop("sim");
    child a = {.eof = false}, b = {.eof = false};
    CHECK_EQ(child_start(loop, &a, (gy_process_opts){.program = "/bin/cat", LIST({GY_STDIO_IN, .stream = &a.in}),
                                                     .flags = GY_PROCESS_DETACHED}), 0);
    CHECK_EQ(child_start(loop, &b, (gy_process_opts){.program = "/bin/cat", LIST({GY_STDIO_IN, .stream = &b.in}),
                                                     .flags = GY_PROCESS_GROUP}), 0);
    CHECK_EQ(getsid(a.process.pid), a.process.pid);
    CHECK_EQ(getpgid(a.process.pid), a.process.pid);
    CHECK_EQ(getpgid(b.process.pid), b.process.pid);
    CHECK_EQ(getsid(b.process.pid), getsid(0));
    CHECK_EQ(gy_process_kill_group(&a.process, SIGTERM), 0);
    CHECK_EQ(gy_process_kill_group(&b.process, SIGKILL), 0);
    gy_stream_close(&a.in, NULL);
    gy_stream_close(&b.in, NULL);
    end_loop(loop);
    CHECK_EQ(a.how.signo, SIGTERM);
    CHECK_EQ(b.how.signo, SIGKILL);
}

TEST(processes, users_groups_and_what_comes_with_them) {
    if (getuid() != 0) SKIP("only root may become somebody else");
    unsigned flags = GY_PROCESS_UID | GY_PROCESS_GID;
    says("sim", (gy_process_opts){SHELL("id -u; id -g; id -G"), .flags = flags, .uid = 65534, .gid = 65533},
         "65534\n65533\n65533\n");
    const uint32_t groups[] = {11, 12};
    says("sim", (gy_process_opts){SHELL("id -u; id -g; id -G"), .flags = flags, .uid = 65534, .gid = 65533,
                                  .groups = groups, .group_count = 2},
         "65534\n65533\n65533 11 12\n");
    CHECK_EQ(getuid(), 0); /* not this process */
    gy_loop *loop = new_loop("sim");
    char dir[] = "/tmp/gyre-process-XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    fails(loop, (gy_process_opts){TRUE, .directory = dir, .flags = flags, .uid = 65534, .gid = 65534}, -EACCES,
          "directory");
    CHECK_EQ(rmdir(dir), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static void *as_nobody(void *arg) {
    gy_loop *loop = arg;
    gy_process p = {0};
    gy_process_opts opts = {TRUE, .flags = GY_PROCESS_UID, .uid = 0};
    if (setgid(65534) || setuid(65534)) return (void *)1;
    int err = gy_process_spawn(loop, &p, opts);
    return err == -EPERM && p.step && strcmp(p.step, "user") == 0 ? NULL : (void *)2;
}

TEST(processes, who_may_not_become_somebody_is_told) {
    if (getuid() != 0) SKIP("to begin with, it has to be root");
    pid_t pid = fork(); /* nobody comes back from being nobody */
    if (pid == 0) {
        gy_loop *loop;
        if (gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"})) _exit(3);
        _exit(as_nobody(loop) == NULL ? 0 : 1);
    }
    int status = -1;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

#ifdef __linux__

TEST(processes, a_child_dies_with_its_parent) {
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        gy_loop *loop;
        gy_process p = {0};
        const gy_stdio stdio[] = {{0}, {GY_STDIO_FD, .fd = ends[1]}};
        const char *const argv[] = {"sleep", "1000", NULL};
        int err = gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"});
        if (!err) err = gy_process_spawn(loop, &p, (gy_process_opts){.program = "sleep", .argv = argv, .stdio = stdio,
                                                                    .stdio_count = 2, .flags = GY_PROCESS_WITH_PARENT});
        _exit(err ? 1 : 0);
    }
    int status = -1;
    char byte;
    close(ends[1]);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    CHECK_EQ(read(ends[0], &byte, 1), 0); /* the end comes when the last who could write is gone */
    close(ends[0]);
}

#endif

/* ---- many, and threads ------------------------------------------------------------------------------------------- */

TEST_BACKENDS(processes, a_hundred_at_once) {
    enum { MANY = 100 };
    gy_loop *loop = new_loop(backend);
    static child many[MANY];
    memset(many, 0, sizeof many);
    gy_process_opts opts = {SHELL("read x; exit 7"), LIST({.kind = GY_STDIO_IGNORE})};
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(child_start(loop, &many[i], opts), 0);
    end_loop(loop);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(many[i].exits, 1);
        CHECK_EQ(many[i].how.code, 7);
    }
}

typedef struct crowd {
    _Atomic int stop;
    int spawned, err;
} crowd;

static void *crowd_allocate(void *arg) {
    crowd *c = arg;
    while (!atomic_load(&c->stop)) {
        volatile char *p = malloc(1000);
        if (p) p[0] = 1;
        free((void *)(uintptr_t)p);
        int fd = open("/dev/null", O_RDONLY);
        if (fd >= 0) close(fd);
    }
    return NULL;
}

static void *crowd_spawn(void *arg) {
    crowd *c = arg;
    gy_loop *loop;
    c->err = gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"});
    for (int i = 0; i < 20 && !c->err; i++) {
        child kid = {.eof = false}, none = {.eof = false};
        c->err = child_start(loop, &kid, (gy_process_opts){.program = "echo"});
        if (!c->err && child_start(loop, &none, (gy_process_opts){.program = "/nonexistent"}) != -ENOENT) c->err = -1;
        if (!c->err) c->err = gy_loop_run(loop);
        if (!c->err && kid.how.code == 0 && strcmp(kid.text, "\n") == 0) c->spawned++;
    }
    if (!c->err) c->err = gy_loop_free(loop);
    return NULL;
}

TEST(processes, spawning_among_other_threads) {
    crowd c[3] = {{0}};
    pthread_t spawner[3], busy;
    CHECK_EQ(pthread_create(&busy, NULL, crowd_allocate, &c[0]), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&spawner[i], NULL, crowd_spawn, &c[i]), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(pthread_join(spawner[i], NULL), 0);
    atomic_store(&c[0].stop, 1);
    CHECK_EQ(pthread_join(busy, NULL), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(c[i].err, 0);
        CHECK_EQ(c[i].spawned, 20);
    }
}
