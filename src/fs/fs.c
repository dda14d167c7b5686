/* SPDX-License-Identifier: ISC */
/* File requests: the table of operations, and the way there and back.
 *
 * A row says what does the operation and what it cannot do without; everything else about an operation is in its one
 * function. So there is one place where arguments are checked, one where a request becomes busy, and one where it ends.
 *
 * Memory of the last results is freed only when the next operation has ended: its path may be a text that this request
 * has found before. */
#include "fs/fs.h"

#include "base/alloc.h"
#include "pool/pool.h"

enum { /* what a row needs */
    FS_PATH = 1,
    FS_TO = 2,
    FS_FD = 4,
    FS_OTHER = 8,  /* a second descriptor */
    FS_AT = 16,    /* an offset, or GY_FS_HERE */
    FS_LEN = 32,   /* a size that is not negative */
    FS_MODE = 64,  /* permission bits */
    FS_DIR = 128,
    FS_VISIT = 256
};

typedef struct fs_row {
    gyi_fs_run_fn *run;
    uint32_t needs;
    uint32_t flags; /* those that there are; all bits where they are the system's, or a group in their place */
} fs_row;

static const fs_row fs_rows[GYI_FS_OPS] = {
    [GYI_FS_OPEN] = {gyi_fs_open, FS_PATH | FS_MODE, UINT32_MAX},
    [GYI_FS_CLOSE] = {gyi_fs_close, FS_FD, 0},
    [GYI_FS_READ] = {gyi_fs_read, FS_FD | FS_AT, 0},
    [GYI_FS_WRITE] = {gyi_fs_write, FS_FD | FS_AT, 0},
    [GYI_FS_SYNC] = {gyi_fs_sync, FS_FD, 0},
    [GYI_FS_DATASYNC] = {gyi_fs_datasync, FS_FD, 0},
    [GYI_FS_TRUNCATE] = {gyi_fs_truncate, FS_PATH | FS_LEN, 0},
    [GYI_FS_FTRUNCATE] = {gyi_fs_ftruncate, FS_FD | FS_LEN, 0},
    [GYI_FS_SENDFILE] = {gyi_fs_sendfile, FS_FD | FS_OTHER | FS_LEN, 0},
    [GYI_FS_STAT] = {gyi_fs_stat, FS_PATH, 0},
    [GYI_FS_LSTAT] = {gyi_fs_lstat, FS_PATH, 0},
    [GYI_FS_FSTAT] = {gyi_fs_fstat, FS_FD, 0},
    [GYI_FS_STATFS] = {gyi_fs_statfs, FS_PATH, 0},
    [GYI_FS_ACCESS] = {gyi_fs_access, FS_PATH | FS_MODE, 0},
    [GYI_FS_CHMOD] = {gyi_fs_chmod, FS_PATH | FS_MODE, 0},
    [GYI_FS_FCHMOD] = {gyi_fs_fchmod, FS_FD | FS_MODE, 0},
    [GYI_FS_CHOWN] = {gyi_fs_chown, FS_PATH, UINT32_MAX},
    [GYI_FS_FCHOWN] = {gyi_fs_fchown, FS_FD, UINT32_MAX},
    [GYI_FS_LCHOWN] = {gyi_fs_lchown, FS_PATH, UINT32_MAX},
    [GYI_FS_UTIME] = {gyi_fs_utime, FS_PATH, 0},
    [GYI_FS_FUTIME] = {gyi_fs_futime, FS_FD, 0},
    [GYI_FS_LUTIME] = {gyi_fs_lutime, FS_PATH, 0},
    [GYI_FS_RENAME] = {gyi_fs_rename, FS_PATH | FS_TO, 0},
    [GYI_FS_LINK] = {gyi_fs_link, FS_PATH | FS_TO, 0},
    [GYI_FS_SYMLINK] = {gyi_fs_symlink, FS_PATH | FS_TO, 0},
    [GYI_FS_UNLINK] = {gyi_fs_unlink, FS_PATH, 0},
    [GYI_FS_READLINK] = {gyi_fs_readlink, FS_PATH, 0},
    [GYI_FS_REALPATH] = {gyi_fs_realpath, FS_PATH, 0},
    [GYI_FS_MKDIR] = {gyi_fs_mkdir, FS_PATH | FS_MODE, 0},
    [GYI_FS_RMDIR] = {gyi_fs_rmdir, FS_PATH, 0},
    [GYI_FS_MKDTEMP] = {gyi_fs_mkdtemp, FS_PATH, 0},
    [GYI_FS_MKSTEMP] = {gyi_fs_mkstemp, FS_PATH, 0},
    [GYI_FS_OPENDIR] = {gyi_fs_opendir, FS_PATH | FS_DIR, 0},
    [GYI_FS_READDIR] = {gyi_fs_readdir, FS_DIR, 0},
    [GYI_FS_CLOSEDIR] = {gyi_fs_closedir, FS_DIR, 0},
    [GYI_FS_COPYFILE] = {gyi_fs_copyfile, FS_PATH | FS_TO,
                         GY_FS_COPY_EXCLUSIVE | GY_FS_COPY_CLONE | GY_FS_COPY_FORCE},
    [GYI_FS_READ_FILE] = {gyi_fs_read_file, FS_PATH, 0},
    [GYI_FS_WRITE_FILE] = {gyi_fs_write_file, FS_PATH | FS_MODE, GYI_FS_NOSYNC},
    [GYI_FS_WALK] = {gyi_fs_walk, FS_PATH | FS_VISIT, GY_FS_WALK_LEAVE},
    [GYI_FS_REMOVE_TREE] = {gyi_fs_remove_tree, FS_PATH, 0},
};

