/* SPDX-License-Identifier: ISC */
/* Walking a tree. Names are looked up in the directory that is held open, never by the whole path, and links are not
 * followed: so the walk stays inside the tree even when somebody exchanges its directories meanwhile. A directory stays
 * open while the walk is below it, because its position in it cannot be had again. */
#include "fs/fs.h"

#include <string.h>

#include "base/alloc.h"

enum { WALK_FIRST = 16 };

typedef struct walk_level {
    gyi_dir *dir;
    size_t path; /* its length */
    size_t name; /* where in the path its own name begins */
    gy_fs_info info;
} walk_level;

typedef struct walk {
    gy_fs *req;
    gyi_sys *sys;
    const gy_alloc *alloc;
    walk_level *levels;
    unsigned depth, most; /* directories that are open; room for them */
    char *path;
    size_t len, room;
} walk;

/* Puts a name behind the first `len` bytes of the path. @return where it begins, or 0 with no memory. */
static size_t walk_append(walk *w, size_t len, const char *name) {
    size_t add = strlen(name), need = len + add + 2;
    if (need > w->room) {
        char *path = gyi_alloc_grow(w->alloc, w->path, len, need * 2);
        if (!path) return 0;
        w->path = path;
        w->room = need * 2;
    }
    if (len && w->path[len - 1] != '/') w->path[len++] = '/';
    memcpy(w->path + len, name, add + 1);
    w->len = len + add;
    return len;
}

static int walk_visit(walk *w, const gy_fs_info *info, size_t name, bool leaving) {
    gy_fs_step step = {
        .path = w->path, .name = w->path + name, .info = info, .depth = w->depth, .leaving = leaving};
    w->req->result++;
    return w->req->priv.in.visit(w->req, &step);
}

/* Whether the error means that what was there a moment ago is there no more, or has become something else. */
static bool walk_gone(int err) { return err == -ENOENT || err == -ENOTDIR || err == -ELOOP; }

/* Goes into a directory that was just visited; `name` is where its name begins in the path. */
static int walk_enter(walk *w, int dir, const char *path, const gy_fs_info *info, size_t name) {
    if (w->depth == w->most) {
        unsigned most = w->most ? w->most * 2 : WALK_FIRST;
        walk_level *more = gyi_alloc_grow(w->alloc, w->levels, w->most * sizeof *more, most * sizeof *more);
        if (!more) return -ENOMEM;
        w->levels = more;
        w->most = most;
    }
    int fd = gyi_file_open_dir(w->sys, dir, path, GYI_NOFOLLOW);
    if (fd < 0) return walk_gone(fd) ? 0 : fd;
    walk_level *level = &w->levels[w->depth];
    *level = (walk_level){.path = w->len, .name = name, .info = *info};
    int err = gyi_dir_open(w->sys, fd, &level->dir);
    if (!err) w->depth++;
    return err;
}

/* Looks at one name in a directory. */
static int walk_look(walk *w, int dir, const char *name, size_t at) {
    gyi_stat st;
    gy_fs_info info;
    int err = gyi_file_stat(w->sys, dir, name, GYI_NOFOLLOW, &st);
    if (err) return w->depth && walk_gone(err) ? 0 : err;
    gyi_fs_inform(&st, &info);
    int said = walk_visit(w, &info, at, false);
    if (said < 0) return said;
    return said || info.type != GY_FS_DIR ? 0 : walk_enter(w, dir, name, &info, at);
}

/* Leaves the directory that the walk is in. */
static int walk_leave(walk *w) {
    walk_level level = w->levels[--w->depth];
    gyi_dir_close(w->sys, level.dir);
    w->len = level.path;
    w->path[w->len] = 0;
    if (!(w->req->priv.in.flags & GY_FS_WALK_LEAVE)) return 0;
    int said = walk_visit(w, &level.info, level.name, true);
    return said < 0 ? said : 0;
}

static int walk_all(walk *w) {
    const char *root = w->req->priv.in.path;
    if (!*root) return -ENOENT;
    if (!walk_append(w, 0, root) && !w->path) return -ENOMEM;
    const char *slash = strrchr(root, '/');
    int err = walk_look(w, gyi_file_here, root, slash && slash[1] ? (size_t)(slash + 1 - root) : 0);
    while (!err && w->depth) {
        const walk_level *level = &w->levels[w->depth - 1];
        const gyi_dir_entry *entry;
        err = gyi_dir_next(w->sys, level->dir, &entry);
        if (err) break;
        if (!entry) {
            err = walk_leave(w);
            continue;
        }
        const char *name = gyi_dir_entry_name(entry);
        size_t at = walk_append(w, level->path, name);
        err = at ? walk_look(w, gyi_dir_fd(level->dir), name, at) : -ENOMEM;
    }
    return err;
}

int gyi_fs_walk(gy_fs *req, gyi_sys *sys) {
    walk w = {.req = req, .sys = sys, .alloc = &req->priv.now.alloc};
    int err = walk_all(&w);
    while (w.depth) gyi_dir_close(sys, w.levels[--w.depth].dir);
    gyi_free(w.alloc, w.levels);
    gyi_free(w.alloc, w.path);
    return err;
}
