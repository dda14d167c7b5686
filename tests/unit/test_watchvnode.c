/* SPDX-License-Identifier: ISC */
/* The queue of a watcher: what is left when starting fails, and a queue that fails later. */
#include "refuse.h"
#include "watchers.h"

TEST(watchvnode, every_failure_of_the_start) {
    for (int nth = 1; nth < 30; nth++) {
        watched t;
        watched_begin(&t, 0);
        folder_dir(&t.f, "d");
        t.w->flags |= GYI_WATCHER_RECURSIVE;
        int before = files_open();
        files_fail(nth, -ENOMEM);
        int err = gyi_watcher_vnode(t.w);
        int calls = atomic_load(&files_calls);
        files_fail(0, 0);
        CHECK(err == 0 || err == -ENOMEM || err == -ENOTSUP);
        gyi_watcher_vnode_end(t.w);
        gyi_watcher_kernel_end(t.w);
        CHECK_EQ(files_open(), before);
        watched_end(&t);
        if (err == -ENOTSUP) SKIP("there is no kqueue");
        if (calls < nth) return;
    }
    CHECK_FAIL("there were more than %d calls", 30);
}

TEST(watchvnode, reading_fails) {
    watched t;
    watched_begin(&t, 0);
    int err = gyi_watcher_vnode(t.w);
    if (err == -ENOTSUP) {
        watched_end(&t);
        SKIP("there is no kqueue");
    }
    CHECK_EQ(err, 0);
    folder_put(&t.f, "a", "");
    refuse(GYI_SYS_NOTIFY, -EIO);
    for (int i = 0; i < 1000 && !t.calls; i++) CHECK(gy_loop_step(t.loop, GY_STEP_POLL) >= 0);
    refuse_nothing();
    CHECK_STR(t.log, "6;");
    CHECK_EQ(t.err, -EIO);
    watched_end(&t);
}
