/* SPDX-License-Identifier: ISC */
/* gy_run as a state: idle before and after. What it does is in tests/loop/processes_run.c. */
#include "gyre/process.h"
#include "harness.h"

static void done(gy_run *run, int err) {
    int *told = run->user;
    *told += err ? 100 : 1;
    CHECK_EQ(run->priv.left, 0);
}

TEST(run, one_after_the_other) {
    gy_loop *loop;
    int told = 0;
    gy_run run = {.user = &told};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    gy_run_cancel(&run);
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(gy_run_start(loop, &run, (gy_run_opts){.process = {.program = "/bin/true"}, .fn = done}), 0);
        CHECK_EQ(run.priv.left, 1);
        CHECK_EQ(gy_loop_run(loop), 0);
        CHECK_EQ(told, i);
    }
    gy_run_cancel(&run);
    CHECK_EQ(gy_loop_free(loop), 0);
}
