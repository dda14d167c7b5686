/* SPDX-License-Identifier: ISC */
/* Operations that are one system call, or a few: each function is the part that a pool's thread does. They own nothing
 * beyond the request, and what a failed one has taken, it has given back. */
#include "fs/fs.h"

#include <string.h>

#include "base/alloc.h"

enum { OPS_LINK_FIRST = 256, OPS_LINK_MOST = 1 << 20 };

static int ops_result(gy_fs *req, int64_t n) {
    if (n < 0) return (int)n;
    req->result = n;
    return 0;
}

/* ---- open files -------------------------------------------------------------------------------------------------- */

int gyi_fs_open(gy_fs *req, gyi_sys *sys) {
    const gyi_fs_in *in = &req->priv.in;
    return ops_result(req, gyi_file_open(sys, gyi_file_here, in->path, (int)in->flags, in->mode ? in->mode : 0666));
}

int gyi_fs_close(gy_fs *req, gyi_sys *sys) { return gyi_file_close(sys, req->priv.in.fd); }

int gyi_fs_read(gy_fs *req, gyi_sys *sys) {
    const gyi_fs_in *in = &req->priv.in;
    const gy_buf *bufs = in->count ? in->bufs : &in->buf;
    return ops_result(req, gyi_file_read(sys, in->fd, bufs, in->count ? in->count : 1, in->at));
}

int gyi_fs_write(gy_fs *req, gyi_sys *sys) {
    const gyi_fs_in *in = &req->priv.in;
    const gy_buf *bufs = in->count ? in->bufs : &in->buf;
    return gyi_file_write_all(sys, in->fd, bufs, in->count ? in->count : 1, in->at, &req->result);
}

int gyi_fs_sync(gy_fs *req, gyi_sys *sys) { return gyi_file_sync(sys, req->priv.in.fd); }

int gyi_fs_datasync(gy_fs *req, gyi_sys *sys) { return gyi_file_datasync(sys, req->priv.in.fd); }

int gyi_fs_truncate(gy_fs *req, gyi_sys *sys) { return gyi_file_truncate(sys, req->priv.in.path, req->priv.in.len); }

int gyi_fs_ftruncate(gy_fs *req, gyi_sys *sys) { return gyi_file_ftruncate(sys, req->priv.in.fd, req->priv.in.len); }

/* ---- about files ------------------------------------------------------------------------------------------------- */

_Static_assert((int)GY_FS_BLOCK == (int)GYI_FILE_BLOCK && (int)GY_FS_LINK == (int)GYI_FILE_LINK,
               "the kinds of files have the same numbers on both floors");

void gyi_fs_inform(const gyi_stat *st, gy_fs_info *out) {
    *out = (gy_fs_info){.type = (gy_fs_type)gyi_file_kind_of(st->mode),
                        .mode = st->mode & 07777,
                        .uid = st->uid,
                        .gid = st->gid,
                        .dev = st->dev,
                        .ino = st->ino,
                        .nlink = st->nlink,
                        .rdev = st->rdev,
                        .size = st->size,
                        .blocks = st->blocks,
                        .block_size = st->block_size,
                        .atime = st->atime,
                        .mtime = st->mtime,
                        .ctime = st->ctime,
                        .birth = st->birth};
}

static int ops_inform(gy_fs *req, int err, const gyi_stat *st) {
    if (!err) gyi_fs_inform(st, &req->info);
    return err;
}

int gyi_fs_stat(gy_fs *req, gyi_sys *sys) {
    gyi_stat st;
    return ops_inform(req, gyi_file_stat(sys, gyi_file_here, req->priv.in.path, GYI_FOLLOW, &st), &st);
}

int gyi_fs_lstat(gy_fs *req, gyi_sys *sys) {
    gyi_stat st;
    return ops_inform(req, gyi_file_stat(sys, gyi_file_here, req->priv.in.path, GYI_NOFOLLOW, &st), &st);
}

int gyi_fs_fstat(gy_fs *req, gyi_sys *sys) {
    gyi_stat st;
    return ops_inform(req, gyi_file_fstat(sys, req->priv.in.fd, &st), &st);
}

int gyi_fs_statfs(gy_fs *req, gyi_sys *sys) {
    gyi_statfs room;
    int err = gyi_file_statfs(sys, req->priv.in.path, &room);
    if (err) return err;
    req->space = (gy_fs_space){.block_size = room.block_size,
                               .blocks = room.blocks,
                               .free = room.free,
                               .available = room.available,
                               .files = room.files,
                               .files_free = room.files_free,
                               .name_max = room.name_max};
    return 0;
}

