/* SPDX-License-Identifier: ISC */
/* Moving inside the kernel, call by call: the bytes are right, offsets are kept apart from positions, and every way of
 * not being able is the same error. */
#include <poll.h>
#include <sys/socket.h>

#include "files.h"
#include "sys/move.h"

static gyi_sys sys;

static void shift_pipe(int ends[2]) {
    CHECK_EQ(pipe(ends), 0);
    for (int i = 0; i < 2; i++) CHECK_EQ(fcntl(ends[i], F_SETFL, O_NONBLOCK), 0);
}

TEST(move, sends_from_a_place_or_from_where_it_stands) {
    folder f;
    folder_make(&f);
    int from = open(folder_put(&f, "a", "abcdef"), O_RDONLY), ends[2];
    char got[8] = "";
    shift_pipe(ends);
    CHECK_EQ(gyi_move_send(&sys, from, 2, ends[1], 3), 3);
    CHECK_EQ(read(ends[0], got, sizeof got), 3);
    CHECK_EQ(memcmp(got, "cde", 3), 0);
    CHECK_EQ(lseek(from, 0, SEEK_CUR), 0);
    CHECK_EQ(gyi_move_send(&sys, from, -1, ends[1], 4), 4);
    CHECK_EQ(lseek(from, 0, SEEK_CUR), 4);
    CHECK_EQ(gyi_move_send(&sys, from, 6, ends[1], 4), 0);
    CHECK_EQ(gyi_move_send(&sys, ends[0], -1, from, 4), -ENOTSUP);
    files_fail(1, -EIO);
    CHECK_EQ(gyi_move_send(&sys, from, 0, ends[1], 4), -EIO);
    files_fail(0, 0);
    close(ends[0]);
    CHECK_EQ(gyi_move_send(&sys, from, 0, ends[1], 4), -EPIPE); /* and no signal */
    close(ends[1]);
    close(from);
    folder_remove(&f);
}

TEST(move, splices_and_says_who_waits) {
    int a[2], b[2], pair[2];
    char got[8];
    shift_pipe(a);
    shift_pipe(b);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_EQ(gyi_move_splice(&sys, a[0], b[1], 100), -EAGAIN);
    CHECK_EQ(gyi_move_ready(&sys, a[0], b[1]), GYI_MOVE_TO);
    CHECK_EQ(write(a[1], "abc", 3), 3);
    CHECK_EQ(gyi_move_ready(&sys, a[0], b[1]), GYI_MOVE_FROM + GYI_MOVE_TO);
    CHECK_EQ(gyi_move_splice(&sys, a[0], b[1], 100), 3);
    CHECK_EQ(gyi_move_splice(&sys, b[0], pair[0], 100), 3);
    CHECK_EQ(gyi_move_splice(&sys, pair[1], b[1], 2), 2);
    CHECK_EQ(read(b[0], got, sizeof got), 2);
    CHECK_EQ(memcmp(got, "ab", 2), 0);
    CHECK_EQ(gyi_move_splice(&sys, pair[0], pair[1], 2), -ENOTSUP);
    char block[4096] = "";
    while (write(b[1], block, sizeof block) > 0) continue;
    CHECK_EQ(write(a[1], "abc", 3), 3);
    CHECK_EQ(gyi_move_splice(&sys, a[0], b[1], 100), -EAGAIN);
    CHECK_EQ(gyi_move_ready(&sys, a[0], b[1]), GYI_MOVE_FROM);
    files_fail(1, -EIO);
    CHECK_EQ(gyi_move_ready(&sys, a[0], b[1]), -EIO);
    files_fail(0, 0);
    close(a[1]);
    CHECK_EQ(gyi_move_splice(&sys, a[0], pair[0], 100), 3);
    CHECK_EQ(gyi_move_splice(&sys, a[0], pair[0], 100), 0);
    close(a[0]);
    for (int i = 0; i < 2; i++) close(b[i]), close(pair[i]);
}

TEST(move, copies_between_places) {
    folder f;
    folder_make(&f);
    int from = open(folder_put(&f, "a", "abcdef"), O_RDONLY), to = open(folder_put(&f, "b", "......"), O_WRONLY);
    int more = open(folder_path(&f, "b"), O_WRONLY | O_APPEND);
    int64_t n = gyi_move_copy(&sys, from, 1, to, 2, 3);
    if (n != -ENOTSUP) {
        CHECK_EQ(n, 3);
        CHECK(folder_has(&f, "b", "..bcd."));
        CHECK_EQ(lseek(to, 0, SEEK_CUR), 0);
        CHECK_EQ(gyi_move_copy(&sys, from, -1, to, -1, 1), 1);
        CHECK(folder_has(&f, "b", "a.bcd."));
        CHECK_EQ(gyi_move_copy(&sys, from, 6, to, 0, 3), 0);
    }
    CHECK_EQ(gyi_move_copy(&sys, from, 1, more, 2, 3), -ENOTSUP);
    close(from);
    close(to);
    close(more);
    folder_remove(&f);
}

TEST(move, knows_what_is_in_memory_or_says_nothing) {
    folder f;
    int ends[2];
    folder_make(&f);
    int fd = open(folder_put(&f, "a", "abcdef"), O_RDONLY);
    size_t n = gyi_move_cached(&sys, fd, 2, 100);
    CHECK(n == 4 || n == 0); /* just written; 0 where the kernel cannot tell */
    CHECK_EQ(gyi_move_cached(&sys, fd, 6, 100), 100);
    CHECK_EQ(gyi_move_cached(&sys, fd, -1, 100), 0);
    CHECK_EQ(gyi_move_cached(&sys, fd, 0, 0), 0);
    for (int i = 1; n && i < 4; i++) {
        files_fail(i, -EIO);
        CHECK_EQ(gyi_move_cached(&sys, fd, 2, 100), 0);
    }
    files_fail(0, 0);
    shift_pipe(ends);
    CHECK_EQ(gyi_move_cached(&sys, ends[0], 0, 100), 0);
    close(ends[0]);
    close(ends[1]);
    close(fd);
    folder_remove(&f);
}
