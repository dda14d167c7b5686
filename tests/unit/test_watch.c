/* SPDX-License-Identifier: ISC */
/* The record of a child: it holds the loop as long as it has an owner, and goes with the loop otherwise. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/list.h"
#include "harness.h"
#include "process/process.h"

static void ended(gy_process *p, int err, gy_exit how) {
    int *code = p->user;
    *code = err ? err : how.code;
}

TEST(watch, the_record_is_on_the_loops_list_until_the_end) {
    gy_loop *loop;
    int code = -1;
    gy_process p = {.user = &code};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_process_spawn(loop, &p, (gy_process_opts){.program = "/bin/true", .fn = ended}), 0);
    CHECK(loop->children.next == &p.priv.child->link);
    CHECK_EQ(loop->open, 1);
    CHECK_EQ(loop->outside, 1);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(code, 0);
    CHECK(gyi_list_empty(&loop->children));
    CHECK_EQ(loop->open, 0);
    CHECK_EQ(loop->outside, 0);
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(watch, a_loop_that_ends_lets_go_of_what_was_forgotten) {
    gy_loop *loop;
    const char *const argv[] = {"sleep", "1000", NULL};
    gy_process p = {0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_process_spawn(loop, &p, (gy_process_opts){.program = "sleep", .argv = argv, .timeout = GY_S(5)}), 0);
    CHECK(!gyi_list_empty(&loop->children));
    CHECK_EQ(loop->open, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(kill(p.pid, SIGKILL), 0); /* it runs, and is ours to wait for */
    CHECK_EQ(waitpid(p.pid, NULL, 0), p.pid);
}

static void ended_by(gy_process *p, int err, gy_exit how) {
    int *signo = p->user;
    *signo = err ? err : how.signo;
}

/* A child that was put at the head of a group and is in ours again, as it may have chosen itself. */
TEST(watch, who_has_left_its_group_is_not_out_of_reach) {
    gy_loop *loop;
    int signo = 0;
    gy_process p = {.user = &signo};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){0}), 0);
    gyi_child *c = gyi_alloc_zero(&loop->alloc, sizeof *c);
    p.loop = c->loop = loop;
    p.pid = c->pid = fork();
    if (p.pid == 0) {
        alarm(5);
        pause();
        _exit(0);
    }
    c->owner = &p;
    c->flags = GYI_CHILD_HEAD;
    p.priv.child = c;
    p.priv.fn = ended_by;
    CHECK(!gyi_child_heads_group(p.pid));
    gyi_child_begin(c, GY_MS(5), GY_MS(5));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(signo, SIGTERM);
    CHECK_EQ(gy_loop_free(loop), 0);
}
