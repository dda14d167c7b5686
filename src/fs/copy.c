/* SPDX-License-Identifier: ISC */
/* Copying bytes: a file to a file, and a file to any descriptor.
 *
 * The kernel copies as long as it will. When it refuses, at the beginning or in the middle, reading and writing go on
 * from where it was; and when it says "nothing" at once, that is believed only after a read has said so too, because
 * files in /proc have contents but no size. */
#include "fs/fs.h"

#include <fcntl.h>

enum { COPY_STEP = 1 << 30, COPY_BUFFER = 1 << 16 };

/* From one position, or from an offset, to the position of the other, at most `len` bytes. */
static int copy_by_hand(gy_fs *req, gyi_sys *sys, int from, int to, int64_t at, int64_t len) {
    gy_buf page = {gyi_fs_hold(req, COPY_BUFFER), COPY_BUFFER};
    int err = page.base ? 0 : -ENOMEM;
    while (!err && len > 0) {
        page.len = len < COPY_BUFFER ? (size_t)len : COPY_BUFFER;
        int64_t done, n = gyi_file_read(sys, from, &page, 1, at);
        if (n <= 0) {
            err = (int)n;
            break;
        }
        page.len = (size_t)n;
        err = gyi_file_write_all(sys, to, &page, 1, GY_FS_HERE, &done);
        req->result += done;
        len -= done;
        if (at >= 0) at += done;
    }
    gyi_fs_drop(req);
    return err;
}

/* ---- file to file ------------------------------------------------------------------------------------------------ */

typedef struct copy_job {
    int from, to; /* -1: not open */
    bool made;    /* `to` is new, and goes when the copy fails */
    bool same;    /* they are one file */
    gyi_stat st;  /* of `from` */
} copy_job;

static int copy_contents(gy_fs *req, gyi_sys *sys, const copy_job *job) {
    int64_t n;
    do {
        n = gyi_file_copy_range(sys, job->from, job->to, COPY_STEP);
        if (n > 0) req->result += n;
    } while (n > 0);
    if (n < 0 && n != -ENOTSUP) return (int)n;
    if (n == 0 && req->result) return 0;
    return copy_by_hand(req, sys, job->from, job->to, GY_FS_HERE, INT64_MAX);
}

/* O_NONBLOCK keeps a FIFO without a partner from holding the thread; to regular files it means nothing. */
static int copy_open_from(gy_fs *req, gyi_sys *sys, copy_job *job) {
    job->from = gyi_file_open(sys, gyi_file_here, req->priv.in.path, O_RDONLY | O_NONBLOCK, 0);
    if (job->from < 0) return job->from;
    int err = gyi_file_fstat(sys, job->from, &job->st);
    if (err) return err;
    gyi_file_kind kind = gyi_file_kind_of(job->st.mode);
    return kind == GYI_FILE_REGULAR ? 0 : kind == GYI_FILE_DIR ? -EISDIR : -EINVAL;
}

/* Whether the file is new is known only when it was asked for as a new one. So a link that leads nowhere is not written
 * through: what would be made there could not be told from what there was. A file that goes between the two questions
 * is asked for anew. */
static int copy_find_to(gy_fs *req, gyi_sys *sys, copy_job *job) {
    const char *path = req->priv.in.to;
    for (int tries = 0; tries < 2; tries++) {
        job->to = gyi_file_create(sys, gyi_file_here, path, job->st.mode & 0777);
        job->made = job->to >= 0;
        if (job->to != -EEXIST || req->priv.in.flags & GY_FS_COPY_EXCLUSIVE) break;
        job->to = gyi_file_open(sys, gyi_file_here, path, O_WRONLY | O_NONBLOCK, 0);
        if (job->to != -ENOENT) break;
    }
    return job->to < 0 ? job->to : 0;
}

static int copy_open_to(gy_fs *req, gyi_sys *sys, copy_job *job) {
    gyi_stat st;
    int err = copy_find_to(req, sys, job);
    if (err || job->made) return err;
    err = gyi_file_fstat(sys, job->to, &st);
    if (err) return err;
    if (gyi_file_kind_of(st.mode) != GYI_FILE_REGULAR) return -EINVAL;
    job->same = st.dev == job->st.dev && st.ino == job->st.ino;
    return job->same ? 0 : gyi_file_ftruncate(sys, job->to, 0);
}

static int copy_do(gy_fs *req, gyi_sys *sys, copy_job *job) {
    unsigned flags = req->priv.in.flags;
    int err = copy_open_from(req, sys, job);
    if (!err) err = copy_open_to(req, sys, job);
    if (err || job->same) return err;
    err = flags & (GY_FS_COPY_CLONE | GY_FS_COPY_FORCE) ? gyi_file_clone(sys, job->from, job->to) : -ENOTSUP;
    if (err && flags & GY_FS_COPY_FORCE) return err;
    if (err) err = copy_contents(req, sys, job);
    /* The umask has had its say when the file was made, and a copy is to be like its original. */
    return err || !job->made ? err : gyi_file_fchmod(sys, job->to, job->st.mode & 0777);
}

int gyi_fs_copyfile(gy_fs *req, gyi_sys *sys) {
    copy_job job = {.from = -1, .to = -1};
    int err = copy_do(req, sys, &job);
    if (job.from >= 0) gyi_file_close(sys, job.from);
    int late = job.to >= 0 ? gyi_file_close(sys, job.to) : 0;
    if (!err) err = late;
    if (err && job.made) gyi_file_unlink(sys, gyi_file_here, req->priv.in.to);
    return err;
}

/* ---- file to descriptor ------------------------------------------------------------------------------------------ */

int gyi_fs_sendfile(gy_fs *req, gyi_sys *sys) {
    const gyi_fs_in *in = &req->priv.in;
    int64_t n = 1;
    while (n > 0 && req->result < in->len) {
        int64_t left = in->len - req->result;
        n = gyi_file_send(sys, in->fd, in->other, in->at + req->result, left < COPY_STEP ? (size_t)left : COPY_STEP);
        if (n > 0) req->result += n;
    }
    if (n == -ENOTSUP)
        n = copy_by_hand(req, sys, in->fd, in->other, in->at + req->result, in->len - req->result);
    if (n == -EAGAIN && req->result) return 0;
    return n < 0 ? (int)n : 0;
}
