/* SPDX-License-Identifier: ISC */
/* The life of a child: signals, time limits, letting go, and the ways in which the loop learns of its end. */
#include "processes.h"

#include <sys/wait.h>

#include "loop/loop.h"

/* A child that ends when its input does. */
static int start_cat(gy_loop *loop, child *c) {
    return child_start(loop, c, (gy_process_opts){.program = "/bin/cat", LIST({GY_STDIO_IN, .stream = &c->in})});
}

TEST_BACKENDS(process_life, signals_reach_it) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    CHECK_EQ(start_cat(loop, &c), 0);
    CHECK_EQ(gy_process_kill(&c.process, 0), 0);
    CHECK_EQ(gy_process_kill(&c.process, 1000), -EINVAL);
    CHECK_EQ(gy_process_kill(&c.process, -SIGTERM), -EINVAL);
    CHECK_EQ(gy_process_kill_group(&c.process, SIGTERM), -EINVAL);
    CHECK_EQ(gy_process_kill(&c.process, SIGTERM), 0);
    gy_stream_close(&c.in, NULL);
    end_loop(loop);
    CHECK_EQ(c.how.signo, SIGTERM);
    CHECK_EQ(c.exits, 1);
    CHECK(!c.how.timed_out);
}

TEST_BACKENDS(process_life, the_end_of_input_is_passed_on) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    CHECK_EQ(start_cat(loop, &c), 0);
    gy_stream_close(&c.in, NULL);
    end_loop(loop);
    CHECK_EQ(c.how.code, 0);
}

typedef struct again {
    child c;
    gy_loop *loop;
    int times, err;
} again;

static void again_exit(gy_process *p, int err, gy_exit how) {
    again *a = GY_OF(p, again, c.process);
    gy_process_opts opts = {TRUE, .fn = again_exit};
    if (!err && how.code == 0 && ++a->times < 5) a->err = gy_process_spawn(a->loop, p, opts);
}

TEST_BACKENDS(process_life, a_handle_is_free_in_its_callback) {
    again a = {.loop = new_loop(backend)};
    CHECK_EQ(gy_process_spawn(a.loop, &a.c.process, (gy_process_opts){TRUE, .fn = again_exit}), 0);
    end_loop(a.loop);
    CHECK_EQ(a.times, 5);
    CHECK_EQ(a.err, 0);
}

TEST_BACKENDS(process_life, who_is_not_referenced_does_not_keep_the_loop) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    CHECK_EQ(start_cat(loop, &c), 0);
    gy_process_unref(&c.process);
    gy_process_unref(&c.process);
    gy_stream_unref(&c.in);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(c.exits, 0);
    CHECK_EQ(gy_loop_free(loop), -EBUSY);
    gy_process_ref(&c.process);
    gy_process_ref(&c.process);
    CHECK(gy_loop_alive(loop));
    gy_stream_close(&c.in, NULL);
    end_loop(loop);
    CHECK_EQ(c.exits, 1);
}

/* ---- letting go -------------------------------------------------------------------------------------------------- */

/* Turns until no child is left, not even a zombie; `limit` keeps a failure from taking for ever. */
static bool nobody_left(gy_loop *loop) {
    for (int i = 0; i < 20000; i++) {
        siginfo_t info;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD) return true;
        gy_loop_step(loop, GY_STEP_POLL);
        usleep(200);
    }
    return false;
}

