/* SPDX-License-Identifier: ISC */
/* Removing a tree.
 *
 * One directory is open at a time, so depth costs memory and no descriptors. What is in it is removed by name relative
 * to it; a directory in it is entered without following a link, and the way back up is "..", which is believed only
 * when it leads to the very directory that was left: if somebody has moved the one below out of the tree, "..", and
 * with it all that would follow, is somewhere else. Back in a directory it is read from the beginning: all that was
 * there before has gone. */
#include "fs/fs.h"

#include <string.h>

#include "base/alloc.h"

/* How to get back: which directory was left, and under which name the one below stands in it. */
typedef struct remove_level {
    uint64_t dev, ino;
    size_t size; /* of the name, which lies before this on the stack, with its final 0 */
} remove_level;

typedef struct remove_job {
    gyi_sys *sys;
    const gy_alloc *alloc;
    gyi_dir *dir; /* the one that is being emptied; NULL: none is open */
    char *stack;
    size_t used, room;
    int64_t removed;
} remove_job;

static int remove_push(remove_job *job, const gyi_stat *st, const char *name) {
    remove_level level = {.dev = st->dev, .ino = st->ino, .size = strlen(name) + 1};
    size_t need = job->used + level.size + sizeof level;
    if (need > job->room) {
        char *more = gyi_alloc_grow(job->alloc, job->stack, job->used, need * 2);
        if (!more) return -ENOMEM;
        job->stack = more;
        job->room = need * 2;
    }
    memcpy(job->stack + job->used, name, level.size);
    memcpy(job->stack + job->used + level.size, &level, sizeof level);
    job->used = need;
    return 0;
}

/* The name stays readable until the next push. */
static const char *remove_pop(remove_job *job, remove_level *level) {
    memcpy(level, job->stack + job->used - sizeof *level, sizeof *level);
    job->used -= sizeof *level + level->size;
    return job->stack + job->used;
}

/* Takes `fd` as the directory to empty, in place of the present one. */
static int remove_turn_to(remove_job *job, int fd) {
    if (job->dir) gyi_dir_close(job->sys, job->dir);
    return gyi_dir_open(job->sys, fd, &job->dir);
}

/* Counts what was removed; what was gone already is as good. */
static int remove_count(remove_job *job, int err) {
    if (!err) job->removed++;
    return err == -ENOENT ? 0 : err;
}

/* A directory that may not be read, which only matters when there is something in it. */
static int remove_unread(remove_job *job, int dir, const char *name) {
    return remove_count(job, gyi_file_rmdir(job->sys, dir, name)) ? -EACCES : 0;
}

static int remove_down(remove_job *job, const char *name) {
    gyi_stat st;
    int here = gyi_dir_fd(job->dir), fd = gyi_file_open_dir(job->sys, here, name, GYI_NOFOLLOW);
    /* What was a directory has become something else: that is removed. */
    if (fd == -ENOTDIR || fd == -ELOOP) return remove_count(job, gyi_file_unlink(job->sys, here, name));
    if (fd == -EACCES) return remove_unread(job, here, name);
    if (fd < 0) return fd == -ENOENT ? 0 : fd;
    int err = gyi_file_fstat(job->sys, here, &st);
    if (!err) err = remove_push(job, &st, name);
    if (!err) return remove_turn_to(job, fd);
    gyi_file_close(job->sys, fd);
    return err;
}

static int remove_up(remove_job *job) {
    remove_level level;
    gyi_stat st;
    const char *name = remove_pop(job, &level);
    int fd = gyi_file_open_dir(job->sys, gyi_dir_fd(job->dir), "..", GYI_NOFOLLOW);
    if (fd < 0) return fd == -ENOENT ? -ESTALE : fd;
    int err = gyi_file_fstat(job->sys, fd, &st);
    if (!err && (st.dev != level.dev || st.ino != level.ino)) err = -ESTALE;
    if (!err) err = remove_count(job, gyi_file_rmdir(job->sys, fd, name));
    if (!err) return remove_turn_to(job, fd);
    gyi_file_close(job->sys, fd);
    return err;
}

/* Trying costs one call and needs no question before it that may be out of date by then. */
static int remove_entry(remove_job *job, const gyi_dir_entry *entry) {
    const char *name = gyi_dir_entry_name(entry);
    if (gyi_dir_entry_kind(entry) == GYI_FILE_DIR) return remove_down(job, name);
    int err = gyi_file_unlink(job->sys, gyi_dir_fd(job->dir), name);
    return err == -EISDIR ? remove_down(job, name) : remove_count(job, err);
}

static int remove_contents(remove_job *job) {
    for (;;) {
        const gyi_dir_entry *entry;
        int err = gyi_dir_next(job->sys, job->dir, &entry);
        if (!err && !entry && !job->used) return 0;
        if (!err) err = entry ? remove_entry(job, entry) : remove_up(job);
        if (err) return err;
    }
}

static int remove_root(remove_job *job, const char *path) {
    int err = gyi_file_unlink(job->sys, gyi_file_here, path);
    if (!err) job->removed++;
    if (err != -EISDIR) return err;
    int fd = gyi_file_open_dir(job->sys, gyi_file_here, path, GYI_NOFOLLOW);
    if (fd == -EACCES) return remove_unread(job, gyi_file_here, path);
    if (fd < 0) return fd;
    err = remove_turn_to(job, fd);
    if (!err) err = remove_contents(job);
    if (job->dir) gyi_dir_close(job->sys, job->dir);
    if (!err) err = remove_count(job, gyi_file_rmdir(job->sys, gyi_file_here, path));
    return err;
}

/* The length without slashes at the end, with which a link would be followed; 0 when there is nothing else, or when the
 * last part is no name. */
static size_t remove_length(const char *path) {
    size_t len = strlen(path), name;
    while (len && path[len - 1] == '/') len--;
    for (name = len; name && path[name - 1] != '/';) name--;
    if (len - name == 1 && path[name] == '.') return 0;
    if (len - name == 2 && path[name] == '.' && path[name + 1] == '.') return 0;
    return len;
}

int gyi_fs_remove_tree(gy_fs *req, gyi_sys *sys) {
    remove_job job = {.sys = sys, .alloc = &req->priv.now.alloc};
    size_t len = remove_length(req->priv.in.path);
    if (!len) return *req->priv.in.path ? -EINVAL : -ENOENT;
    char *path = gyi_fs_hold(req, len + 1);
    if (!path) return -ENOMEM;
    memcpy(path, req->priv.in.path, len);
    path[len] = 0;
    int err = remove_root(&job, path);
    gyi_free(job.alloc, job.stack);
    gyi_fs_drop(req);
    req->result = job.removed;
    return err;
}
