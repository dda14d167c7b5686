/* SPDX-License-Identifier: ISC */
/* Processes as promises. */
#include <errno.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

TEST_BACKENDS(settle_process, tells_how_it_ended) {
    gy_loop *loop;
    gy_process p = {0}, missing = {0}, killed = {0};
    gy_run run = {0};
    gy_cancel token = {0};
    outcome a = {.count = 0}, b = {.count = 0}, c = {.count = 0}, d = {.count = 0};
    const char *three[] = {"sh", "-c", "exit 3", NULL}, *sleep[] = {"sleep", "30", NULL};
    const char *echo[] = {"echo", "hi", NULL};
    char said[8];
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    gy_process_opts opts = {.program = "sh", .argv = three, .fn = gy_settle_exit};
    outcome_of(GY_PROMISE(loop, exit, &p, gy_process_spawn(loop, &p, opts)), &a);
    opts = (gy_process_opts){.program = "/not/there", .fn = gy_settle_exit};
    outcome_of(GY_PROMISE(loop, exit, &missing, gy_process_spawn(loop, &missing, opts)), &b);
    opts = (gy_process_opts){.program = "sleep", .argv = sleep, .fn = gy_settle_exit};
    outcome_of(GY_PROMISE_UNTIL(&token, loop, exit, &killed, gy_process_spawn(loop, &killed, opts)), &c);
    gy_run_opts all = {.process = {.program = "echo", .argv = echo}, .out = GY_BUF(said), .fn = gy_settle_run};
    outcome_of(GY_PROMISE(loop, run, &run, gy_run_start(loop, &run, all)), &d);
    gy_cancel_now(&token, -EIO);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.err, 0);
    CHECK_EQ(a.value.num, 3);
    CHECK_EQ(b.err, -ENOENT);
    CHECK_EQ(c.err, 0);
    CHECK_EQ(c.value.num, -9);
    CHECK_EQ(d.err, 0);
    CHECK(d.value.ptr == &run);
    CHECK_EQ(run.out.len, 3);
    CHECK_EQ(gy_loop_free(loop), 0);
}
