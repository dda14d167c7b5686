/* SPDX-License-Identifier: ISC */
/* The public functions: each puts its arguments into the common form and starts its row of the table. What they have in
 * common is checked there; here is only what a row cannot say. */
#include <errno.h>

#include "fs/fs.h"

enum { CALLS_BATCH_MOST = 65536 };

static int calls_path(gy_loop *loop, gy_fs *req, gyi_fs_op op, const char *path, gy_fs_fn *fn) {
    gyi_fs_in in = {.path = path};
    return gyi_fs_start(loop, req, op, &in, fn);
}

static int calls_fd(gy_loop *loop, gy_fs *req, gyi_fs_op op, int fd, gy_fs_fn *fn) {
    gyi_fs_in in = {.fd = fd};
    return gyi_fs_start(loop, req, op, &in, fn);
}

/* ---- open files -------------------------------------------------------------------------------------------------- */

int gy_fs_open(gy_loop *loop, gy_fs *req, gy_fs_open_opts opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.path = opts.path, .flags = (uint32_t)opts.flags, .mode = opts.mode};
    return gyi_fs_start(loop, req, GYI_FS_OPEN, &in, fn);
}

int gy_fs_close(gy_loop *loop, gy_fs *req, int fd, gy_fs_fn *fn) { return calls_fd(loop, req, GYI_FS_CLOSE, fd, fn); }

/* Whether there is anything to read into; buffers that are not there have no bytes. */
static bool calls_have_room(const gy_fs_read_opts *opts) {
    if (!opts->count) return opts->buf.len;
    for (unsigned i = 0; i < opts->count; i++)
        if (opts->bufs[i].len) return true;
    return false;
}

static int calls_bytes(gy_loop *loop, gy_fs *req, gyi_fs_op op, const gy_fs_read_opts *opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.fd = opts->fd, .buf = opts->buf, .bufs = opts->bufs, .count = opts->count, .at = opts->at};
    return gyi_fs_start(loop, req, op, &in, fn);
}

int gy_fs_read(gy_loop *loop, gy_fs *req, gy_fs_read_opts opts, gy_fs_fn *fn) {
    if ((opts.count && !opts.bufs) || !calls_have_room(&opts)) return -EINVAL;
    return calls_bytes(loop, req, GYI_FS_READ, &opts, fn);
}

int gy_fs_write(gy_loop *loop, gy_fs *req, gy_fs_write_opts opts, gy_fs_fn *fn) {
    if (opts.count && !opts.bufs) return -EINVAL;
    return calls_bytes(loop, req, GYI_FS_WRITE, &opts, fn);
}

int gy_fs_sync(gy_loop *loop, gy_fs *req, int fd, gy_fs_fn *fn) { return calls_fd(loop, req, GYI_FS_SYNC, fd, fn); }

int gy_fs_datasync(gy_loop *loop, gy_fs *req, int fd, gy_fs_fn *fn) {
    return calls_fd(loop, req, GYI_FS_DATASYNC, fd, fn);
}

int gy_fs_truncate(gy_loop *loop, gy_fs *req, gy_fs_truncate_opts opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.path = opts.path, .fd = opts.fd, .len = opts.size};
    return gyi_fs_start(loop, req, opts.path ? GYI_FS_TRUNCATE : GYI_FS_FTRUNCATE, &in, fn);
}

int gy_fs_sendfile(gy_loop *loop, gy_fs *req, gy_fs_sendfile_opts opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.fd = opts.from, .other = opts.to, .at = opts.at, .len = opts.len};
    return gyi_fs_start(loop, req, GYI_FS_SENDFILE, &in, fn);
}

/* ---- about files ------------------------------------------------------------------------------------------------- */

int gy_fs_stat(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn) {
    return calls_path(loop, req, GYI_FS_STAT, path, fn);
}

int gy_fs_lstat(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn) {
    return calls_path(loop, req, GYI_FS_LSTAT, path, fn);
}

