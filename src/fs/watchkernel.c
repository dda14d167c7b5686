/* SPDX-License-Identifier: ISC */
/* What the kernel tells, and what it means.
 *
 * One block is read each time the descriptor is readable. The two halves of a move come one after the other but not
 * at once, so the first is kept until the next event, or a moment when there is none yet; alone it is a removal. After
 * such a moment it is also tried again to read what has found no memory. */
#include "fs/fswatch.h"

#include "base/alloc.h"
#include "sys/fd.h"

static const gy_ns KERNEL_HALF = GY_MS(20);

/* Something is not known: all paths are brought up to date. */
static void kernel_reread(gyi_watcher *w) {
    gyi_watcher_lost(w);
    if (!(w->flags & GYI_WATCHER_RECURSIVE)) return;
    for (unsigned i = 0; i < w->count; i++) w->dirs[i].scan = w->dirs[i].quiet = true;
    w->flags |= GYI_WATCHER_SCAN;
}

/* A name is there that was not there, or not known to be. When it is not to be found, it has gone again, of which an
 * event comes; or a directory above has moved, and then this one is looked for when that event has come. */
static void kernel_appeared(gyi_watcher *w, const gyi_notify_event *e) {
    const gyi_watched *in = gyi_tree_find(w, e->id); /* which has another path when the tree was read before a move */
    if (!in || !(e->what & GYI_NOTIFY_DIR) || !(w->flags & GYI_WATCHER_RECURSIVE)) return;
    const char *dir = in->path;
    int id = gyi_tree_stands(w, e->id) ? gyi_tree_add(w, dir, e->name) : -ENOENT;
    if (gyi_watcher_absent(id))
        gyi_tree_later(w, e->id, GYI_TREE_OLD);
    else if (id == -ENOMEM)
        kernel_reread(w);
    else if (id < 0)
        gyi_watcher_add(w, &(gyi_happened){
                               .kind = GY_FSWATCH_RESCAN, .is_dir = true, .err = id, .dir = dir, .name = e->name});
    else w->flags |= GYI_WATCHER_SCAN;
}

/* The second half of a move will not come. */
static void kernel_half_over(gyi_watcher *w) {
    gyi_told *moved = w->moved;
    if (!moved) return;
    w->moved = NULL;
    gy_timer_stop(&w->half);
    if (moved->is_dir) gyi_tree_forget(w, moved->text);
    gyi_told_add(w, moved);
}

static void kernel_moved_from(gyi_watcher *w, const char *dir, const gyi_notify_event *e) {
    bool is_dir = e->what & GYI_NOTIFY_DIR;
    w->moved = gyi_told_new(
        w, &(gyi_happened){.kind = GY_FSWATCH_REMOVED, .is_dir = is_dir, .dir = dir, .name = e->name});
    w->cookie = e->cookie;
    if (is_dir && !w->moved) kernel_reread(w);
}

static void kernel_moved_to(gyi_watcher *w, const char *dir, const gyi_notify_event *e) {
    bool is_dir = e->what & GYI_NOTIFY_DIR;
    gyi_happened here = {.kind = GY_FSWATCH_CREATED, .is_dir = is_dir, .dir = dir, .name = e->name};
    gyi_told *from = w->moved, *to = gyi_told_new(w, &here);
    if (!from || !to) {
        kernel_half_over(w);
        if (to) gyi_told_add(w, to);
        else if (is_dir) kernel_reread(w);
        kernel_appeared(w, e);
        return;
    }
    w->moved = NULL;
    gy_timer_stop(&w->half);
    if (is_dir && gyi_tree_move(w, from->text, to->text)) {
        gyi_tree_forget(w, from->text);
        kernel_reread(w);
    }
    kernel_appeared(w, e); /* if it was not watched yet */
    gyi_told_add_pair(w, from, to);
}

static void kernel_name(gyi_watcher *w, const char *dir, const gyi_notify_event *e) {
    static const struct {
        unsigned what;
        gy_fswatch_kind kind;
    } rows[] = {{GYI_NOTIFY_CREATED, GY_FSWATCH_CREATED},
                {GYI_NOTIFY_REMOVED, GY_FSWATCH_REMOVED},
                {GYI_NOTIFY_CHANGED, GY_FSWATCH_CHANGED},
                {GYI_NOTIFY_ATTRIBUTES, GY_FSWATCH_ATTRIBUTES}};
    bool is_dir = e->what & GYI_NOTIFY_DIR;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (e->what & rows[i].what)
            gyi_watcher_add(w, &(gyi_happened){.kind = rows[i].kind, .is_dir = is_dir, .dir = dir, .name = e->name});
    if (e->what & GYI_NOTIFY_CREATED) kernel_appeared(w, e);
}

