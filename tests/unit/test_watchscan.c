/* SPDX-License-Identifier: ISC */
/* Comparing lists of names: what is found without any event, by marking the directory. */
#include "watchers.h"

/* A watcher by kqueue beside what watched_begin() has started. */
static bool scan_begin(watched *t) {
    watched_begin(t, 0);
    folder_dir(&t->f, "d");
    folder_put(&t->f, "d/a", "");
    folder_put(&t->f, "b", "");
    t->w->flags |= GYI_WATCHER_RECURSIVE;
    int err = gyi_watcher_vnode(t->w);
    CHECK(err == 0 || err == -ENOTSUP);
    return err == 0;
}

static void scan_told(watched *t, const char *expected) {
    for (int i = 0; i < 20; i++) CHECK(gy_loop_step(t->loop, GY_STEP_POLL) >= 0);
    CHECK_STR(t->log, expected);
    t->log[0] = 0;
}

TEST(watchscan, marked_directories) {
    watched t;
    if (!scan_begin(&t)) {
        watched_end(&t);
        SKIP("there is no kqueue");
    }
    gyi_watcher *w = t.w;
    CHECK_EQ(w->names.count, 4);
    CHECK_EQ(gyi_nodes_scan(w, GYI_TREE_NEW), 0); /* nothing is marked */
    scan_told(&t, "");
    gyi_watch_stop(w->loop, &w->watch); /* from here on only what is marked counts */
    CHECK_EQ(rename(folder_path(&t.f, "b"), folder_path(&t.f, "d/c")), 0);
    CHECK_EQ(unlink(folder_path(&t.f, "d/a")), 0);
    gyi_node *d = gyi_node_find(w, w->top, "d");
    CHECK(d != NULL);
    gyi_node_mark(w, d, GYI_NODE_SCAN);
    gyi_node_mark(w, w->top, GYI_NODE_SCAN);
    CHECK_EQ(gyi_nodes_scan(w, GYI_TREE_NEW), 0);
    scan_told(&t, "4d/c;1d/a;");
    CHECK_EQ(w->names.count, 3);
    folder_put(&t.f, "d/n", "");
    gyi_node_mark(w, d, GYI_VNODE_WRITTEN);
    CHECK_EQ(gyi_nodes_scan(w, GYI_TREE_OLD), 0); /* known from now on, but no news */
    scan_told(&t, "");
    gyi_node_tell(w, d, GY_FSWATCH_ATTRIBUTES, 0);
    scan_told(&t, "3d;");
    watched_end(&t);
}