TEST_BACKENDS(process_life, a_forgotten_one_leaves_no_zombie) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    CHECK_EQ(start_cat(loop, &c), 0);
    gy_process_forget(&c.process);
    CHECK(!gy_process_running(&c.process));
    CHECK_EQ(gy_process_kill(&c.process, SIGKILL), -ESRCH);
    gy_process_forget(&c.process);
    gy_stream_close(&c.in, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(nobody_left(loop));
    CHECK_EQ(c.exits, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(process_life, without_a_function_it_is_forgotten) {
    gy_loop *loop = new_loop(backend);
    gy_process p = {0};
    CHECK_EQ(gy_process_spawn(loop, &p, (gy_process_opts){TRUE}), 0);
    CHECK(!gy_process_running(&p) && p.pid > 0 && !gy_loop_alive(loop));
    CHECK(nobody_left(loop));
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* The end was collected already, in the same turn, but not told. */
static void forget_other(gy_process *p, int err, gy_exit how) {
    child *c = p->user;
    child_exit(p, err, how);
    gy_process_forget(&c->process);
}

TEST(process_life, a_forgotten_one_is_not_told_in_the_same_turn) {
    gy_loop *loop = new_loop("poll");
    child a = {.eof = false}, b = {.eof = false};
    a.process.user = &b;
    b.process.user = &a;
    gy_process_opts opts = {TRUE, .fn = forget_other};
    CHECK_EQ(gy_process_spawn(loop, &a.process, opts), 0);
    CHECK_EQ(gy_process_spawn(loop, &b.process, opts), 0);
    siginfo_t info;
    CHECK_EQ(waitid(P_PID, (id_t)a.process.pid, &info, WEXITED | WNOWAIT), 0);
    CHECK_EQ(waitid(P_PID, (id_t)b.process.pid, &info, WEXITED | WNOWAIT), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.exits + b.exits, 1);
    CHECK(nobody_left(loop));
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(process_life, a_loop_goes_although_a_forgotten_one_runs) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    CHECK_EQ(start_cat(loop, &c), 0);
    gy_process_forget(&c.process);
    CHECK_EQ(kill(c.process.pid, 0), 0);
    gy_stream_close(&c.in, NULL);
    gy_loop_step(loop, GY_STEP_POLL);
    siginfo_t info; /* one that is quick was waited for in that step already */
    CHECK(waitid(P_PID, (id_t)c.process.pid, &info, WEXITED | WNOWAIT) == 0 || errno == ECHILD);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(waitpid(c.process.pid, NULL, WNOHANG), -1); /* it had ended, so it was waited for */
}

TEST_BACKENDS(process_life, somebody_else_has_waited) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){TRUE}), 0);
    CHECK_EQ(waitpid(c.process.pid, NULL, 0), c.process.pid);
    end_loop(loop);
    CHECK_EQ(c.exits, 1);
    CHECK_EQ(c.err, -ECHILD);
    CHECK_EQ(c.how.code, -1);
}

/* ---- time limits ------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(process_life, a_time_limit_asks_first) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    gy_ns begun = gy_loop_update_now(loop);
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){SHELL("read x"), LIST({GY_STDIO_IN, .stream = &c.in}),
                                                     .timeout = GY_MS(30)}), 0);
    gy_stream_unref(&c.in);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gy_loop_now(loop) - begun >= GY_MS(30));
    CHECK_EQ(c.how.signo, SIGTERM);
    CHECK(c.how.timed_out);
    gy_stream_close(&c.in, NULL);
    end_loop(loop);
}

/* It says when it is deaf to SIGTERM, and only then the limit may come: with virtual time, after a second. */
TEST_BACKENDS(process_life, then_it_kills) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    gy_ns begun = gy_loop_update_now(loop);
    const char *const argv[] = {"sh", "-c", "trap '' TERM; while :; do sleep 1000; done", NULL};
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){.program = "sh", .argv = argv, LIST({0}), .timeout = GY_MS(300),
                                                     .grace = GY_MS(50), .flags = GY_PROCESS_GROUP}), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gy_loop_now(loop) - begun >= GY_MS(350));
    CHECK_EQ(c.how.signo, SIGKILL);
    CHECK(c.how.timed_out);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(process_life, a_time_limit_that_is_not_reached_does_nothing) {
    gy_loop *loop = new_loop("sim");
    child c = {.eof = false};
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){TRUE, .timeout = GY_S(100)}), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(!c.how.timed_out && c.how.code == 0);
    CHECK(gy_loop_now(loop) < GY_S(50)); /* virtual time has waited for the process */
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* ---- the other ways to learn of the end -------------------------------------------------------------------------- */

