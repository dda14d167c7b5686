/* SPDX-License-Identifier: ISC */
/* The directories of a watcher: an array ordered by the kernel's numbers, which is nearly the order in which they are
 * added. Most watchers have one.
 *
 * A directory is watched first and read then, so that nothing falls between; what appears at that moment is found
 * twice. Reading goes on until no directory is marked any more, without recursion. Links are not followed: what is
 * below the root must be a directory for the kernel and for the reader.
 *
 * Paths are those of the last event that was read, and files are found by those of this moment. A directory that was
 * not found, or instead of which another one was, is read when the event of its move has come. */
#include <string.h>

#include "base/alloc.h"
#include "fs/fswatch.h"

enum { TREE_FIRST = 4 };

const char *gyi_tree_join(gyi_watcher *w, const char *dir, const char *name) {
    const char *parts[] = {w->path, dir, name};
    size_t need = strlen(w->path) + strlen(dir) + strlen(name) + 3, len = 0;
    if (need > w->room) {
        char *more = gyi_alloc_grow(&w->loop->alloc, w->joined, 0, need * 2);
        if (!more) return NULL;
        w->joined = more;
        w->room = need * 2;
    }
    w->joined[0] = 0;
    for (int i = 0; i < 3; i++) {
        if (!*parts[i]) continue;
        if (i && len && w->joined[len - 1] != '/') w->joined[len++] = '/';
        size_t add = strlen(parts[i]);
        memcpy(w->joined + len, parts[i], add + 1);
        len += add;
    }
    return w->joined;
}

/* ---- the array --------------------------------------------------------------------------------------------------- */

/* The first with that number or a higher one. */
static unsigned tree_place(const gyi_watcher *w, int id) {
    unsigned low = 0, high = w->count;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (w->dirs[mid].id < id) low = mid + 1;
        else high = mid;
    }
    return low;
}

gyi_watched *gyi_tree_find(gyi_watcher *w, int id) {
    unsigned at = tree_place(w, id);
    return at < w->count && w->dirs[at].id == id ? &w->dirs[at] : NULL;
}

static bool tree_reserve(gyi_watcher *w) {
    if (w->count < w->most) return true;
    unsigned most = w->most ? w->most * 2 : TREE_FIRST;
    gyi_watched *more = gyi_alloc_grow(&w->loop->alloc, w->dirs, w->count * sizeof *more, most * sizeof *more);
    if (!more) return false;
    w->dirs = more;
    w->most = most;
    return true;
}

static void tree_insert(gyi_watcher *w, int id, char *path) {
    unsigned at = tree_place(w, id);
    if (at < w->count && w->dirs[at].id == id) {
        bool same = !strcmp(w->dirs[at].path, path);
        gyi_free(&w->loop->alloc, w->dirs[at].path);
        w->dirs[at].path = path;
        if (!same) w->dirs[at].scan = true, w->dirs[at].later = w->dirs[at].quiet = false;
        return;
    }
    memmove(w->dirs + at + 1, w->dirs + at, (w->count - at) * sizeof *w->dirs);
    w->dirs[at] = (gyi_watched){.id = id, .scan = true, .path = path};
    w->count++;
}

int gyi_tree_add(gyi_watcher *w, const char *dir, const char *name) {
    size_t have = strlen(dir), add = strlen(name), slash = have && add;
    bool root = !have && !add;
    const char *full = gyi_tree_join(w, dir, name);
    char *path = gyi_alloc_zero(&w->loop->alloc, have + slash + add + 1);
    if (!full || !path || !tree_reserve(w)) {
        gyi_free(&w->loop->alloc, path);
        return -ENOMEM;
    }
    memcpy(path, dir, have);
    if (slash) path[have] = '/';
    memcpy(path + have + slash, name, add + 1);
    int id = gyi_notify_add(&w->loop->sys, w->fd, full, root ? GYI_NOTIFY_ROOT : GYI_NOTIFY_BELOW);
    if (id < 0) gyi_free(&w->loop->alloc, path);
    else tree_insert(w, id, path);
    return id;
}

static void tree_remove(gyi_watcher *w, unsigned at) {
    gyi_free(&w->loop->alloc, w->dirs[at].path);
    w->count--;
    memmove(w->dirs + at, w->dirs + at + 1, (w->count - at) * sizeof *w->dirs);
}

void gyi_tree_drop(gyi_watcher *w, int id) {
    const gyi_watched *dir = gyi_tree_find(w, id);
    if (dir) tree_remove(w, (unsigned)(dir - w->dirs));
}

void gyi_tree_free(gyi_watcher *w) {
    while (w->count) gyi_free(&w->loop->alloc, w->dirs[--w->count].path);
    gyi_free(&w->loop->alloc, w->dirs);
    w->dirs = NULL;
    w->most = 0;
}

