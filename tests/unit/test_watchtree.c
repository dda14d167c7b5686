/* SPDX-License-Identifier: ISC */
/* The array of directories: paths, moves, and what is forgotten. */
#include "watchers.h"

TEST(watchtree, paths) {
    watched t;
    watched_begin(&t, 0);
    CHECK_STR(gyi_tree_join(t.w, "", ""), t.f.path);
    CHECK_STR(gyi_tree_join(t.w, "", "a"), folder_path(&t.f, "a"));
    CHECK_STR(gyi_tree_join(t.w, "d/e", "a"), folder_path(&t.f, "d/e/a"));
    watched_end(&t);
}

TEST(watchtree, moved_and_forgotten) {
    watched t;
    watched_begin(&t, 0);
    gyi_watcher *w = t.w;
    int err = gyi_watcher_kernel(w);
    if (err == -ENOTSUP) SKIP("the kernel does not tell of changes");
    CHECK_EQ(err, 0);
    folder_dir(&t.f, "d");
    folder_dir(&t.f, "d/e");
    folder_dir(&t.f, "da");
    int d = gyi_tree_add(w, "", "d"), e = gyi_tree_add(w, "d", "e"), da = gyi_tree_add(w, "", "da");
    CHECK(d >= 0 && e >= 0 && da >= 0 && w->count == 4);
    CHECK_EQ(gyi_tree_add(w, "d", "e"), e);
    CHECK_EQ(gyi_tree_move(w, "d", "much/longer"), 0);
    CHECK_STR(gyi_tree_find(w, d)->path, "much/longer");
    CHECK_STR(gyi_tree_find(w, e)->path, "much/longer/e");
    CHECK_STR(gyi_tree_find(w, da)->path, "da");
    gyi_tree_forget(w, "much/longer");
    CHECK(w->count == 2 && !gyi_tree_find(w, d) && !gyi_tree_find(w, e) && gyi_tree_find(w, da));
    gyi_tree_drop(w, da);
    CHECK_EQ(w->count, 1);
    watched_end(&t);
}
