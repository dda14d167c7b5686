/* SPDX-License-Identifier: ISC */
/* The inside of file requests.
 *
 *   idle -> started (the loop's thread) -> run() of its row (a thread of the pool) -> idle, callback (the loop's
 * thread)
 *
 * A row's function gets the request and a count of system calls of its own, because pool threads run at the same time
 * and the loop's count is the loop's. It returns 0 or an error and leaves results in the request; when it fails it
 * holds no memory and no descriptor. */
#ifndef GYI_FS_FS_H
#define GYI_FS_FS_H

#include "gyre/fs.h"
#include "sys/file.h"

typedef struct gyi_fs_in gyi_fs_in;

typedef enum gyi_fs_op {
    GYI_FS_OPEN,
    GYI_FS_CLOSE,
    GYI_FS_READ,
    GYI_FS_WRITE,
    GYI_FS_SYNC,
    GYI_FS_DATASYNC,
    GYI_FS_TRUNCATE,
    GYI_FS_FTRUNCATE,
    GYI_FS_SENDFILE,
    GYI_FS_STAT,
    GYI_FS_LSTAT,
    GYI_FS_FSTAT,
    GYI_FS_STATFS,
    GYI_FS_ACCESS,
    GYI_FS_CHMOD,
    GYI_FS_FCHMOD,
    GYI_FS_CHOWN,
    GYI_FS_FCHOWN,
    GYI_FS_LCHOWN,
    GYI_FS_UTIME,
    GYI_FS_FUTIME,
    GYI_FS_LUTIME,
    GYI_FS_RENAME,
    GYI_FS_LINK,
    GYI_FS_SYMLINK,
    GYI_FS_UNLINK,
    GYI_FS_READLINK,
    GYI_FS_REALPATH,
    GYI_FS_MKDIR,
    GYI_FS_RMDIR,
    GYI_FS_MKDTEMP,
    GYI_FS_MKSTEMP,
    GYI_FS_OPENDIR,
    GYI_FS_READDIR,
    GYI_FS_CLOSEDIR,
    GYI_FS_COPYFILE,
    GYI_FS_READ_FILE,
    GYI_FS_WRITE_FILE,
    GYI_FS_WALK,
    GYI_FS_REMOVE_TREE,
    GYI_FS_OPS
} gyi_fs_op;

enum { GYI_FS_NOSYNC = 1 }; /* as a flag of GYI_FS_WRITE_FILE */

typedef int gyi_fs_run_fn(gy_fs *req, gyi_sys *sys);

/* ---- fs.c ---- */
/* Checks the input against the operation's row and gives the request to the pool. @return as the public functions. */
int gyi_fs_start(gy_loop *loop, gy_fs *req, gyi_fs_op op, const gyi_fs_in *in, gy_fs_fn *fn);

/* Memory for a result: freed with the request. NULL when there is none. One block at a time. */
void *gyi_fs_hold(gy_fs *req, size_t size);

/* Lets go of it, and of the results that point there. */
void gyi_fs_drop(gy_fs *req);

/* ---- ops.c, dir.c, copy.c, whole.c, walk.c, remove.c: one function for each row ---- */
gyi_fs_run_fn gyi_fs_open, gyi_fs_close, gyi_fs_read, gyi_fs_write, gyi_fs_sync, gyi_fs_datasync, gyi_fs_truncate,
    gyi_fs_ftruncate, gyi_fs_stat, gyi_fs_lstat, gyi_fs_fstat, gyi_fs_statfs, gyi_fs_access, gyi_fs_chmod,
    gyi_fs_fchmod, gyi_fs_chown, gyi_fs_fchown, gyi_fs_lchown, gyi_fs_utime, gyi_fs_futime, gyi_fs_lutime,
    gyi_fs_rename, gyi_fs_link, gyi_fs_symlink, gyi_fs_unlink, gyi_fs_readlink, gyi_fs_realpath;
gyi_fs_run_fn gyi_fs_mkdir, gyi_fs_rmdir, gyi_fs_mkdtemp, gyi_fs_mkstemp, gyi_fs_opendir, gyi_fs_readdir,
    gyi_fs_closedir;
gyi_fs_run_fn gyi_fs_copyfile, gyi_fs_sendfile, gyi_fs_read_file, gyi_fs_write_file, gyi_fs_walk, gyi_fs_remove_tree;

/* What the sys floor says about a file, in the public words. */
void gyi_fs_inform(const gyi_stat *st, gy_fs_info *out);

#endif
