/* SPDX-License-Identifier: ISC */
/* Names of files: making, changing and removing them, and reading the directories that they stand in. */
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h> /* renameat() is declared there; nothing else of it is used */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/filecall.h"

int gyi_file_access(gyi_sys *sys, const char *path, unsigned mode) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, access(path, (int)mode));
}

static int filename_unlink(gyi_sys *sys, int dir, const char *path, int flags) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, unlinkat(dir, path, flags));
}

/* POSIX has unlink() answer EPERM for a directory, Linux EISDIR; but EPERM also means what it says. */
int gyi_file_unlink(gyi_sys *sys, int dir, const char *path) {
    int err = filename_unlink(sys, dir, path, 0);
    if (err != -EPERM) return err;
    gyi_stat st;
    return !gyi_file_stat(sys, dir, path, GYI_NOFOLLOW, &st) && S_ISDIR(st.mode) ? -EISDIR : -EPERM;
}

int gyi_file_rmdir(gyi_sys *sys, int dir, const char *path) { return filename_unlink(sys, dir, path, AT_REMOVEDIR); }

int gyi_file_mkdir(gyi_sys *sys, const char *path, unsigned mode) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, mkdir(path, (mode_t)mode));
}

int gyi_file_rename(gyi_sys *sys, int dir, const char *from, const char *to) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, renameat(dir, from, dir, to));
}

/* Without AT_SYMLINK_FOLLOW a link to a symbolic link is one on every system; POSIX leaves link() open. */
int gyi_file_link(gyi_sys *sys, const char *from, const char *to) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, linkat(AT_FDCWD, from, AT_FDCWD, to, 0));
}

int gyi_file_symlink(gyi_sys *sys, const char *says, const char *to) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, symlink(says, to));
}

int64_t gyi_file_readlink(gyi_sys *sys, const char *path, char *to, size_t size) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, ssize_t, readlink(path, to, size));
}

int gyi_file_realpath(gyi_sys *sys, const char *path, char **out) {
    *out = NULL;
    int err = gyi_sys_enter(sys, GYI_SYS_FILE);
    if (err) return err;
    *out = realpath(path, NULL);
    return *out ? 0 : -errno;
}

void gyi_file_realpath_free(char *path) { free(path); }

int gyi_file_mkdtemp(gyi_sys *sys, char *path) {
    int err = gyi_sys_enter(sys, GYI_SYS_FILE);
    if (err) return err;
    return mkdtemp(path) ? 0 : -errno;
}

int gyi_file_mkstemp(gyi_sys *sys, char *path) {
    int err = gyi_sys_enter(sys, GYI_SYS_FILE);
    if (err) return err;
    int fd = mkostemp(path, O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* ---- directories ------------------------------------------------------------------------------------------------- */

/* gyi_dir and gyi_dir_entry have no insides of their own: they are the C library's, under names that keep its headers
 * out of ours. */
static DIR *filename_stream(gyi_dir *dir) { return (DIR *)(void *)dir; }

static const struct dirent *filename_entry(const gyi_dir_entry *entry) {
    return (const struct dirent *)(const void *)entry;
}

int gyi_dir_open(gyi_sys *sys, int fd, gyi_dir **out) {
    int err = gyi_sys_enter(sys, GYI_SYS_FILE);
    DIR *stream = err ? NULL : fdopendir(fd);
    if (!stream && !err) err = -errno;
    *out = (gyi_dir *)(void *)stream;
    if (err) gyi_file_close(sys, fd);
    return err;
}

int gyi_dir_close(gyi_sys *sys, gyi_dir *dir) {
    int err = gyi_sys_enter(sys, GYI_SYS_CLOSE);
    if (closedir(filename_stream(dir)) && errno != EINTR) return -errno;
    return err;
}

int gyi_dir_fd(gyi_dir *dir) { return dirfd(filename_stream(dir)); }

static bool filename_is_dots(const char *name) {
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* Counted per entry, though the C library asks the kernel for many at a time and does not tell when. */
int gyi_dir_next(gyi_sys *sys, gyi_dir *dir, const gyi_dir_entry **out) {
    const struct dirent *entry;
    *out = NULL;
    int err = gyi_sys_enter(sys, GYI_SYS_FILE);
    if (err) return err;
    do {
        errno = 0; /* the only way to tell the end from an error */
        entry = readdir(filename_stream(dir));
    } while (entry && filename_is_dots(entry->d_name));
    *out = (const gyi_dir_entry *)(const void *)entry;
    return entry ? 0 : -errno;
}

const char *gyi_dir_entry_name(const gyi_dir_entry *entry) { return filename_entry(entry)->d_name; }

uint64_t gyi_dir_entry_ino(const gyi_dir_entry *entry) { return (uint64_t)filename_entry(entry)->d_ino; }

#ifdef DT_UNKNOWN

gyi_file_kind gyi_dir_entry_kind(const gyi_dir_entry *entry) {
    switch (filename_entry(entry)->d_type) {
    case DT_REG: return GYI_FILE_REGULAR;
    case DT_DIR: return GYI_FILE_DIR;
    case DT_LNK: return GYI_FILE_LINK;
    case DT_FIFO: return GYI_FILE_FIFO;
    case DT_SOCK: return GYI_FILE_SOCKET;
    case DT_CHR: return GYI_FILE_CHAR;
    case DT_BLK: return GYI_FILE_BLOCK;
    default: return GYI_FILE_UNKNOWN;
    }
}

#else

gyi_file_kind gyi_dir_entry_kind(const gyi_dir_entry *entry) {
    (void)entry;
    return GYI_FILE_UNKNOWN;
}

#endif