/* Whether the path leads to what is watched: it has the old number then. What keeps the kernel from answering is no
 * news of the path. */
static bool kernel_stands(gyi_watcher *w) {
    gyi_sys *sys = &w->loop->sys;
    int id = gyi_notify_add(sys, w->fd, w->path, GYI_NOTIFY_ROOT);
    if (id >= 0 && id != w->root) gyi_notify_remove(sys, w->fd, id);
    return id < 0 ? !gyi_watcher_absent(id) : id == w->root;
}

/* Among what was lost may be the end of the path itself, which the kernel tells once. */
static void kernel_overflow(gyi_watcher *w) {
    kernel_reread(w);
    if (!kernel_stands(w)) gyi_watcher_gone(w, 0);
}

static void kernel_event(gyi_watcher *w, const gyi_notify_event *e) {
    if (w->moved && !((e->what & GYI_NOTIFY_MOVED_TO) && e->cookie == w->cookie)) kernel_half_over(w);
    if (e->what & GYI_NOTIFY_OVERFLOW) {
        kernel_overflow(w);
        return;
    }
    const gyi_watched *dir = gyi_tree_find(w, e->id);
    if (!dir) return;
    bool root = e->id == w->root;
    if (root && (e->what & (GYI_NOTIFY_GONE | GYI_NOTIFY_ENDED))) gyi_watcher_gone(w, 0);
    else if (e->what & GYI_NOTIFY_ENDED) gyi_tree_drop(w, e->id);
    else if (!*e->name && !root) return; /* the directory above tells of it by name */
    else if (e->what & GYI_NOTIFY_MOVED_FROM) kernel_moved_from(w, dir->path, e);
    else if (e->what & GYI_NOTIFY_MOVED_TO) kernel_moved_to(w, dir->path, e);
    else kernel_name(w, dir->path, e);
}

static void kernel_late(gy_timer *timer);

static void kernel_wait(gyi_watcher *w) {
    bool waits = w->moved || (w->flags & GYI_WATCHER_SCAN);
    if (waits && !gy_timer_active(&w->half))
        gy_timer_start(w->loop, &w->half, (gy_timer_opts){.fn = kernel_late, .after = KERNEL_HALF});
}

static void kernel_scan(gyi_watcher *w) {
    if (!(w->flags & GYI_WATCHER_SCAN)) return;
    w->flags &= ~(unsigned)GYI_WATCHER_SCAN;
    gyi_tree_scan(w, GYI_TREE_NEW);
}

static void kernel_late(gy_timer *timer) {
    gyi_watcher *w = GY_OF(timer, gyi_watcher, half);
    kernel_half_over(w);
    kernel_scan(w);
    kernel_wait(w);
}

/* What is still to be scanned has found no memory the last time: its paths are needed first. */
static void kernel_read(gyi_watcher *w) {
    kernel_scan(w);
    int got = gyi_notify_read(&w->loop->sys, w->fd, &w->block);
    if (got < 0 && got != -EAGAIN) {
        gyi_watch_stop(w->loop, &w->watch);
        gyi_watcher_gone(w, got);
    }
    for (int at = 0; at < got;) {
        gyi_notify_event e;
        at = gyi_notify_next(&w->block, at, &e);
        kernel_event(w, &e);
    }
    kernel_scan(w);
    kernel_wait(w);
}

static void kernel_ready(gyi_entry *entry) {
    gyi_watcher *w = GY_OF(entry, gyi_watcher, watch.entry);
    if (w->watch.got & GYI_GOT_REFUSED) gyi_watcher_gone(w, w->watch.fd);
    else kernel_read(w);
}

int gyi_watcher_kernel(gyi_watcher *w) {
    gyi_sys *sys = &w->loop->sys;
    int fd = gyi_notify_open(sys);
    if (fd < 0) return fd == -ENOSYS ? -ENOTSUP : fd;
    w->fd = fd;
    int err = w->root = gyi_tree_add(w, "", "");
    if (err < 0) return err;
    if (w->flags & GYI_WATCHER_RECURSIVE) {
        err = gyi_tree_scan(w, GYI_TREE_OLD);
        if (err) return err;
    }
    w->watch.entry.run = kernel_ready;
    gyi_watch_unref(w->loop, &w->watch);
    gy_timer_unref(&w->half);
    return gyi_watch_start(w->loop, &w->watch, fd, GY_READABLE);
}

void gyi_watcher_kernel_end(gyi_watcher *w) {
    gy_timer_stop(&w->half);
    if (w->fd < 0) return;
    gyi_watch_forget(w->loop, &w->watch);
    gyi_fd_close(&w->loop->sys, w->fd);
    w->fd = -1;
}
