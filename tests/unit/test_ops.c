/* SPDX-License-Identifier: ISC */
/* The small operations in the test's own thread: their defaults, and the memory of those that return text. */
#include "files.h"

static gyi_sys sys;

TEST(ops, links_of_any_length_are_read) {
    folder f;
    files_memory m = {.left = 1000};
    gy_fs req = {.user = NULL};
    char says[1025];
    folder_make(&f);
    const char *link = folder_path(&f, "l");
    for (size_t len = 1; len < sizeof says; len += len < 254 || len > 258 ? 127 : 1) {
        memset(says, 'x', len);
        says[len] = 0;
        CHECK_EQ(symlink(says, link), 0);
        files_request(&req, &m, (gyi_fs_in){.path = link});
        CHECK_EQ(gyi_fs_readlink(&req, &sys), 0);
        CHECK_EQ(req.result, len);
        CHECK_STR(req.text, says);
        CHECK_EQ(unlink(link), 0);
    }
    gy_fs_release(&req);
    CHECK(req.text == NULL);
    CHECK_EQ(m.blocks, 0);
    folder_remove(&f);
}

TEST(ops, texts_without_memory_or_file_hold_nothing) {
    folder f;
    folder_make(&f);
    int before = files_open();
    gyi_fs_run_fn *const run[] = {gyi_fs_readlink, gyi_fs_realpath, gyi_fs_mkdtemp, gyi_fs_mkstemp};
    for (size_t i = 0; i < 4; i++) {
        files_memory m = {.left = 0};
        gy_fs req = {.user = NULL};
        files_request(&req, &m, (gyi_fs_in){.path = f.path});
        CHECK_EQ(run[i](&req, &sys), -ENOMEM);
        m.left = 10;
        files_request(&req, &m, (gyi_fs_in){.path = folder_path(&f, "none/none")});
        CHECK(run[i](&req, &sys) < 0);
        CHECK(req.text == NULL && req.result == 0);
        CHECK_EQ(m.blocks, 0);
    }
    CHECK_EQ(files_open(), before);
    CHECK_EQ(folder_count(&f), 0);
    folder_remove(&f);
}

TEST(ops, modes_have_defaults) {
    folder f;
    struct stat st;
    files_memory m = {.left = 10};
    gy_fs req = {.user = NULL};
    folder_make(&f);
    mode_t mask = umask(027);
    files_request(&req, &m, (gyi_fs_in){.path = folder_path(&f, "a"), .flags = O_CREAT | O_WRONLY});
    CHECK_EQ(gyi_fs_open(&req, &sys), 0);
    CHECK_EQ(fstat((int)req.result, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0640);
    close((int)req.result);
    files_request(&req, &m, (gyi_fs_in){.path = folder_path(&f, "d")});
    CHECK_EQ(gyi_fs_mkdir(&req, &sys), 0);
    CHECK_EQ(stat(folder_path(&f, "d"), &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0750);
    umask(mask);
    folder_remove(&f);
}
