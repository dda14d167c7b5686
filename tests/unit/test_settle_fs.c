/* SPDX-License-Identifier: ISC */
/* File operations as promises. */
#include <errno.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

TEST_BACKENDS(settle_fs, reads_and_reports) {
    gy_loop *loop;
    gy_fs req = {0}, bad = {0}, worse = {0};
    outcome o = {.count = 0}, p = {.count = 0}, q = {.count = 0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    outcome_of(GY_PROMISE(loop, fs, &req, gy_fs_open(loop, &req, (gy_fs_open_opts){.path = "/"}, gy_settle_fs)), &o);
    outcome_of(GY_PROMISE(loop, fs, &bad, gy_fs_stat(loop, &bad, "/not/there", gy_settle_fs)), &p);
    outcome_of(GY_PROMISE(loop, fs, &worse, gy_fs_stat(loop, &worse, NULL, gy_settle_fs)), &q);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.err, 0);
    CHECK(o.value.num >= 0);
    CHECK_EQ(p.err, -ENOENT);
    CHECK_EQ(q.err, -EINVAL);
    outcome_of(GY_PROMISE(loop, fs, &req, gy_fs_close(loop, &req, (int)o.value.num, gy_settle_fs)), &o);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.count, 2);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(settle_fs, is_cancelled_before_it_begins) {
    gy_loop *loop;
    gy_fs req = {0};
    gy_cancel token = {0};
    outcome o = {.count = 0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    outcome_of(GY_PROMISE_UNTIL(&token, loop, fs, &req, gy_fs_stat(loop, &req, "/", gy_settle_fs)), &o);
    gy_cancel_now(&token, -EIO); /* jobs are handed over when the callback returns, so it has not begun */
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o.count, 1);
    CHECK_EQ(o.err, GY_ECANCELED);
    CHECK_EQ(gy_loop_free(loop), 0);
}
