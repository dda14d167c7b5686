/* SPDX-License-Identifier: ISC */
/* The handle when the floor below refuses: nothing is left, and `step` says whose refusal it was. What works is in
 * tests/loop/processes.c. */
#include <errno.h>
#include <sys/wait.h>

#include "gyre/process.h"
#include "harness.h"
#include "loop/loop.h"
#include "refuse.h"

#if defined(GYI_FAULTS) && GYI_FAULTS

static void refused_at(gyi_syscall kind, int err, const char *step) {
    gy_loop *loop;
    gy_stream out = {0}, both = {0};
    gy_process p = {0};
    const gy_stdio stdio[] = {
        {.kind = GY_STDIO_IGNORE}, {GY_STDIO_OUT, .stream = &out}, {GY_STDIO_DUPLEX, .stream = &both}};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    refuse(kind, -EMFILE);
    int got = gy_process_spawn(loop, &p, (gy_process_opts){.program = "/bin/true", .stdio = stdio, .stdio_count = 3});
    refuse_nothing();
    CHECK_EQ(got, err);
    CHECK_STR(p.step, step);
    CHECK(!gy_stream_is_open(&out) && !gy_stream_is_open(&both) && !gy_process_running(&p));
    CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(process, a_refusal_says_where) {
    refused_at(GYI_SYS_POLLER, -EMFILE, "setup");
    refused_at(GYI_SYS_SOCKET, -EMFILE, "setup");
    refused_at(GYI_SYS_FCNTL, -EMFILE, "setup");
    refused_at(GYI_SYS_PROCESS, -EMFILE, "fork");
}

#endif

TEST(process, the_handle_begins_with_user) { CHECK_EQ(offsetof(gy_process, user) + offsetof(gy_run, user), 0); }
