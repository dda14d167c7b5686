/* SPDX-License-Identifier: ISC */
/* Pipelines as promises. */
#include <errno.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

static void sluice_wrote(gy_write *w, int err) { *(int *)w->user = err; }

TEST_BACKENDS(settle_pipeline, tells_how_much_and_stops) {
    gy_loop *loop;
    gy_stream in = {0}, out = {0}, a = {0}, b = {0}, shut = {0}, c = {0}, d = {0}, e = {0}, f = {0};
    gy_pipeline whole = {.user = &in}, refused = {0}, stopped = {.user = &out};
    gy_cancel token = {0};
    outcome first = {.count = 0}, second = {.count = 0}, third = {.count = 0};
    char text[] = "four";
    int wrote = 1;
    gy_write w = {.user = &wrote}, end = {.user = &wrote};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gy_pipe_pair(loop, &in, &out), 0);
    CHECK_EQ(gy_stream_pair(loop, &a, &b), 0);
    CHECK_EQ(gy_stream_pair(loop, &c, &d), 0);
    CHECK_EQ(gy_stream_pair(loop, &e, &f), 0);
    gy_pipeline_opts opts = {.from = &in, .to = &a, .fn = gy_settle_pipeline};
    outcome_of(GY_PROMISE(loop, pipeline, &whole, gy_pipeline_start(loop, &whole, opts)), &first);
    opts.to = &shut;
    outcome_of(GY_PROMISE(loop, pipeline, &refused, gy_pipeline_start(loop, &refused, opts)), &second);
    opts = (gy_pipeline_opts){.from = &d, .to = &e, .fn = gy_settle_pipeline};
    outcome_of(GY_PROMISE_UNTIL(&token, loop, pipeline, &stopped, gy_pipeline_start(loop, &stopped, opts)), &third);
    CHECK_EQ(gy_stream_write(&out, &w, (gy_buf){text, 4}, sluice_wrote), 0);
    CHECK_EQ(gy_stream_shutdown(&out, &end, sluice_wrote), 0);
    for (int i = 0; i < 20 && !first.count; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(first.count, 1);
    CHECK_EQ(first.err, 0);
    CHECK_EQ(first.value.num, 4);
    CHECK(whole.user == &in);
    CHECK_EQ(second.err, GY_ECLOSED);
    CHECK_EQ(third.count, 0);
    gy_cancel_now(&token, -EIO);
    gy_stream *left[] = {&out, &b, &c, &f};
    for (int i = 0; i < 4; i++) gy_stream_close(left[i], NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(third.count, 1);
    CHECK_EQ(third.err, GY_ECANCELED);
    CHECK(stopped.user == &out);
    CHECK(!gy_stream_is_open(&d));
    CHECK_EQ(gy_loop_free(loop), 0);
}