int gy_fs_fstat(gy_loop *loop, gy_fs *req, int fd, gy_fs_fn *fn) { return calls_fd(loop, req, GYI_FS_FSTAT, fd, fn); }

int gy_fs_statfs(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn) {
    return calls_path(loop, req, GYI_FS_STATFS, path, fn);
}

static int calls_mode(gy_loop *loop, gy_fs *req, gyi_fs_op op, const gy_fs_mode_opts *opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.path = opts->path, .fd = opts->fd, .mode = opts->mode};
    return gyi_fs_start(loop, req, op, &in, fn);
}

int gy_fs_chmod(gy_loop *loop, gy_fs *req, gy_fs_mode_opts opts, gy_fs_fn *fn) {
    return calls_mode(loop, req, GYI_FS_CHMOD, &opts, fn);
}

int gy_fs_fchmod(gy_loop *loop, gy_fs *req, gy_fs_mode_opts opts, gy_fs_fn *fn) {
    return calls_mode(loop, req, GYI_FS_FCHMOD, &opts, fn);
}

int gy_fs_access(gy_loop *loop, gy_fs *req, gy_fs_mode_opts opts, gy_fs_fn *fn) {
    return calls_mode(loop, req, GYI_FS_ACCESS, &opts, fn);
}

static int calls_owner(gy_loop *loop, gy_fs *req, gyi_fs_op op, const gy_fs_owner_opts *opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.path = opts->path, .fd = opts->fd, .uid = opts->uid, .gid = opts->gid};
    return gyi_fs_start(loop, req, op, &in, fn);
}

int gy_fs_chown(gy_loop *loop, gy_fs *req, gy_fs_owner_opts opts, gy_fs_fn *fn) {
    return calls_owner(loop, req, GYI_FS_CHOWN, &opts, fn);
}

int gy_fs_fchown(gy_loop *loop, gy_fs *req, gy_fs_owner_opts opts, gy_fs_fn *fn) {
    return calls_owner(loop, req, GYI_FS_FCHOWN, &opts, fn);
}

int gy_fs_lchown(gy_loop *loop, gy_fs *req, gy_fs_owner_opts opts, gy_fs_fn *fn) {
    return calls_owner(loop, req, GYI_FS_LCHOWN, &opts, fn);
}

static int calls_time(gy_loop *loop, gy_fs *req, gyi_fs_op op, const gy_fs_time_opts *opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.path = opts->path, .fd = opts->fd, .at = opts->atime, .len = opts->mtime};
    return gyi_fs_start(loop, req, op, &in, fn);
}

int gy_fs_utime(gy_loop *loop, gy_fs *req, gy_fs_time_opts opts, gy_fs_fn *fn) {
    return calls_time(loop, req, GYI_FS_UTIME, &opts, fn);
}

int gy_fs_futime(gy_loop *loop, gy_fs *req, gy_fs_time_opts opts, gy_fs_fn *fn) {
    return calls_time(loop, req, GYI_FS_FUTIME, &opts, fn);
}

int gy_fs_lutime(gy_loop *loop, gy_fs *req, gy_fs_time_opts opts, gy_fs_fn *fn) {
    return calls_time(loop, req, GYI_FS_LUTIME, &opts, fn);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static int calls_pair(gy_loop *loop, gy_fs *req, gyi_fs_op op, const gy_fs_pair_opts *opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.path = opts->from, .to = opts->to};
    return gyi_fs_start(loop, req, op, &in, fn);
}

int gy_fs_rename(gy_loop *loop, gy_fs *req, gy_fs_pair_opts opts, gy_fs_fn *fn) {
    return calls_pair(loop, req, GYI_FS_RENAME, &opts, fn);
}

int gy_fs_link(gy_loop *loop, gy_fs *req, gy_fs_pair_opts opts, gy_fs_fn *fn) {
    return calls_pair(loop, req, GYI_FS_LINK, &opts, fn);
}

int gy_fs_symlink(gy_loop *loop, gy_fs *req, gy_fs_pair_opts opts, gy_fs_fn *fn) {
    return calls_pair(loop, req, GYI_FS_SYMLINK, &opts, fn);
}

