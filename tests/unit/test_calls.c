/* SPDX-License-Identifier: ISC */
/* What the public functions refuse at once beyond what every operation refuses. */
#include "files.h"

static int calls_told;

static void calls_note(gy_fs *req, int err) {
    (void)req, (void)err;
    calls_told++;
}

TEST(calls, refuse_bad_arguments) {
    gy_loop *loop;
    gy_fs req = {.user = NULL};
    gy_fs_dir dir = {.user = NULL};
    char page[8];
    gy_buf none[2] = {{NULL, 0}, {page, 0}};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    CHECK_EQ(gy_fs_read(loop, &req, (gy_fs_read_opts){.fd = 0}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_read(loop, &req, (gy_fs_read_opts){.bufs = none, .count = 2}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_read(loop, &req, (gy_fs_read_opts){.buf = GY_BUF(page), .count = 2}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_read(loop, &req, (gy_fs_read_opts){.buf = GY_BUF(page), .at = -2}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_write(loop, &req, (gy_fs_write_opts){.count = 1}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_close(loop, &req, -1, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_truncate(loop, &req, (gy_fs_truncate_opts){.fd = 0, .size = -1}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_sendfile(loop, &req, (gy_fs_sendfile_opts){.at = -1}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_chmod(loop, &req, (gy_fs_mode_opts){.path = "x", .mode = 010000}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_rename(loop, &req, (gy_fs_pair_opts){.from = "x"}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_copyfile(loop, &req, (gy_fs_copyfile_opts){"x", "y", 8}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_walk(loop, &req, (gy_fs_walk_opts){.path = "x"}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_opendir(loop, &req, (gy_fs_opendir_opts){.path = "/"}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_readdir(loop, &req, (gy_fs_readdir_opts){.dir = &dir}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_readdir(loop, &req, (gy_fs_readdir_opts){.dir = &dir, .most = 65537}, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_closedir(loop, &req, &dir, calls_note), -EINVAL);
    CHECK_EQ(gy_fs_closedir(loop, &req, NULL, calls_note), -EINVAL);
    CHECK(!gy_loop_alive(loop));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(calls_told, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(calls, one_operation_at_a_time) {
    gy_loop *loop;
    gy_fs req = {.user = NULL}, other = {.user = NULL};
    gy_fs_dir dir = {.user = NULL};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    CHECK_EQ(gy_fs_opendir(loop, &req, (gy_fs_opendir_opts){.path = "/", .dir = &dir}, calls_note), 0);
    CHECK_EQ(gy_fs_stat(loop, &req, "/", calls_note), -EALREADY);
    CHECK_EQ(gy_fs_opendir(loop, &other, (gy_fs_opendir_opts){.path = "/", .dir = &dir}, calls_note), -EALREADY);
    CHECK_EQ(gy_fs_readdir(loop, &other, (gy_fs_readdir_opts){.dir = &dir}, calls_note), -EALREADY);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_fs_opendir(loop, &other, (gy_fs_opendir_opts){.path = "/", .dir = &dir}, calls_note), -EALREADY);
    CHECK_EQ(gy_fs_closedir(loop, &other, &dir, calls_note), 0);
    CHECK_EQ(gy_fs_readdir(loop, &req, (gy_fs_readdir_opts){.dir = &dir}, calls_note), -EALREADY);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(calls_told, 2);
    CHECK_EQ(gy_loop_free(loop), 0);
}
