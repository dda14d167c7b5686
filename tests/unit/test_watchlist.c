/* SPDX-License-Identifier: ISC */
/* Reading a directory's names, and comparing two looks at a file. */
#include "watchers.h"

typedef struct names {
    char text[64];
    int err;
} names;

static int names_add(gyi_watcher *w, void *ctx, const gyi_found *found) {
    names *n = ctx;
    (void)w;
    strcat(n->text, found->name);
    return n->err;
}

TEST(watchlist, names) {
    watched t;
    names n = {.err = 0};
    gyi_stat st;
    watched_begin(&t, 0);
    CHECK_EQ(gyi_watcher_list(t.w, "", NULL, names_add, &n), 0);
    CHECK_STR(n.text, "");
    folder_dir(&t.f, "d");
    folder_put(&t.f, "d/one", "");
    CHECK_EQ(gyi_watcher_list(t.w, "d", NULL, names_add, &n), 0);
    CHECK_STR(n.text, "one");
    n.err = -ENOMEM;
    CHECK_EQ(gyi_watcher_list(t.w, "d", NULL, names_add, &n), -ENOMEM);
    CHECK_EQ(gyi_watcher_list(t.w, "e", NULL, names_add, &n), -ENOENT);
    CHECK_EQ(gyi_file_stat(&t.loop->sys, gyi_file_here, t.f.path, GYI_FOLLOW, &st), 0);
    n.err = 0;
    CHECK_EQ(gyi_watcher_list(t.w, "", &st, names_add, &n), 0);
    CHECK_EQ(gyi_watcher_list(t.w, "d", &st, names_add, &n), -ENOENT); /* another directory than was meant */
    CHECK(gyi_watcher_absent(-ENOENT) && gyi_watcher_absent(-ENOTDIR) && !gyi_watcher_absent(-EACCES));
    watched_end(&t);
}

TEST(watchlist, differences) {
    gyi_stat last = {.mode = S_IFREG | 0644, .size = 3, .nlink = 1};
    gy_fs_info now = {.type = GY_FS_FILE, .mode = 0644, .size = 3, .nlink = 1};
    CHECK_EQ(gyi_watcher_differs(&last, &now), GYI_DIFFERS_NOT);
    now.mode = 0600;
    CHECK_EQ(gyi_watcher_differs(&last, &now), GYI_DIFFERS_ATTRIBUTES);
    CHECK_EQ(gyi_watcher_differs(&last, &now), GYI_DIFFERS_NOT);
    now.size = 4;
    CHECK_EQ(gyi_watcher_differs(&last, &now), GYI_DIFFERS_CONTENT);
    now.type = GY_FS_DIR;
    CHECK_EQ(gyi_watcher_differs(&last, &now), GYI_DIFFERS_KIND);
}
