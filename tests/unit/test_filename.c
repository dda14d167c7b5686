/* SPDX-License-Identifier: ISC */
/* Names: making, changing, removing, and reading directories, straight on the sys floor. */
#include "files.h"

static gyi_sys sys;

TEST(filename, makes_and_removes) {
    folder f;
    folder_make(&f);
    const char *dir = folder_path(&f, "d"), *file = folder_put(&f, "a", "abc");
    CHECK_EQ(gyi_file_mkdir(&sys, dir, 0700), 0);
    CHECK_EQ(gyi_file_mkdir(&sys, dir, 0700), -EEXIST);
    CHECK_EQ(gyi_file_unlink(&sys, gyi_file_here, dir), -EISDIR);
    CHECK_EQ(gyi_file_rmdir(&sys, gyi_file_here, file), -ENOTDIR);
    CHECK_EQ(gyi_file_rmdir(&sys, gyi_file_here, dir), 0);
    CHECK_EQ(gyi_file_rmdir(&sys, gyi_file_here, dir), -ENOENT);
    CHECK_EQ(gyi_file_access(&sys, file, R_OK | W_OK), 0);
    CHECK_EQ(gyi_file_link(&sys, file, folder_path(&f, "b")), 0);
    CHECK_EQ(gyi_file_link(&sys, file, folder_path(&f, "b")), -EEXIST);
    CHECK_EQ(gyi_file_rename(&sys, gyi_file_here, file, folder_path(&f, "c")), 0);
    CHECK_EQ(gyi_file_access(&sys, file, 0), -ENOENT);
    CHECK(folder_has(&f, "b", "abc") && folder_has(&f, "c", "abc"));
    CHECK_EQ(gyi_file_unlink(&sys, gyi_file_here, folder_path(&f, "b")), 0);
    CHECK_EQ(gyi_file_unlink(&sys, gyi_file_here, folder_path(&f, "b")), -ENOENT);
    folder_remove(&f);
}

TEST(filename, links_say_what_they_were_told) {
    folder f;
    char text[8] = "";
    folder_make(&f);
    const char *link = folder_path(&f, "l");
    CHECK_EQ(gyi_file_symlink(&sys, "no/where", link), 0);
    CHECK_EQ(gyi_file_symlink(&sys, "no/where", link), -EEXIST);
    CHECK_EQ(gyi_file_readlink(&sys, link, text, 8), 8);
    CHECK_EQ(memcmp(text, "no/where", 8), 0);
    CHECK_EQ(gyi_file_readlink(&sys, f.path, text, 8), -EINVAL);
    char *real;
    CHECK_EQ(gyi_file_realpath(&sys, link, &real), -ENOENT);
    CHECK(real == NULL);
    CHECK_EQ(gyi_file_realpath(&sys, f.path, &real), 0);
    CHECK_STR(real, f.path);
    gyi_file_realpath_free(real);
    folder_remove(&f);
}

TEST(filename, temporary_names_are_new) {
    folder f;
    folder_make(&f);
    char file[600], dir[600], bad[] = "no-template";
    snprintf(file, sizeof file, "%s/f-XXXXXX", f.path);
    snprintf(dir, sizeof dir, "%s/d-XXXXXX", f.path);
    int fd = gyi_file_mkstemp(&sys, file);
    CHECK(fd >= 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
    CHECK_EQ(gyi_file_mkdtemp(&sys, dir), 0);
    CHECK_EQ(folder_count(&f), 2);
    CHECK_EQ(gyi_file_mkstemp(&sys, bad), -EINVAL);
    CHECK_EQ(gyi_file_mkdtemp(&sys, bad), -EINVAL);
    folder_remove(&f);
}

TEST(filename, directories_give_names_kinds_and_numbers) {
    folder f;
    folder_make(&f);
    folder_put(&f, "file", "");
    folder_dir(&f, "dir");
    CHECK_EQ(symlink("file", folder_path(&f, "link")), 0);
    CHECK_EQ(mkfifo(folder_path(&f, "fifo"), 0600), 0);
    int before = files_open(), kinds = 0;
    gyi_dir *dir;
    const gyi_dir_entry *entry;
    CHECK_EQ(gyi_dir_open(&sys, gyi_file_open_dir(&sys, gyi_file_here, f.path, GYI_FOLLOW), &dir), 0);
    while (gyi_dir_next(&sys, dir, &entry) == 0 && entry) {
        struct stat st;
        CHECK_EQ(fstatat(gyi_dir_fd(dir), gyi_dir_entry_name(entry), &st, AT_SYMLINK_NOFOLLOW), 0);
        CHECK_EQ(gyi_dir_entry_ino(entry), st.st_ino);
        gyi_file_kind kind = gyi_dir_entry_kind(entry);
        CHECK(kind == gyi_file_kind_of((uint32_t)st.st_mode) || kind == GYI_FILE_UNKNOWN);
        kinds++;
    }
    CHECK_EQ(kinds, 4);
    CHECK_EQ(gyi_dir_close(&sys, dir), 0);
    files_fail(2, -ENOMEM);
    int fd = gyi_file_open_dir(&sys, gyi_file_here, f.path, GYI_FOLLOW);
    CHECK_EQ(gyi_dir_open(&sys, fd, &dir), -ENOMEM);
    files_fail(0, 0);
    CHECK_EQ(files_open(), before);
    folder_remove(&f);
}