int gy_fs_unlink(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn) {
    return calls_path(loop, req, GYI_FS_UNLINK, path, fn);
}

int gy_fs_readlink(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn) {
    return calls_path(loop, req, GYI_FS_READLINK, path, fn);
}

int gy_fs_realpath(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn) {
    return calls_path(loop, req, GYI_FS_REALPATH, path, fn);
}

/* ---- directories ------------------------------------------------------------------------------------------------- */

int gy_fs_mkdir(gy_loop *loop, gy_fs *req, gy_fs_mkdir_opts opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.path = opts.path, .mode = opts.mode};
    return gyi_fs_start(loop, req, GYI_FS_MKDIR, &in, fn);
}

int gy_fs_rmdir(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn) {
    return calls_path(loop, req, GYI_FS_RMDIR, path, fn);
}

int gy_fs_mkdtemp(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn) {
    return calls_path(loop, req, GYI_FS_MKDTEMP, path, fn);
}

int gy_fs_mkstemp(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn) {
    return calls_path(loop, req, GYI_FS_MKSTEMP, path, fn);
}

/* `stream` belongs to the pool while the directory is busy, so that is asked first. */
int gy_fs_opendir(gy_loop *loop, gy_fs *req, gy_fs_opendir_opts opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.path = opts.path, .dir = opts.dir};
    if (opts.dir && (opts.dir->priv.busy || opts.dir->priv.stream)) return -EALREADY;
    return gyi_fs_start(loop, req, GYI_FS_OPENDIR, &in, fn);
}

static int calls_dir(gy_loop *loop, gy_fs *req, gyi_fs_op op, const gyi_fs_in *in, gy_fs_fn *fn) {
    if (!in->dir || (!in->dir->priv.busy && !in->dir->priv.stream)) return -EINVAL;
    return gyi_fs_start(loop, req, op, in, fn);
}

int gy_fs_readdir(gy_loop *loop, gy_fs *req, gy_fs_readdir_opts opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.dir = opts.dir, .count = opts.most};
    if (opts.most > CALLS_BATCH_MOST) return -EINVAL;
    return calls_dir(loop, req, GYI_FS_READDIR, &in, fn);
}

int gy_fs_closedir(gy_loop *loop, gy_fs *req, gy_fs_dir *dir, gy_fs_fn *fn) {
    gyi_fs_in in = {.dir = dir};
    return calls_dir(loop, req, GYI_FS_CLOSEDIR, &in, fn);
}

/* ---- whole files and trees --------------------------------------------------------------------------------------- */

int gy_fs_copyfile(gy_loop *loop, gy_fs *req, gy_fs_copyfile_opts opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.path = opts.from, .to = opts.to, .flags = opts.flags};
    return gyi_fs_start(loop, req, GYI_FS_COPYFILE, &in, fn);
}

int gy_fs_read_file(gy_loop *loop, gy_fs *req, gy_fs_read_file_opts opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.path = opts.path, .buf = {NULL, opts.max}};
    return gyi_fs_start(loop, req, GYI_FS_READ_FILE, &in, fn);
}

int gy_fs_write_file(gy_loop *loop, gy_fs *req, gy_fs_write_file_opts opts, gy_fs_fn *fn) {
    gyi_fs_in in = {
        .path = opts.path, .buf = opts.data, .mode = opts.mode, .flags = opts.nosync ? GYI_FS_NOSYNC : 0};
    return gyi_fs_start(loop, req, GYI_FS_WRITE_FILE, &in, fn);
}

int gy_fs_walk(gy_loop *loop, gy_fs *req, gy_fs_walk_opts opts, gy_fs_fn *fn) {
    gyi_fs_in in = {.path = opts.path, .visit = opts.visit, .flags = opts.flags};
    return gyi_fs_start(loop, req, GYI_FS_WALK, &in, fn);
}

int gy_fs_remove_tree(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn) {
    return calls_path(loop, req, GYI_FS_REMOVE_TREE, path, fn);
}
