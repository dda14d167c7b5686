/* SPDX-License-Identifier: ISC */
/* Batches of directory entries: each entry comes once, however small the batches and however long the names. */
#include "files.h"

static gyi_sys sys;

enum { DIR_FILES = 40 };

TEST(dir, every_entry_comes_once) {
    folder f;
    files_memory m = {.left = 1000};
    char name[256];
    folder_make(&f);
    for (int i = 0; i < DIR_FILES; i++) {
        memset(name, 'a' + i % 26, sizeof name);
        snprintf(name + 200, 50, "%d", i);
        folder_put(&f, name, "");
    }
    for (unsigned most = 0; most <= DIR_FILES; most += most < 3 ? 1 : 37) {
        bool seen[DIR_FILES] = {false};
        gy_fs_dir dir = {.user = NULL};
        gy_fs req = {.user = NULL};
        int total = 0;
        files_request(&req, &m, (gyi_fs_in){.path = f.path, .dir = &dir});
        CHECK_EQ(gyi_fs_opendir(&req, &sys), 0);
        do {
            files_request(&req, &m, (gyi_fs_in){.dir = &dir, .count = most});
            CHECK_EQ(gyi_fs_readdir(&req, &sys), 0);
            CHECK(!most || req.result <= most);
            for (int i = 0; i < req.result; i++) {
                int at = atoi(req.entries[i].name + 200);
                CHECK(!seen[at]);
                CHECK(req.entries[i].type == GY_FS_FILE || req.entries[i].type == GY_FS_UNKNOWN);
                seen[at] = true;
                total++;
            }
        } while (req.result);
        CHECK_EQ(total, DIR_FILES);
        CHECK(req.entries == NULL);
        CHECK_EQ(gyi_fs_closedir(&req, &sys), 0);
        CHECK(dir.priv.stream == NULL);
        CHECK_EQ(m.blocks, 0);
    }
    folder_remove(&f);
}

/* What was read before an error is handed out, and the error comes next. */
TEST(dir, an_error_is_not_lost) {
    folder f;
    files_memory m = {.left = 1000};
    gy_fs_dir dir = {.user = NULL};
    gy_fs req = {.user = NULL};
    folder_make(&f);
    folder_put(&f, "a", "");
    folder_put(&f, "b", "");
    files_request(&req, &m, (gyi_fs_in){.path = f.path, .dir = &dir});
    CHECK_EQ(gyi_fs_opendir(&req, &sys), 0);
    files_request(&req, &m, (gyi_fs_in){.dir = &dir});
    files_fail(2, -EIO);
    CHECK_EQ(gyi_fs_readdir(&req, &sys), 0);
    files_fail(0, 0);
    CHECK_EQ(req.result, 1);
    CHECK_EQ(gyi_fs_readdir(&req, &sys), -EIO);
    CHECK_EQ(gyi_fs_readdir(&req, &sys), 0);
    CHECK_EQ(req.result, 1);
    m.left = 0;
    CHECK_EQ(gyi_fs_readdir(&req, &sys), -ENOMEM);
    CHECK_EQ(gyi_fs_closedir(&req, &sys), 0);
    CHECK_EQ(m.blocks, 0);
    folder_remove(&f);
}

TEST(dir, only_directories_are_opened) {
    folder f;
    gy_fs_dir dir = {.user = NULL};
    gy_fs req = {.user = NULL};
    files_memory m = {.left = 1};
    folder_make(&f);
    files_request(&req, &m, (gyi_fs_in){.path = folder_put(&f, "a", ""), .dir = &dir});
    CHECK_EQ(gyi_fs_opendir(&req, &sys), -ENOTDIR);
    CHECK(dir.priv.stream == NULL);
    folder_remove(&f);
}
