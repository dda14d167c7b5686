/* SPDX-License-Identifier: ISC */
/* Copying inside the kernel: the bytes are right where it works, and every way of not being able is the same error. */
#include "files.h"

static gyi_sys sys;

TEST(filecopy, moves_bytes_or_says_that_it_cannot) {
    folder f;
    folder_make(&f);
    int from = open(folder_put(&f, "a", "abcdef"), O_RDONLY);
    int to = open(folder_put(&f, "b", ""), O_WRONLY), pipes[2];
    char got[8] = "";
    CHECK_EQ(pipe(pipes), 0);
    int64_t n = gyi_file_copy_range(&sys, from, to, 100);
    if (n != -ENOTSUP) {
        CHECK_EQ(n, 6);
        CHECK(folder_has(&f, "b", "abcdef"));
        CHECK_EQ(gyi_file_copy_range(&sys, from, to, 100), 0);
    }
    CHECK_EQ(gyi_file_copy_range(&sys, from, pipes[1], 100), -ENOTSUP);
    n = gyi_file_send(&sys, from, pipes[1], 2, 3);
    if (n != -ENOTSUP) {
        CHECK_EQ(n, 3);
        CHECK_EQ(read(pipes[0], got, sizeof got), 3);
        CHECK_STR(got, "cde");
    }
    CHECK_EQ(gyi_file_clone(&sys, from, pipes[1]) < 0, 1);
    files_fail(1, -EIO);
    n = gyi_file_copy_range(&sys, from, to, 100);
    files_fail(0, 0);
    CHECK(n == -EIO || n == -ENOTSUP);
    close(from);
    close(to);
    close(pipes[0]);
    close(pipes[1]);
    folder_remove(&f);
}
