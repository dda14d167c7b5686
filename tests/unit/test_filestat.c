/* SPDX-License-Identifier: ISC */
/* What is known about files, compared with what the C library says, and what can be set. */
#include "files.h"

static gyi_sys sys;

TEST(filestat, agrees_with_the_system) {
    folder f;
    struct stat st;
    gyi_stat got, open_one;
    memset(&got, 0, sizeof got); /* for comparing the padding too */
    memset(&open_one, 0, sizeof open_one);
    folder_make(&f);
    const char *path = folder_put(&f, "a", "abc");
    int fd = open(path, O_RDONLY);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(gyi_file_stat(&sys, gyi_file_here, path, GYI_FOLLOW, &got), 0);
    CHECK_EQ(gyi_file_fstat(&sys, fd, &open_one), 0);
    CHECK_EQ(memcmp(&got, &open_one, sizeof got), 0);
    CHECK(got.dev == (uint64_t)st.st_dev && got.ino == st.st_ino && got.nlink == 1);
    CHECK(got.size == 3 && got.mode == st.st_mode && got.uid == st.st_uid && got.gid == st.st_gid);
    CHECK_EQ(got.blocks, st.st_blocks);
    CHECK(got.mtime > 0 && got.birth != 0);
    CHECK(got.birth == INT64_MIN || got.birth <= got.ctime);
    close(fd);
    CHECK_EQ(gyi_file_stat(&sys, gyi_file_here, folder_path(&f, "b"), GYI_FOLLOW, &got), -ENOENT);
    CHECK_EQ(gyi_file_fstat(&sys, fd, &got), -EBADF);
    CHECK_EQ(gyi_file_stat(&sys, gyi_file_here, "/dev/null", GYI_FOLLOW, &got), 0);
    CHECK_EQ(gyi_file_kind_of(got.mode), GYI_FILE_CHAR);
    CHECK(got.rdev != 0);
    folder_remove(&f);
}

TEST(filestat, without_statx_only_the_birth_is_missing) {
    folder f;
    gyi_stat with, without;
    memset(&with, 0, sizeof with);
    memset(&without, 0, sizeof without);
    folder_make(&f);
    const char *path = folder_put(&f, "a", "abc");
    CHECK_EQ(gyi_file_stat(&sys, gyi_file_here, path, GYI_FOLLOW, &with), 0);
    files_fail(1, -ENOSYS);
    int err = gyi_file_stat(&sys, gyi_file_here, path, GYI_FOLLOW, &without);
    files_fail(0, 0);
    if (err == -ENOSYS) SKIP("this system has one way to ask only");
    CHECK_EQ(err, 0);
    CHECK_EQ(without.birth, INT64_MIN);
    without.birth = with.birth;
    CHECK_EQ(memcmp(&with, &without, sizeof with), 0);
    folder_remove(&f);
}

TEST(filestat, sets_times_modes_and_owners) {
    folder f;
    gyi_stat got;
    folder_make(&f);
    const char *path = folder_put(&f, "a", "abc"), *link = folder_path(&f, "l");
    int fd = open(path, O_RDWR);
    CHECK_EQ(symlink("a", link), 0);
    CHECK_EQ(gyi_file_utime(&sys, path, GYI_FOLLOW, GY_S(5) + 7, -GY_MS(1500)), 0);
    CHECK_EQ(gyi_file_utime(&sys, link, GYI_NOFOLLOW, 0, GY_S(9)), 0);
    CHECK_EQ(gyi_file_stat(&sys, gyi_file_here, link, GYI_NOFOLLOW, &got), 0);
    CHECK_EQ(got.mtime, GY_S(9));
    CHECK_EQ(gyi_file_stat(&sys, gyi_file_here, path, GYI_FOLLOW, &got), 0);
    CHECK_EQ(got.atime, GY_S(5) + 7);
    CHECK_EQ(got.mtime, -GY_MS(1500));
    CHECK_EQ(gyi_file_futime(&sys, fd, GY_FS_KEEP, GY_FS_NOW), 0);
    CHECK_EQ(gyi_file_fstat(&sys, fd, &got), 0);
    CHECK(got.atime == GY_S(5) + 7 && got.mtime > GY_S(1000000000));
    CHECK_EQ(gyi_file_fchmod(&sys, fd, 0600), 0);
    CHECK_EQ(gyi_file_chmod(&sys, path, 0640), 0);
    CHECK_EQ(gyi_file_fchown(&sys, fd, getuid(), GY_FS_SAME_ID), 0);
    CHECK_EQ(gyi_file_chown(&sys, link, GYI_NOFOLLOW, GY_FS_SAME_ID, getgid()), 0);
    CHECK_EQ(gyi_file_fstat(&sys, fd, &got), 0);
    CHECK(got.uid == getuid() && got.gid == getgid() && (got.mode & 07777) == 0640);
    CHECK_EQ(gyi_file_chmod(&sys, folder_path(&f, "b"), 0640), -ENOENT);
    CHECK_EQ(gyi_file_chown(&sys, folder_path(&f, "b"), GYI_FOLLOW, 0, 0), -ENOENT);
    CHECK_EQ(gyi_file_utime(&sys, folder_path(&f, "b"), GYI_FOLLOW, 0, 0), -ENOENT);
    close(fd);
    CHECK_EQ(gyi_file_fchmod(&sys, fd, 0600), -EBADF);
    CHECK_EQ(gyi_file_fchown(&sys, fd, 0, 0), -EBADF);
    CHECK_EQ(gyi_file_futime(&sys, fd, 0, 0), -EBADF);
    folder_remove(&f);
}

TEST(filestat, tells_the_room) {
    gyi_statfs room;
    CHECK_EQ(gyi_file_statfs(&sys, "/", &room), 0);
    CHECK(room.block_size >= 512 && room.blocks >= room.free && room.free >= room.available && room.name_max >= 14);
    CHECK_EQ(gyi_file_statfs(&sys, "/no/where", &room), -ENOENT);
}
