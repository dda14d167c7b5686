/* SPDX-License-Identifier: ISC */
/* The request machinery: what is refused at once, what a request holds, and how long. */
#include "files.h"

static gyi_sys sys;
static int fs_calls, fs_err;

static void fs_note(gy_fs *req, int err) {
    (void)req;
    fs_calls++;
    fs_err = err;
}

/* Whether any bits may be set: they are the system's, or a group is in their place. */
static bool fs_any_flags(int op) {
    return op == GYI_FS_OPEN || op == GYI_FS_CHOWN || op == GYI_FS_FCHOWN || op == GYI_FS_LCHOWN;
}

TEST(fs, every_row_refuses_what_it_cannot_do_without) {
    gy_loop *loop;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    for (int op = 0; op < GYI_FS_OPS; op++) {
        gy_fs req = {.user = NULL};
        gy_fs_dir dir = {.user = NULL};
        gyi_fs_in none = {.fd = -1}, some = {.path = "x", .dir = &dir};
        CHECK_EQ(gyi_fs_start(loop, &req, (gyi_fs_op)op, &none, fs_note), -EINVAL);
        CHECK_EQ(gyi_fs_start(loop, &req, (gyi_fs_op)op, &some, NULL), -EINVAL);
        if (fs_any_flags(op)) continue;
        some.flags = 1u << 20;
        CHECK_EQ(gyi_fs_start(loop, &req, (gyi_fs_op)op, &some, fs_note), -EINVAL);
        CHECK_EQ(gy_fs_cancel(&req), -EALREADY);
    }
    CHECK(!gy_loop_alive(loop));
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(fs, holds_one_block_until_it_is_dropped) {
    files_memory m = {.left = 3};
    gy_fs req = {.user = NULL};
    files_request(&req, &m, (gyi_fs_in){.fd = 0});
    CHECK(gyi_fs_hold(&req, 10) != NULL);
    CHECK(gyi_fs_hold(&req, 20) != NULL);
    CHECK_EQ(m.blocks, 1);
    gyi_fs_drop(&req);
    gyi_fs_drop(&req);
    CHECK_EQ(m.blocks, 0);
    CHECK(gyi_fs_hold(&req, 10) != NULL);
    gy_fs_release(&req);
    CHECK_EQ(m.blocks, 0);
    CHECK(gyi_fs_hold(&req, 10) == NULL);
    gy_fs_release(&req);
    CHECK_EQ(sys.count[GYI_SYS_FILE], 0);
}

/* The path of the second operation is the result of the first. */
TEST(fs, the_last_text_may_be_the_next_path) {
    folder f;
    gy_loop *loop;
    files_memory m = {.left = 1000};
    gy_fs req = {.user = NULL};
    folder_make(&f);
    CHECK_EQ(symlink(folder_put(&f, "a", "abc"), folder_path(&f, "l")), 0);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.alloc = {files_alloc, files_free, &m}}), 0);
    CHECK_EQ(gy_fs_readlink(loop, &req, folder_path(&f, "l"), fs_note), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(req.text, folder_path(&f, "a"));
    CHECK_EQ(gy_fs_read_file(loop, &req, (gy_fs_read_file_opts){.path = req.text}, fs_note), 0);
    CHECK(req.text == NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(fs_calls, 2);
    CHECK_EQ(fs_err, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_STR(req.data.base, "abc");
    CHECK_EQ(m.blocks, 1);
    gy_fs_release(&req);
    CHECK_EQ(m.blocks, 0);
    folder_remove(&f);
}

TEST(fs, a_failed_stat_leaves_nothing_of_the_one_before) {
    folder f;
    gy_loop *loop;
    gy_fs req = {.user = NULL};
    folder_make(&f);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    CHECK_EQ(gy_fs_stat(loop, &req, folder_put(&f, "a", "abc"), fs_note), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(fs_err, 0);
    CHECK_EQ(req.info.type, GY_FS_FILE);
    CHECK_EQ(req.info.size, 3);
    CHECK_EQ(gy_fs_stat(loop, &req, folder_path(&f, "b"), fs_note), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(fs_err, -ENOENT);
    CHECK_EQ(req.info.type, GY_FS_UNKNOWN);
    CHECK_EQ(req.info.size, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    folder_remove(&f);
}