int gyi_fs_access(gy_fs *req, gyi_sys *sys) { return gyi_file_access(sys, req->priv.in.path, req->priv.in.mode); }

int gyi_fs_chmod(gy_fs *req, gyi_sys *sys) { return gyi_file_chmod(sys, req->priv.in.path, req->priv.in.mode); }

int gyi_fs_fchmod(gy_fs *req, gyi_sys *sys) { return gyi_file_fchmod(sys, req->priv.in.fd, req->priv.in.mode); }

int gyi_fs_chown(gy_fs *req, gyi_sys *sys) {
    return gyi_file_chown(sys, req->priv.in.path, GYI_FOLLOW, req->priv.in.uid, req->priv.in.gid);
}

int gyi_fs_fchown(gy_fs *req, gyi_sys *sys) {
    return gyi_file_fchown(sys, req->priv.in.fd, req->priv.in.uid, req->priv.in.gid);
}

int gyi_fs_lchown(gy_fs *req, gyi_sys *sys) {
    return gyi_file_chown(sys, req->priv.in.path, GYI_NOFOLLOW, req->priv.in.uid, req->priv.in.gid);
}

int gyi_fs_utime(gy_fs *req, gyi_sys *sys) {
    return gyi_file_utime(sys, req->priv.in.path, GYI_FOLLOW, req->priv.in.at, req->priv.in.len);
}

int gyi_fs_futime(gy_fs *req, gyi_sys *sys) {
    return gyi_file_futime(sys, req->priv.in.fd, req->priv.in.at, req->priv.in.len);
}

int gyi_fs_lutime(gy_fs *req, gyi_sys *sys) {
    return gyi_file_utime(sys, req->priv.in.path, GYI_NOFOLLOW, req->priv.in.at, req->priv.in.len);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

int gyi_fs_rename(gy_fs *req, gyi_sys *sys) {
    return gyi_file_rename(sys, gyi_file_here, req->priv.in.path, req->priv.in.to);
}

int gyi_fs_link(gy_fs *req, gyi_sys *sys) { return gyi_file_link(sys, req->priv.in.path, req->priv.in.to); }

int gyi_fs_symlink(gy_fs *req, gyi_sys *sys) { return gyi_file_symlink(sys, req->priv.in.path, req->priv.in.to); }

int gyi_fs_unlink(gy_fs *req, gyi_sys *sys) { return gyi_file_unlink(sys, gyi_file_here, req->priv.in.path); }

/* The size that lstat() tells is 0 for the links of /proc and old by the time it is used, so the room is doubled until
 * the kernel has left some of it. */
int gyi_fs_readlink(gy_fs *req, gyi_sys *sys) {
    for (size_t size = OPS_LINK_FIRST; size <= OPS_LINK_MOST; size *= 2) {
        char *text = gyi_fs_hold(req, size);
        if (!text) return -ENOMEM;
        int64_t n = gyi_file_readlink(sys, req->priv.in.path, text, size);
        if (n >= (int64_t)size) continue;
        if (n < 0) {
            gyi_fs_drop(req);
            return (int)n;
        }
        text[n] = 0;
        req->text = text;
        return ops_result(req, n);
    }
    gyi_fs_drop(req);
    return -ENAMETOOLONG;
}

/* The request's own copy of a text. */
static char *ops_copy(gy_fs *req, const char *text) {
    size_t len = strlen(text);
    char *copy = gyi_fs_hold(req, len + 1);
    if (copy) memcpy(copy, text, len + 1);
    return copy;
}

int gyi_fs_realpath(gy_fs *req, gyi_sys *sys) {
    char *found;
    int err = gyi_file_realpath(sys, req->priv.in.path, &found);
    if (err) return err;
    req->text = ops_copy(req, found);
    gyi_file_realpath_free(found);
    return req->text ? ops_result(req, (int64_t)strlen(req->text)) : -ENOMEM;
}

int gyi_fs_mkdtemp(gy_fs *req, gyi_sys *sys) {
    req->text = ops_copy(req, req->priv.in.path);
    int err = req->text ? gyi_file_mkdtemp(sys, req->text) : -ENOMEM;
    if (err) gyi_fs_drop(req);
    return err;
}

int gyi_fs_mkstemp(gy_fs *req, gyi_sys *sys) {
    req->text = ops_copy(req, req->priv.in.path);
    int fd = req->text ? gyi_file_mkstemp(sys, req->text) : -ENOMEM;
    if (fd < 0) gyi_fs_drop(req);
    return ops_result(req, fd);
}