#if defined(GYI_FAULTS) && GYI_FAULTS

static int process_calls, refuse_signals;

/* The first of these calls starts the process, the second asks for its descriptor. */
static int no_descriptor(gyi_syscall kind) {
    if (kind == GYI_SYS_SIGACTION) return refuse_signals ? -ENOMEM : 0;
    return kind == GYI_SYS_PROCESS && ++process_calls % 2 == 0 ? -ENOSYS : 0;
}

/* Starts several children without descriptors; one that is not the library's is not waited for. */
static void without_descriptors(const char *backend) {
    enum { SEVERAL = 5 };
    gy_loop *loop = new_loop(backend);
    child c[SEVERAL];
    memset(c, 0, sizeof c);
    pid_t stranger = fork();
    if (stranger == 0) _exit(9);
    gyi_sys_fault = no_descriptor;
    for (int i = 0; i < SEVERAL; i++) {
        process_calls = 0;
        gy_process_opts opts = {SHELL("read x; exit 3"), LIST({GY_STDIO_IN, .stream = &c[i].in})};
        CHECK_EQ(child_start(loop, &c[i], opts), 0);
    }
    gyi_sys_fault = NULL;
    for (int i = 0; i < SEVERAL; i++) CHECK_EQ(gy_process_kill(&c[i].process, 0), 0);
    gy_process_kill(&c[0].process, SIGKILL);
    for (int i = 0; i < SEVERAL; i++) gy_stream_close(&c[i].in, NULL);
    gy_process_forget(&c[1].process);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(c[0].how.signo, SIGKILL);
    CHECK_EQ(c[1].exits, 0);
    for (int i = 2; i < SEVERAL; i++) {
        CHECK_EQ(c[i].exits, 1);
        CHECK_EQ(c[i].how.code, 3);
    }
    int status = 0;
    CHECK_EQ(waitpid(stranger, &status, 0), stranger);
    CHECK_EQ(WEXITSTATUS(status), 9);
    CHECK(nobody_left(loop));
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(process_life, without_descriptors_sigchld_tells) { without_descriptors(backend); }

/* Nor does it need to be delivered: then a timer asks too, if only once a second. */
TEST_BACKENDS(process_life, without_descriptors_and_with_sigchld_blocked) {
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &chld, NULL), 0);
    without_descriptors(backend);
    CHECK_EQ(sigprocmask(SIG_UNBLOCK, &chld, NULL), 0);
}

TEST_BACKENDS(process_life, without_sigchld_a_timer_asks) {
    refuse_signals = 1;
    without_descriptors(backend);
    refuse_signals = 0;
}

static int refuse_first_change(gyi_syscall kind) {
    static int seen;
    return kind == GYI_SYS_CHANGE && !seen++ ? -ENOMEM : 0;
}

TEST(process_life, a_descriptor_that_cannot_be_watched_is_replaced) {
    if (!gy_test_backend_available("epoll")) SKIP("no epoll");
    gy_loop *loop = new_loop("epoll");
    child c = {.eof = false};
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){TRUE, LIST({0})}), 0);
    gyi_sys_fault = refuse_first_change;
    CHECK_EQ(gy_loop_run(loop), 0);
    gyi_sys_fault = NULL;
    CHECK_EQ(c.exits, 1);
    CHECK_EQ(c.how.code, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static int refuse_one_wait(gyi_syscall kind) {
    if (kind != GYI_SYS_PROCESS) return 0;
    return ++process_calls == 3 ? -ENOMEM : 0;
}

TEST_BACKENDS(process_life, a_wait_that_fails_is_repeated) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    process_calls = 0;
    gyi_sys_fault = refuse_one_wait;
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){TRUE}), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    gyi_sys_fault = NULL;
    CHECK(process_calls > 3);
    CHECK_EQ(c.exits, 1);
    CHECK_EQ(c.how.code, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

#endif
