/* SPDX-License-Identifier: ISC */
/* Directories: making, removing, and reading them in batches.
 *
 * A batch is one block of memory: the entries, then their names. An entry whose name has no room left is kept by the
 * gy_fs_dir for the next batch; the C library leaves it where it is until another is read. */
#include "fs/fs.h"

#include <string.h>

enum {
    DIR_BATCH = 256,
    DIR_NAME = 32,      /* bytes of names for each entry */
    DIR_NAMES = 1 << 12 /* but at least so many: more than the longest name of any file system */
};

int gyi_fs_mkdir(gy_fs *req, gyi_sys *sys) {
    return gyi_file_mkdir(sys, req->priv.in.path, req->priv.in.mode ? req->priv.in.mode : 0777);
}

int gyi_fs_rmdir(gy_fs *req, gyi_sys *sys) { return gyi_file_rmdir(sys, gyi_file_here, req->priv.in.path); }

/* The last part of the path may be a link: the caller has named it. */
int gyi_fs_opendir(gy_fs *req, gyi_sys *sys) {
    gyi_dir *stream;
    int fd = gyi_file_open_dir(sys, gyi_file_here, req->priv.in.path, GYI_FOLLOW);
    if (fd < 0) return fd;
    int err = gyi_dir_open(sys, fd, &stream);
    if (!err) req->priv.in.dir->priv.stream = stream;
    return err;
}

int gyi_fs_closedir(gy_fs *req, gyi_sys *sys) {
    gyi_dir *stream = req->priv.in.dir->priv.stream;
    req->priv.in.dir->priv.stream = NULL;
    req->priv.in.dir->priv.pending = NULL;
    req->priv.in.dir->priv.err = 0;
    return gyi_dir_close(sys, stream);
}

/* Where a batch is being put together. */
typedef struct dir_batch {
    gy_fs_entry *entries;
    unsigned count, most;
    char *names;
    size_t left;
} dir_batch;

/* Whether there was room. */
static bool dir_add(dir_batch *b, const gyi_dir_entry *entry) {
    const char *name = gyi_dir_entry_name(entry);
    size_t size = strlen(name) + 1;
    if (b->count == b->most || size > b->left) return false;
    memcpy(b->names, name, size);
    b->entries[b->count++] = (gy_fs_entry){
        .name = b->names, .ino = gyi_dir_entry_ino(entry), .type = (gy_fs_type)gyi_dir_entry_kind(entry)};
    b->names += size;
    b->left -= size;
    return true;
}

/* An error that comes after some entries is kept until they have been handed out. */
static int dir_fill(gy_fs_dir *dir, gyi_sys *sys, dir_batch *b) {
    int err = dir->priv.err;
    dir->priv.err = 0;
    while (!err && b->count < b->most) {
        const gyi_dir_entry *entry = dir->priv.pending;
        if (!entry) err = gyi_dir_next(sys, dir->priv.stream, &entry);
        dir->priv.pending = entry;
        if (!entry || !dir_add(b, entry)) break;
        dir->priv.pending = NULL;
    }
    if (b->count) dir->priv.err = err;
    return b->count ? 0 : err;
}

int gyi_fs_readdir(gy_fs *req, gyi_sys *sys) {
    unsigned most = req->priv.in.count ? req->priv.in.count : DIR_BATCH;
    size_t names = (size_t)most * DIR_NAME < DIR_NAMES ? DIR_NAMES : (size_t)most * DIR_NAME;
    gy_fs_entry *entries = gyi_fs_hold(req, most * sizeof *entries + names);
    if (!entries) return -ENOMEM;
    dir_batch b = {.entries = entries, .most = most, .names = (char *)(entries + most), .left = names};
    int err = dir_fill(req->priv.in.dir, sys, &b);
    if (!b.count) gyi_fs_drop(req);
    req->entries = b.count ? entries : NULL;
    req->result = b.count;
    return err;
}
