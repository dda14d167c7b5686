/* SPDX-License-Identifier: ISC */
/* The files and directories below a path that a kqueue watches: a tree of nodes, in a table by directory and name.
 *
 * A node has a descriptor, for which the kernel tells that something has happened; or, when it could not be opened
 * (most likely there are too many), it is on the list of those that are looked at; or, being neither a file nor a
 * directory, it is only known, so that its going can be told. An open descriptor also keeps the inode's number from
 * being given to another file, which is what makes renames certain.
 *
 * A path is put together from the names above, so a directory that moves takes what is below with it. */
#include "fs/fswatch.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "sys/fd.h"

enum { NODE_FDS = 64 };

static uint32_t node_hash(const gyi_node *dir, const char *name) {
    return gyi_table_hash((uint32_t)((uintptr_t)dir >> 4), name);
}

gyi_node *gyi_node_new(gyi_watcher *w, gyi_node *dir, const char *name, uint64_t ino, gyi_file_kind kind) {
    const gy_alloc *alloc = &w->loop->alloc;
    size_t len = strlen(name) + 1;
    gyi_node *node = gyi_alloc_zero(alloc, sizeof *node);
    char *copy = gyi_alloc_zero(alloc, len);
    if (!node || !copy) {
        gyi_free(alloc, node);
        gyi_free(alloc, copy);
        return NULL;
    }
    memcpy(copy, name, len);
    *node = (gyi_node){.dir = dir, .name = copy, .ino = ino, .kind = kind, .fd = -1, .round = w->round};
    gyi_list_init(&node->below);
    if (dir) gyi_list_append(&dir->below, &node->sibling);
    return node;
}

void gyi_node_place(gyi_watcher *w, gyi_node *node) {
    gyi_table_add(&w->names, &w->loop->alloc, &node->row, node_hash(node->dir, node->name));
    node->placed = true;
}

static void node_displace(gyi_watcher *w, gyi_node *node) {
    if (node->placed) gyi_table_remove(&w->names, &node->row);
    if (node->dir) gyi_list_remove(&node->sibling);
}

gyi_node *gyi_node_find(const gyi_watcher *w, const gyi_node *dir, const char *name) {
    for (gyi_row *row = gyi_table_first(&w->names, node_hash(dir, name)); row; row = gyi_table_next(row)) {
        gyi_node *node = GY_OF(row, gyi_node, row);
        if (node->dir == dir && !strcmp(node->name, name)) return node;
    }
    return NULL;
}

/* ---- watching ---------------------------------------------------------------------------------------------------- */

static bool node_room(gyi_watcher *w, int fd) {
    unsigned need = (unsigned)fd + 1;
    if (need <= w->fds) return true;
    unsigned size = need < NODE_FDS ? NODE_FDS : gyi_pow2_up(need);
    gyi_node **more = gyi_alloc_grow(&w->loop->alloc, w->by_fd, w->fds * sizeof *more, size * sizeof *more);
    if (!more) return false;
    w->by_fd = more;
    w->fds = size;
    return true;
}

static int node_open(gyi_watcher *w, gyi_node *node, const char *path) {
    gyi_sys *sys = &w->loop->sys;
    int fd = gyi_vnode_watch(sys, w->fd, path, node->dir ? GYI_NOFOLLOW : GYI_FOLLOW, &node->last);
    if (fd < 0) return fd;
    if (!node_room(w, fd)) {
        gyi_fd_close(sys, fd);
        return -ENOMEM;
    }
    node->fd = fd;
    node->kind = gyi_file_kind_of(node->last.mode);
    w->by_fd[fd] = node;
    return 0;
}

/* The path itself must be opened; what is below it may also be looked at, whatever keeps it from being opened. */
int gyi_node_watch(gyi_watcher *w, gyi_node *node) {
    if (node->dir && node->kind != GYI_FILE_REGULAR && node->kind != GYI_FILE_DIR) return 0;
    const char *path = gyi_node_path(w, node);
    if (path) path = gyi_tree_join(w, path, "");
    if (!path) return -ENOMEM;
    int err = node_open(w, node, path);
    if (!err || !node->dir) return err;
    if (gyi_watcher_absent(err)) return 0; /* its directory will tell */
    int looked = gyi_file_stat(&w->loop->sys, gyi_file_here, path, GYI_NOFOLLOW, &node->last);
    if (looked) return gyi_watcher_absent(looked) ? 0 : err;
    gyi_list_append(&w->looked, &node->looked);
    gyi_watcher_look(w);
    return 0;
}

/* ---- moving and going -------------------------------------------------------------------------------------------- */

void gyi_node_move(gyi_watcher *w, gyi_node *node, gyi_node *to) {
    char *old = node->name;
    node_displace(w, node);
    node->dir = to->dir;
    node->name = to->name;
    node->ino = to->ino;
    node->round = to->round;
    to->name = old;
    gyi_list_append(&node->dir->below, &node->sibling);
    gyi_node_place(w, node);
    gyi_node_drop(w, to);
}

static void node_free(gyi_watcher *w, gyi_node *node) {
    node_displace(w, node);
    if (gyi_entry_listed(&node->link)) gyi_list_remove(&node->link);
    if (gyi_entry_listed(&node->looked)) gyi_list_remove(&node->looked);
    if (w->asked == node) w->asked = NULL;
    if (w->top == node) w->top = NULL;
    if (node->fd >= 0) {
        w->by_fd[node->fd] = NULL;
        gyi_fd_close(&w->loop->sys, node->fd);
    }
    gyi_free(&w->loop->alloc, node->name);
    gyi_free(&w->loop->alloc, node);
}

/* From the leaves up, without recursion. */
void gyi_node_drop(gyi_watcher *w, gyi_node *node) {
    for (gyi_node *at = node, *up;; at = up) {
        while (!gyi_list_empty(&at->below)) at = GY_OF(at->below.next, gyi_node, sibling);
        up = at->dir;
        bool last = at == node;
        node_free(w, at);
        if (last) return;
    }
}

void gyi_nodes_free(gyi_watcher *w) {
    const gy_alloc *alloc = &w->loop->alloc;
    if (!w->top) return;
    gyi_node_drop(w, w->top);
    gyi_table_free(&w->names, alloc);
    gyi_free(alloc, w->by_fd);
    gyi_free(alloc, w->below);
    w->by_fd = NULL;
    w->below = NULL;
    w->fds = 0;
    w->below_room = 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

const char *gyi_node_path(gyi_watcher *w, const gyi_node *node) {
    size_t need = 1;
    for (const gyi_node *n = node; n->dir; n = n->dir) need += strlen(n->name) + 1;
    if (need > w->below_room) {
        char *more = gyi_alloc_grow(&w->loop->alloc, w->below, 0, need * 2);
        if (!more) return NULL;
        w->below = more;
        w->below_room = need * 2;
    }
    size_t at = need - 1;
    w->below[at] = 0;
    for (const gyi_node *n = node; n->dir; n = n->dir) {
        size_t len = strlen(n->name);
        if (n != node) w->below[--at] = '/';
        at -= len;
        memcpy(w->below + at, n->name, len);
    }
    return w->below + at;
}

void gyi_node_mark(gyi_watcher *w, gyi_node *node, unsigned got) {
    node->got |= got;
    if (!gyi_entry_listed(&node->link)) gyi_list_append(&w->marked, &node->link);
}
