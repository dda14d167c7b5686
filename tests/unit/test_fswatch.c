/* SPDX-License-Identifier: ISC */
/* The handle of a watcher: starting again, and records that outlive it. */
#include "watchers.h"

/* A record outlives its handle while a request is on the pool, and goes with its answer (or the sanitizer tells). */
TEST(fswatch, stopped_while_it_looks) {
    watched t;
    watched_begin(&t, 0);
    for (int i = 0; i < 3 && !(t.w->flags & GYI_WATCHER_ASKING); i++) CHECK(gy_loop_step(t.loop, GY_STEP_WAIT) >= 0);
    watched_end(&t);
    CHECK_EQ(t.calls, 0);
}

TEST(fswatch, started_again) {
    watched t;
    watched_begin(&t, 0);
    gy_fswatch_opts opts = {.path = t.f.path, .fn = watched_event};
    CHECK_EQ(gy_fswatch_start(t.loop, &t.watch, opts), -EALREADY);
    gy_fswatch_stop(&t.watch);
    gy_fswatch_stop(&t.watch);
    gy_fswatch_unref(&t.watch);
    CHECK_EQ(gy_fswatch_start(t.loop, &t.watch, opts), 0);
    CHECK_EQ(gy_loop_run(t.loop), 0);
    watched_end(&t);
}
