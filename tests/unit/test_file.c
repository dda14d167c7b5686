/* SPDX-License-Identifier: ISC */
/* Descriptors of files: opening, bytes at offsets and at the position, sizes, and closing that always closes. */
#include "files.h"

static gyi_sys sys;

TEST(file, opens_close_on_exec_and_tells_why_not) {
    folder f;
    folder_make(&f);
    const char *path = folder_put(&f, "a", "abc");
    int fd = gyi_file_open(&sys, gyi_file_here, path, O_RDONLY, 0);
    CHECK(fd >= 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK_EQ(gyi_file_close(&sys, fd), 0);
    CHECK_EQ(gyi_file_close(&sys, fd), -EBADF);
    CHECK_EQ(gyi_file_open(&sys, gyi_file_here, folder_path(&f, "none"), O_RDONLY, 0), -ENOENT);
    CHECK_EQ(gyi_file_open(&sys, gyi_file_here, f.path, O_WRONLY, 0), -EISDIR);
    CHECK_EQ(gyi_file_create(&sys, gyi_file_here, path, 0600), -EEXIST);
    CHECK_EQ(gyi_file_open_dir(&sys, gyi_file_here, path, GYI_FOLLOW), -ENOTDIR);
    CHECK_EQ(symlink(f.path, folder_path(&f, "link")), 0);
    int err = gyi_file_open_dir(&sys, gyi_file_here, folder_path(&f, "link"), GYI_NOFOLLOW);
    CHECK(err == -ENOTDIR || err == -ELOOP);
    fd = gyi_file_open_dir(&sys, gyi_file_here, folder_path(&f, "link"), GYI_FOLLOW);
    CHECK(fd >= 0);
    CHECK_EQ(gyi_file_close(&sys, fd), 0);
    folder_remove(&f);
}

TEST(file, reads_and_writes_at_offsets_and_at_the_position) {
    folder f;
    char one[4] = "", two[4] = "";
    folder_make(&f);
    int fd = gyi_file_open(&sys, gyi_file_here, folder_path(&f, "a"), O_RDWR | O_CREAT, 0600);
    gy_buf parts[4] = {{NULL, 0}, {(char[]){"abc"}, 3}, {NULL, 0}, {(char[]){"def"}, 3}};
    gy_buf into[2] = {{one, 3}, {two, 3}};
    int64_t done;
    CHECK_EQ(gyi_file_write_all(&sys, fd, parts, 4, 0, &done), 0);
    CHECK_EQ(done, 6);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQ(gyi_file_read(&sys, fd, into, 1, -1), 3);
    CHECK_EQ(gyi_file_read(&sys, fd, &into[1], 1, 2), 3);
    CHECK_STR(one, "abc");
    CHECK_STR(two, "cde");
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
    CHECK_EQ(gyi_file_write_all(&sys, fd, parts, 4, -1, &done), 0);
    CHECK(folder_has(&f, "a", "abcabcdef"));
    CHECK_EQ(gyi_file_read(&sys, fd, into, 2, 100), 0);
    CHECK_EQ(gyi_file_sync(&sys, fd), 0);
    CHECK_EQ(gyi_file_datasync(&sys, fd), 0);
    CHECK_EQ(gyi_file_ftruncate(&sys, fd, 2), 0);
    CHECK(folder_has(&f, "a", "ab"));
    CHECK_EQ(gyi_file_truncate(&sys, folder_path(&f, "a"), 1), 0);
    CHECK(folder_has(&f, "a", "a"));
    CHECK_EQ(gyi_file_close(&sys, fd), 0);
    folder_remove(&f);
}

/* More buffers than a system takes at once, of which only the last has room. */
TEST(file, nothing_read_is_the_end_and_nothing_else) {
    enum { MANY = 1500 };
    static gy_buf into[MANY];
    folder f;
    char got[8] = "";
    folder_make(&f);
    int fd = gyi_file_open(&sys, gyi_file_here, folder_put(&f, "a", "abc"), O_RDONLY, 0);
    CHECK(fd >= 0);
    into[MANY - 1] = GY_BUF(got);
    CHECK_EQ(gyi_file_read(&sys, fd, into, MANY, 0), 3);
    CHECK_EQ(gyi_file_read(&sys, fd, into, MANY, -1), 3);
    CHECK_STR(got, "abc");
    CHECK_EQ(gyi_file_read(&sys, fd, into, MANY, -1), 0);
    CHECK_EQ(gyi_file_close(&sys, fd), 0);
    folder_remove(&f);
}

/* A pipe takes a part when it is nearly full, so the rest of a buffer has to be written by itself. */
TEST(file, goes_on_after_a_short_write) {
    enum { EACH = 50000 };
    static char bytes[2][EACH], got[2 * EACH];
    int ends[2], at = 0;
    int64_t done;
    for (int i = 0; i < EACH; i++) bytes[0][i] = (char)i, bytes[1][i] = (char)(i * 7 + 1);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    gy_buf parts[2] = {GY_BUF(bytes[0]), GY_BUF(bytes[1])};
    CHECK_EQ(gyi_file_write_all(&sys, ends[1], parts, 2, -1, &done), -EAGAIN);
    CHECK(done > 0 && done < 2 * EACH);
    CHECK_EQ(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    for (ssize_t n; (n = read(ends[0], got + at, sizeof got - (size_t)at)) > 0;) at += (int)n;
    CHECK_EQ(at, done);
    CHECK_EQ(memcmp(got, bytes[0], EACH), 0);
    CHECK_EQ(memcmp(got + EACH, bytes[1], (size_t)(at - EACH)), 0);
    close(ends[0]);
    close(ends[1]);
}

TEST(file, a_failing_close_has_closed) {
    int before = files_open(), fd = dup(0);
    files_fail(1, -EIO);
    CHECK_EQ(gyi_file_close(&sys, fd), -EIO);
    files_fail(0, 0);
    CHECK_EQ(files_open(), before);
}