bool gyi_tree_stands(gyi_watcher *w, int id) {
    const gyi_watched *dir = gyi_tree_find(w, id);
    if (!dir || !*dir->path) return true;
    const char *full = gyi_tree_join(w, dir->path, "");
    int there = full ? gyi_notify_add(&w->loop->sys, w->fd, full, GYI_NOTIFY_BELOW) : id;
    return there < 0 ? !gyi_watcher_absent(there) : there == id;
}

void gyi_tree_later(gyi_watcher *w, int id, gyi_tree_news news) {
    gyi_watched *dir = gyi_tree_find(w, id);
    if (!dir || dir->scan) return;
    dir->quiet = news == GYI_TREE_OLD && (dir->quiet || !dir->later);
    dir->later = true;
}

/* ---- moves ------------------------------------------------------------------------------------------------------- */

static bool tree_below(const char *path, const char *top, size_t len) {
    return !strncmp(path, top, len) && (!path[len] || path[len] == '/');
}

void gyi_tree_forget(gyi_watcher *w, const char *path) {
    size_t len = strlen(path);
    for (unsigned i = w->count; i-- > 0;) {
        if (!tree_below(w->dirs[i].path, path, len)) continue;
        gyi_notify_remove(&w->loop->sys, w->fd, w->dirs[i].id);
        tree_remove(w, i);
    }
}

int gyi_tree_move(gyi_watcher *w, const char *from, const char *to) {
    size_t old = strlen(from), new = strlen(to);
    for (unsigned i = 0; i < w->count; i++) {
        gyi_watched *dir = &w->dirs[i];
        if (!tree_below(dir->path, from, old)) continue;
        size_t rest = strlen(dir->path + old) + 1;
        char *path = gyi_alloc_zero(&w->loop->alloc, new + rest);
        if (!path) return -ENOMEM;
        memcpy(path, to, new);
        memcpy(path + new, dir->path + old, rest);
        gyi_free(&w->loop->alloc, dir->path);
        dir->path = path;
        if (!dir->later) continue;
        dir->later = false;
        dir->scan = true;
        w->flags |= GYI_WATCHER_SCAN;
    }
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Whose list is read, and whether what is in it is news. */
typedef struct tree_reading {
    const char *path;
    gyi_tree_news news;
} tree_reading;

static int tree_entry(gyi_watcher *w, void *ctx, const gyi_found *found) {
    const tree_reading *r = ctx;
    bool is_dir = found->kind == GYI_FILE_DIR;
    if (r->news == GYI_TREE_NEW)
        gyi_watcher_add(
            w, &(gyi_happened){.kind = GY_FSWATCH_CREATED, .is_dir = is_dir, .dir = r->path, .name = found->name});
    int id = is_dir ? gyi_tree_add(w, r->path, found->name) : 0;
    return id < 0 && !gyi_watcher_absent(id) ? id : 0;
}

/* The next event finds it marked as it was. */
static void tree_again(gyi_watcher *w, int id, gyi_tree_news news) {
    gyi_watched *dir = gyi_tree_find(w, id);
    if (!dir) return;
    dir->scan = true;
    dir->quiet = news == GYI_TREE_OLD;
}

static int tree_read_marked(gyi_watcher *w, gyi_watched *marked, gyi_tree_news tell) {
    gyi_tree_news news = tell;
    size_t len = strlen(marked->path) + 1;
    int id = marked->id;
    if (marked->quiet) news = GYI_TREE_OLD;
    marked->scan = marked->quiet = marked->later = false;
    char *path = gyi_alloc_zero(&w->loop->alloc, len); /* the array moves while it is read */
    if (!path) {
        tree_again(w, id, news);
        return -ENOMEM;
    }
    memcpy(path, marked->path, len);
    int err = gyi_watcher_list(w, path, NULL, tree_entry, &(tree_reading){path, news});
    if (err == -ENOMEM) tree_again(w, id, news);
    else if (gyi_watcher_absent(err) || !gyi_tree_stands(w, id)) gyi_tree_later(w, id, news);
    if (gyi_watcher_absent(err)) err = 0;
    if (err && tell == GYI_TREE_NEW)
        gyi_watcher_add(
            w, &(gyi_happened){.kind = GY_FSWATCH_RESCAN, .is_dir = true, .err = err, .dir = path, .name = ""});
    gyi_free(&w->loop->alloc, path);
    return err;
}

int gyi_tree_scan(gyi_watcher *w, gyi_tree_news news) {
    /* Directories that are found stand behind, unless the kernel's numbers have begun anew. */
    for (bool more = true; more;) {
        more = false;
        for (unsigned i = 0; i < w->count; i++) {
            if (!w->dirs[i].scan) continue;
            more = true;
            int err = tree_read_marked(w, &w->dirs[i], news);
            if (err && news == GYI_TREE_OLD) return err;
            if (err != -ENOMEM) continue;
            gyi_watcher_lost(w);
            w->flags |= GYI_WATCHER_SCAN;
            return 0;
        }
    }
    return 0;
}