static bool fs_valid(const fs_row *row, const gyi_fs_in *in) {
    if (row->needs & FS_PATH && !in->path) return false;
    if (row->needs & FS_TO && !in->to) return false;
    if (row->needs & FS_FD && in->fd < 0) return false;
    if (row->needs & FS_OTHER && (in->other < 0 || in->at < 0)) return false;
    if (row->needs & FS_AT && in->at < GY_FS_HERE) return false;
    if (row->needs & FS_LEN && in->len < 0) return false;
    if (row->needs & FS_MODE && in->mode > 07777) return false;
    if (row->needs & FS_DIR && !in->dir) return false;
    if (row->needs & FS_VISIT && !in->visit) return false;
    return !(in->flags & ~row->flags);
}

/* The directory that it is about, or NULL. */
static gy_fs_dir *fs_dir(gyi_fs_op op, const gyi_fs_in *in) {
    return fs_rows[op].needs & FS_DIR ? in->dir : NULL;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void fs_free(struct gyi_fs_memory *memory) {
    if (memory->block) gyi_free(&memory->alloc, memory->block);
    memory->block = NULL;
}

void *gyi_fs_hold(gy_fs *req, size_t size) {
    gyi_fs_drop(req);
    return req->priv.now.block = req->priv.now.alloc.alloc(size, req->priv.now.alloc.ctx);
}

void gyi_fs_drop(gy_fs *req) {
    fs_free(&req->priv.now);
    req->text = NULL;
    req->data = (gy_buf){NULL, 0};
    req->entries = NULL;
}

void gy_fs_release(gy_fs *req) {
    if (req->priv.work.priv.away == GYI_WORK_HOME) gyi_fs_drop(req);
}

/* ---- there and back ---------------------------------------------------------------------------------------------- */

static void fs_run(gy_work *work) {
    gy_fs *req = GY_OF(work, gy_fs, priv.work);
    gyi_sys sys = {.count = {0}};
    req->priv.err = fs_rows[req->priv.op].run(req, &sys);
}

/* The callback comes last: it may free the request. */
static void fs_done(gy_work *work, int err) {
    gy_fs *req = GY_OF(work, gy_fs, priv.work);
    if (!err) err = req->priv.err;
    fs_free(&req->priv.before);
    gy_fs_dir *dir = fs_dir(req->priv.op, &req->priv.in);
    if (dir) dir->priv.busy = false;
    if (err) req->info = (gy_fs_info){.type = GY_FS_UNKNOWN};
    req->priv.fn(req, err);
}

static void fs_fill(gy_loop *loop, gy_fs *req, gyi_fs_op op, const gyi_fs_in *in) {
    req->priv.before = req->priv.now;
    req->priv.now.block = NULL;
    gyi_fs_drop(req);
    req->loop = loop;
    req->result = 0;
    req->priv.op = op;
    req->priv.in = *in;
    req->priv.err = 0;
}

int gyi_fs_start(gy_loop *loop, gy_fs *req, gyi_fs_op op, const gyi_fs_in *in, gy_fs_fn *fn) {
    gy_pool *pool = req->pool;
    if (!fn || !fs_valid(&fs_rows[op], in)) return -EINVAL;
    gy_fs_dir *dir = fs_dir(op, in);
    if (req->priv.work.priv.away != GYI_WORK_HOME || (dir && dir->priv.busy)) return -EALREADY;
    int err = pool ? 0 : gy_loop_pool(loop, &pool);
    if (err) return err;
    fs_fill(loop, req, op, in);
    req->priv.fn = fn;
    req->priv.now.alloc = pool->alloc;
    if (dir) dir->priv.busy = true;
    return gy_pool_submit(loop, &req->priv.work, (gy_work_opts){.run = fs_run, .done = fs_done, .pool = pool});
}

int gy_fs_cancel(gy_fs *req) { return gy_pool_cancel(&req->priv.work); }
