/* SPDX-License-Identifier: ISC */
/* Watching with a kqueue of the watcher's own, which the loop's backend watches in turn: it is a descriptor.
 *
 * Everything that the kernel has to tell is taken first, as marks on nodes, and looked into then (watchscan.c). So an
 * event is never about a descriptor that was closed meanwhile and whose number is another file's.
 *
 * What has no descriptor of its own is looked at on the pool, one after the other, once a second. */
#include "fs/fswatch.h"

#include <string.h>

#include "base/alloc.h"
#include "sys/fd.h"

static const gy_ns VNODE_EVERY = GY_S(1), VNODE_LATER = GY_MS(100); /* for memory to be there */

enum { VNODE_EVENTS = 64 };

/* ---- looking into what is marked --------------------------------------------------------------------------------- */

static void vnode_later(gy_timer *timer);

/* What has found no memory is tried again. */
static void vnode_wait(gyi_watcher *w) {
    if (!(w->flags & GYI_WATCHER_SCAN) || (w->flags & GYI_WATCHER_ENDING) || gy_timer_active(&w->half)) return;
    gy_timer_unref(&w->half);
    gy_timer_start(w->loop, &w->half, (gy_timer_opts){.fn = vnode_later, .after = VNODE_LATER});
}

static void vnode_later(gy_timer *timer) {
    gyi_watcher *w = GY_OF(timer, gyi_watcher, half);
    if (w->flags & GYI_WATCHER_ENDING) return;
    w->flags &= ~(unsigned)GYI_WATCHER_SCAN;
    gyi_nodes_again(w);
    vnode_wait(w);
}

static void vnode_scan(gyi_watcher *w) {
    gyi_nodes_scan(w, GYI_TREE_NEW);
    vnode_wait(w);
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static void vnode_ask(gyi_watcher *w);

static void vnode_looked(gyi_watcher *w, gyi_node *node, int err, const gy_fs_info *info) {
    if (err) {
        if (gyi_watcher_absent(err)) gyi_node_mark(w, node->dir, GYI_NODE_SCAN);
        return;
    }
    gyi_differs how = gyi_watcher_differs(&node->last, info);
    bool is_dir = node->kind == GYI_FILE_DIR;
    if (how == GYI_DIFFERS_KIND) gyi_node_mark(w, node->dir, GYI_NODE_SCAN);
    else if (how == GYI_DIFFERS_CONTENT && is_dir) gyi_node_mark(w, node, GYI_NODE_SCAN);
    else if (how == GYI_DIFFERS_CONTENT) gyi_node_tell(w, node, GY_FSWATCH_CHANGED, 0);
    else if (how == GYI_DIFFERS_ATTRIBUTES) gyi_node_tell(w, node, GY_FSWATCH_ATTRIBUTES, 0);
}

static void vnode_answer(gy_fs *req, int err) {
    gyi_watcher *w = GY_OF(req, gyi_watcher, stat);
    w->flags &= ~(unsigned)GYI_WATCHER_ASKING;
    if (w->owner && !(w->flags & GYI_WATCHER_ENDING)) {
        gyi_node *node = w->asked;
        w->asked = NULL;
        if (node) vnode_looked(w, node, err, &req->info);
        vnode_scan(w);
        vnode_ask(w);
    }
    gyi_watcher_release(w);
}

/* Asks for the next node, which goes to the end of the list. What cannot be asked has its turn later. */
static void vnode_ask(gyi_watcher *w) {
    if (!w->to_ask || gyi_list_empty(&w->looked) || (w->flags & GYI_WATCHER_ASKING)) return;
    gyi_node *node = GY_OF(gyi_list_take(&w->looked), gyi_node, looked);
    gyi_list_append(&w->looked, &node->looked);
    w->to_ask--;
    const char *path = gyi_node_path(w, node);
    if (path) path = gyi_tree_join(w, path, "");
    size_t len = path ? strlen(path) + 1 : 0;
    gyi_free(&w->loop->alloc, w->asking);
    w->asking = path ? gyi_alloc_zero(&w->loop->alloc, len) : NULL;
    if (!w->asking) return;
    memcpy(w->asking, path, len);
    if (gy_fs_lstat(w->loop, &w->stat, w->asking, vnode_answer)) return;
    w->flags |= GYI_WATCHER_ASKING;
    w->asked = node;
}

static void vnode_again(gy_timer *timer) {
    gyi_watcher *w = GY_OF(timer, gyi_watcher, again);
    if (w->flags & GYI_WATCHER_ENDING) return;
    if (gyi_list_empty(&w->looked)) {
        gy_timer_stop(timer);
        return;
    }
    if (w->flags & GYI_WATCHER_ASKING) return; /* the last time takes longer than the pause */
    w->to_ask = 0;
    for (gyi_entry *e = w->looked.next; e != &w->looked; e = e->next) w->to_ask++;
    vnode_ask(w);
}

void gyi_watcher_look(gyi_watcher *w) {
    if (gy_timer_active(&w->again)) return;
    gy_timer_unref(&w->again);
    gy_timer_start(w->loop, &w->again, (gy_timer_opts){.fn = vnode_again, .every = VNODE_EVERY});
}

/* ---- the queue --------------------------------------------------------------------------------------------------- */

static void vnode_ready(gyi_entry *entry) {
    gyi_watcher *w = GY_OF(entry, gyi_watcher, watch.entry);
    gyi_vnode_event events[VNODE_EVENTS];
    int got = w->watch.got & GYI_GOT_REFUSED ? w->watch.fd : VNODE_EVENTS;
    while (got == VNODE_EVENTS) {
        got = gyi_vnode_read(&w->loop->sys, w->fd, events, VNODE_EVENTS);
        for (int i = 0; i < got; i++) {
            int fd = events[i].fd;
            gyi_node *node = (unsigned)fd < w->fds ? w->by_fd[fd] : NULL;
            if (node) gyi_node_mark(w, node, events[i].what);
        }
    }
    if (got < 0) {
        gyi_watch_stop(w->loop, &w->watch);
        gyi_watcher_gone(w, got);
    }
    if (!(w->flags & GYI_WATCHER_ENDING)) vnode_scan(w);
}

static int vnode_begin(gyi_watcher *w) {
    gyi_list_init(&w->marked);
    gyi_list_init(&w->fresh);
    gyi_list_init(&w->missed);
    gyi_list_init(&w->looked);
    int fd = gyi_vnode_open(&w->loop->sys);
    if (fd < 0) return fd;
    w->fd = fd;
    w->top = gyi_node_new(w, NULL, "", 0, GYI_FILE_UNKNOWN);
    if (!w->top) return -ENOMEM;
    gyi_node_place(w, w->top);
    int err = gyi_node_watch(w, w->top);
    if (err) return err;
    if (w->top->kind == GYI_FILE_DIR) gyi_node_mark(w, w->top, GYI_NODE_SCAN);
    err = gyi_nodes_scan(w, GYI_TREE_OLD);
    if (err) return err;
    w->watch.entry.run = vnode_ready;
    gyi_watch_unref(w->loop, &w->watch);
    return gyi_watch_start(w->loop, &w->watch, fd, GY_READABLE);
}

int gyi_watcher_vnode(gyi_watcher *w) {
    int err = vnode_begin(w);
    if (err != -ENOTSUP) return err;
    gyi_watcher_vnode_end(w); /* what is left is looked at */
    gyi_watcher_kernel_end(w);
    return err;
}

/* The queue itself goes with the kernel's part; see gyi_watcher_kernel_end(). */
void gyi_watcher_vnode_end(gyi_watcher *w) { gyi_nodes_free(w); }
