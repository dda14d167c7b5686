/* SPDX-License-Identifier: ISC */
/* What pipelines refuse, and that a refusal leaves everything as it was. */
#include <errno.h>

#include "gyre/gyre.h"
#include "harness.h"

static void plumb_done(gy_pipeline *p, int err) { *(int *)p->user = err ? err : 1; }

static int64_t plumb_none(gy_transform *t, gy_buf in, gy_buf out, size_t *taken) {
    (void)t, (void)in, (void)out, (void)taken;
    return 0;
}

TEST(pipeline, bad_options_start_nothing) {
    gy_loop *loop;
    gy_stream a = {0}, b = {0}, shut = {0};
    int told = 0;
    gy_pipeline p = {.user = &told};
    gy_transform good = {NULL, plumb_none}, bad = {NULL, NULL}, *steps[2] = {&good, &bad};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){0}), 0);
    CHECK_EQ(gy_pipe_pair(loop, &a, &b), 0);
    a.user = &a;
    gy_pipeline_opts opts = {.from = &a, .to = &b};
    CHECK_EQ(gy_pipeline_start(loop, &p, opts), -EINVAL);
    opts.fn = plumb_done;
    opts.count = 2;
    CHECK_EQ(gy_pipeline_start(loop, &p, opts), -EINVAL);
    opts.steps = steps;
    CHECK_EQ(gy_pipeline_start(loop, &p, opts), -EINVAL);
    opts.count = 65;
    CHECK_EQ(gy_pipeline_start(loop, &p, opts), -EINVAL);
    opts.count = 1;
    opts.high_water = 31;
    CHECK_EQ(gy_pipeline_start(loop, &p, opts), -EINVAL);
    opts.high_water = 32;
    opts.to = &shut;
    CHECK_EQ(gy_pipeline_start(loop, &p, opts), GY_ECLOSED);
    opts.to = &b;
    opts.from = &b;
    CHECK_EQ(gy_pipeline_start(loop, &p, opts), -EBADF);
    gy_pipeline_stop(&p);
    gy_pipeline_pause(&p);
    gy_pipeline_resume(&p);
    opts.from = &a;
    CHECK(a.user == &a);
    CHECK_EQ(gy_pipeline_start(loop, &p, opts), 0);
    CHECK_EQ(gy_pipeline_start(loop, &p, opts), -EALREADY);
    gy_pipeline_stop(&p);
    gy_pipeline_stop(&p);
    CHECK_EQ(told, 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, GY_ECANCELED);
    CHECK(a.user == &a);
    CHECK_EQ(gy_loop_free(loop), 0);
}
