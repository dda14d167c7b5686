/* SPDX-License-Identifier: ISC */
/* What the kernel tells, up to the end of what is watched. */
#include "watchers.h"

/* A path that goes while it is watched ends the watcher, with everything before it told first. */
TEST(watchkernel, gone) {
    watched t;
    watched_begin(&t, 0);
    gy_fswatch_stop(&t.watch);
    folder_dir(&t.f, "d");
    gy_fswatch_opts opts = {.path = folder_path(&t.f, "d"), .fn = watched_event, .recursive = true};
    int err = gy_fswatch_start(t.loop, &t.watch, opts);
    if (err == -ENOTSUP) SKIP("the kernel does not tell of changes");
    CHECK_EQ(err, 0);
    folder_put(&t.f, "d/a", "");
    CHECK_EQ(unlink(folder_path(&t.f, "d/a")), 0);
    CHECK_EQ(rmdir(opts.path), 0);
    CHECK_EQ(gy_loop_run(t.loop), 0);
    CHECK_STR(t.log, "0a;1a;6;");
    CHECK(!gy_fswatch_active(&t.watch));
    watched_end(&t);
}
