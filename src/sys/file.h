/* SPDX-License-Identifier: ISC */
/* Files and directories. All calls may block, so they are for the threads of a pool. A path is looked up in a directory
 * that the caller holds, or in the process's with GYI_FILE_HERE; an absolute one is looked up as it is. */
#ifndef GYI_SYS_FILE_H
#define GYI_SYS_FILE_H

#include "sys/sys.h"

/* The sys floor knows nothing of requests: this is what it says about a file, in numbers of the widest kind. */
typedef struct gyi_stat {
    uint64_t dev, ino, nlink, rdev;
    int64_t size, blocks, block_size;
    gy_ns atime, mtime, ctime, birth; /* INT64_MIN: not known */
    uint32_t mode, uid, gid;          /* `mode` with the kind, as in struct stat */
} gyi_stat;

typedef struct gyi_statfs {
    uint64_t block_size, blocks, free, available, files, files_free, name_max;
} gyi_statfs;

typedef enum gyi_file_kind { /* in the order of gy_fs_type */
    GYI_FILE_UNKNOWN,
    GYI_FILE_REGULAR,
    GYI_FILE_DIR,
    GYI_FILE_LINK,
    GYI_FILE_FIFO,
    GYI_FILE_SOCKET,
    GYI_FILE_CHAR,
    GYI_FILE_BLOCK
} gyi_file_kind;

/* Whether a symbolic link at the end of a path is followed. */
typedef enum gyi_follow { GYI_FOLLOW, GYI_NOFOLLOW } gyi_follow;

extern const int gyi_file_here; /* as a directory: the process's own */

/* ---- file.c: descriptors and their bytes ---- */
/* `flags` are the system's; close-on-exec is added. @return the descriptor. */
int gyi_file_open(gyi_sys *sys, int dir, const char *path, int flags, unsigned mode);

/* A directory and nothing else; with GYI_NOFOLLOW no link to one either. @return the descriptor; -ENOTDIR or -ELOOP. */
int gyi_file_open_dir(gyi_sys *sys, int dir, const char *name, gyi_follow follow);

/* For writing, and it must not be there yet: nobody's link is followed. */
int gyi_file_create(gyi_sys *sys, int dir, const char *name, unsigned mode);
int gyi_file_close(gyi_sys *sys, int fd); /* the number is free afterwards, also after an error */

/* Once; `at` is an offset, or negative for the descriptor's position. @return bytes, 0 at the end. */
int64_t gyi_file_read(gyi_sys *sys, int fd, const gy_buf *to, unsigned count, int64_t at);
int64_t gyi_file_write(gyi_sys *sys, int fd, const gy_buf *from, unsigned count, int64_t at);

/* Everything, from the buffers one after the other; `*done` says how far it came. */
int gyi_file_write_all(gyi_sys *sys, int fd, const gy_buf *from, unsigned count, int64_t at, int64_t *done);

int gyi_file_sync(gyi_sys *sys, int fd);
int gyi_file_datasync(gyi_sys *sys, int fd);
int gyi_file_truncate(gyi_sys *sys, const char *path, int64_t size);
int gyi_file_ftruncate(gyi_sys *sys, int fd, int64_t size);

/* ---- filename.c: names and directories ---- */
int gyi_file_access(gyi_sys *sys, const char *path, unsigned mode);
int gyi_file_unlink(gyi_sys *sys, int dir, const char *path); /* -EISDIR for a directory, on every system */
int gyi_file_rmdir(gyi_sys *sys, int dir, const char *path);
int gyi_file_mkdir(gyi_sys *sys, const char *path, unsigned mode);
int gyi_file_rename(gyi_sys *sys, int dir, const char *from, const char *to);
int gyi_file_link(gyi_sys *sys, const char *from, const char *to);
int gyi_file_symlink(gyi_sys *sys, const char *says, const char *to);

/* @return the length of what the link says, without a final 0; `size` when there may be more. */
int64_t gyi_file_readlink(gyi_sys *sys, const char *path, char *to, size_t size);

/* `*out` is the C library's, for gyi_file_realpath_free(). */
int gyi_file_realpath(gyi_sys *sys, const char *path, char **out);
void gyi_file_realpath_free(char *path);

/* Both fill in the XXXXXX at the end of `path`. */
int gyi_file_mkdtemp(gyi_sys *sys, char *path);
int gyi_file_mkstemp(gyi_sys *sys, char *path); /* @return the descriptor */

typedef struct gyi_dir gyi_dir;             /* a directory being read */
typedef struct gyi_dir_entry gyi_dir_entry; /* valid until the next one is read or the directory is closed */

/* Takes over `fd`, which is closed when this fails. */
int gyi_dir_open(gyi_sys *sys, int fd, gyi_dir **out);
int gyi_dir_close(gyi_sys *sys, gyi_dir *dir);
int gyi_dir_fd(gyi_dir *dir);

/* The next entry but "." and ".."; NULL at the end. */
int gyi_dir_next(gyi_sys *sys, gyi_dir *dir, const gyi_dir_entry **out);
const char *gyi_dir_entry_name(const gyi_dir_entry *entry);
uint64_t gyi_dir_entry_ino(const gyi_dir_entry *entry);
gyi_file_kind gyi_dir_entry_kind(const gyi_dir_entry *entry);

/* ---- filestat.c: what is known about files ---- */
int gyi_file_stat(gyi_sys *sys, int dir, const char *path, gyi_follow follow, gyi_stat *out);
int gyi_file_fstat(gyi_sys *sys, int fd, gyi_stat *out);
gyi_file_kind gyi_file_kind_of(uint32_t mode);
int gyi_file_statfs(gyi_sys *sys, const char *path, gyi_statfs *out);
int gyi_file_chmod(gyi_sys *sys, const char *path, unsigned mode);
int gyi_file_fchmod(gyi_sys *sys, int fd, unsigned mode);
int gyi_file_chown(gyi_sys *sys, const char *path, gyi_follow follow, uint32_t uid, uint32_t gid);
int gyi_file_fchown(gyi_sys *sys, int fd, uint32_t uid, uint32_t gid);

/* INT64_MIN is now, INT64_MIN + 1 leaves a time as it is. */
int gyi_file_utime(gyi_sys *sys, const char *path, gyi_follow follow, gy_ns atime, gy_ns mtime);
int gyi_file_futime(gyi_sys *sys, int fd, gy_ns atime, gy_ns mtime);

/* ---- filecopy.c: bytes that need not pass through the process ---- */
/* Each moves at most `len` bytes once. @return how many; or -ENOTSUP when this system, or this pair of files, has to be
 * copied by reading and writing. */
int64_t gyi_file_copy_range(gyi_sys *sys, int from, int to, size_t len); /* at both positions, and moves them */
int64_t gyi_file_send(gyi_sys *sys, int from, int to, int64_t at, size_t len);
int gyi_file_clone(gyi_sys *sys, int from, int to); /* 0, or an error when the blocks cannot be shared */

#endif
