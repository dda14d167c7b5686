/* SPDX-License-Identifier: ISC */
/* What has happened, found by comparing: a file with its last look, a directory's names with those that are known.
 *
 * The kernel says which files and directories to look into, and no more. All that are marked are looked into first;
 * names that are there now wait in one list and names that are not there any more in another. Then a new name with the
 * inode of a missed one is a rename, also from one directory to another, as both were marked at the same time. A new
 * directory is watched, then marked, and the next pass reads it, so nothing falls between and no recursion is needed.
 *
 * What is told leads from the old names to the new ones in this order: renames, each when its new name is free, for
 * which the going of what had it may have to be told; then what else has gone; then what is new.
 *
 * Only a missed node with a descriptor can have been renamed: of any other the inode's number may be somebody else's by
 * now. */
#include "fs/fswatch.h"

#include "base/alloc.h"

void gyi_node_tell(gyi_watcher *w, const gyi_node *node, gy_fswatch_kind kind, int err) {
    const char *path = gyi_node_path(w, node);
    if (!path) gyi_watcher_lost(w);
    else
        gyi_watcher_add(w, &(gyi_happened){.kind = kind, .is_dir = node->kind == GYI_FILE_DIR, .err = err, .dir = "",
                                           .name = path});
}

/* ---- lists of names ---------------------------------------------------------------------------------------------- */

static int scan_name(gyi_watcher *w, void *ctx, const gyi_found *found) {
    gyi_node *dir = ctx, *node = gyi_node_find(w, dir, found->name);
    bool is_dir = found->kind == GYI_FILE_DIR;
    if (node && node->ino == found->ino && (node->kind == GYI_FILE_DIR) == is_dir) {
        node->round = w->round;
        return 0;
    }
    node = gyi_node_new(w, dir, found->name, found->ino, found->kind);
    if (!node) return -ENOMEM;
    gyi_list_append(&w->fresh, &node->link);
    return 0;
}

static void scan_miss(gyi_watcher *w, gyi_node *dir) {
    for (gyi_entry *e = dir->below.next; e != &dir->below; e = e->next) {
        gyi_node *node = GY_OF(e, gyi_node, sibling);
        if (node->round == w->round) continue;
        if (gyi_entry_listed(&node->link)) gyi_list_remove(&node->link);
        gyi_list_append(&w->missed, &node->link);
    }
}

/* When the list could not be read to its end, nothing is known to be missing. A directory that is absent, or that is
 * another one by now, is told of by one above; it keeps its mark until then, as it may turn out to have moved. */
static int scan_dir(gyi_watcher *w, gyi_node *dir) {
    const char *path = gyi_node_path(w, dir);
    w->round++;
    int err = path ? gyi_watcher_list(w, path, &dir->last, scan_name, dir) : -ENOMEM;
    if (!err) scan_miss(w, dir);
    if (!gyi_watcher_absent(err) || !dir->dir) return err;
    dir->got |= GYI_NODE_SCAN;
    return 0;
}

/* ---- one node ---------------------------------------------------------------------------------------------------- */

/* The path itself. Of a file with other names left only the number of names has changed. */
static bool scan_ended(gyi_watcher *w, const gyi_node *node, unsigned got) {
    if (node != w->top) return false;
    if (got & (GYI_VNODE_MOVED | GYI_VNODE_ENDED)) return true;
    return (got & GYI_VNODE_UNLINKED) && (node->kind == GYI_FILE_DIR || node->last.nlink == 0);
}

static void scan_file(gyi_watcher *w, const gyi_node *node, unsigned got, int64_t size) {
    bool dead = (got & GYI_VNODE_UNLINKED) && node->last.nlink == 0;
    bool attributes = got & (GYI_VNODE_ATTRIBUTES | GYI_VNODE_LINKED | GYI_VNODE_UNLINKED);
    if ((got & GYI_VNODE_WRITTEN) || node->last.size != size) gyi_node_tell(w, node, GY_FSWATCH_CHANGED, 0);
    else if (attributes && !dead) gyi_node_tell(w, node, GY_FSWATCH_ATTRIBUTES, 0);
}

/* What went wrong is told, and where it was memory that was missing it is tried again. @return `err` */
static int scan_failed(gyi_watcher *w, gyi_node *node, int err, gyi_tree_news news) {
    if (err && news == GYI_TREE_NEW) gyi_node_tell(w, node, GY_FSWATCH_RESCAN, err);
    if (err == -ENOMEM) {
        node->got |= GYI_NODE_SCAN;
        w->flags |= GYI_WATCHER_SCAN;
    }
    return err;
}

/* Nor is it watched if there was no memory for that. */
static bool scan_unwatched(const gyi_node *node) { return node->fd < 0 && !gyi_entry_listed(&node->looked); }

static int scan_node(gyi_watcher *w, gyi_node *node, gyi_tree_news news) {
    unsigned got = node->got;
    int64_t size = node->last.size;
    node->got = 0;
    if ((got & GYI_NODE_SCAN) && scan_unwatched(node)) {
        int err = scan_failed(w, node, gyi_node_watch(w, node), news);
        if (err) return err;
    }
    if (node->fd >= 0) gyi_file_fstat(&w->loop->sys, node->fd, &node->last); /* if it fails, what was known stands */
    if (scan_ended(w, node, got)) {
        gyi_watcher_gone(w, 0);
        return 0;
    }
    if (node->kind != GYI_FILE_DIR) {
        scan_file(w, node, got, size);
        return 0;
    }
    if (got & GYI_VNODE_ATTRIBUTES) gyi_node_tell(w, node, GY_FSWATCH_ATTRIBUTES, 0);
    bool read = node == w->top || (w->flags & GYI_WATCHER_RECURSIVE);
    if (!read || !(got & (GYI_VNODE_WRITTEN | GYI_VNODE_LINKED | GYI_NODE_SCAN))) return 0;
    return scan_failed(w, node, scan_dir(w, node), news);
}

/* ---- bringing names together ------------------------------------------------------------------------------------- */

static uint32_t scan_hash(uint64_t ino) { return (uint32_t)(ino ^ ino >> 32) * 2654435761u; }

/* No directory can have moved into itself; a tree of nodes in which one has would have no end. */
static bool scan_within(const gyi_node *node, const gyi_node *top) {
    while (node && node != top) node = node->dir;
    return node == top;
}

static gyi_node *scan_find(const gyi_table *pairs, const gyi_node *fresh) {
    for (gyi_row *row = gyi_table_first(pairs, scan_hash(fresh->ino)); row; row = gyi_table_next(row)) {
        gyi_node *node = GY_OF(row, gyi_node, pair);
        bool same = node->ino == fresh->ino && node->dir->last.dev == fresh->dir->last.dev;
        bool is_dir = node->kind == GYI_FILE_DIR;
        if (same && is_dir == (fresh->kind == GYI_FILE_DIR) && !scan_within(fresh->dir, node)) return node;
    }
    return NULL;
}

/* A directory has another path, or there is memory again: it is read again, and so are those below it that could not be
 * read before. */
static void scan_moved(gyi_watcher *w, gyi_node *top) {
    gyi_node_mark(w, top, GYI_NODE_SCAN);
    for (gyi_node *at = top;;) {
        gyi_entry *next = at->below.next;
        if (at->got & GYI_NODE_SCAN) gyi_node_mark(w, at, GYI_NODE_SCAN);
        while (next == &at->below) {
            if (at == top) return;
            next = at->sibling.next;
            at = at->dir;
        }
        at = GY_OF(next, gyi_node, sibling);
    }
}

static void scan_renamed(gyi_watcher *w, gyi_node *node, gyi_node *to) {
    gyi_happened what = {.kind = GY_FSWATCH_RENAMED, .is_dir = node->kind == GYI_FILE_DIR, .dir = ""};
    gyi_told *old = NULL, *new = NULL;
    what.name = gyi_node_path(w, node);
    if (what.name) old = gyi_told_new(w, &what);
    what.name = gyi_node_path(w, to);
    if (what.name) new = gyi_told_new(w, &what);
    if (old && new) {
        gyi_told_add_pair(w, old, new);
    } else {
        gyi_free(&w->loop->alloc, old);
        gyi_free(&w->loop->alloc, new);
        gyi_watcher_lost(w);
    }
    node->moves = false;
    gyi_list_remove(&node->link);
    gyi_node_move(w, node, to);
    if (node->kind == GYI_FILE_DIR) scan_moved(w, node);
}

static void scan_pairs(gyi_watcher *w) {
    const gy_alloc *alloc = &w->loop->alloc;
    gyi_table pairs = {.more = NULL};
    for (gyi_entry *e = w->missed.next; e != &w->missed; e = e->next) {
        gyi_node *node = GY_OF(e, gyi_node, link);
        if (node->fd >= 0) gyi_table_add(&pairs, alloc, &node->pair, scan_hash(node->ino));
    }
    for (gyi_entry *e = w->fresh.next; pairs.count && e != &w->fresh; e = e->next) {
        gyi_node *to = GY_OF(e, gyi_node, link), *node = scan_find(&pairs, to);
        if (!node) continue;
        gyi_table_remove(&pairs, &node->pair);
        to->was = node;
        node->moves = true;
    }
    gyi_table_free(&pairs, alloc);
}

static void scan_gone(gyi_watcher *w, gyi_node *node) {
    if (!node->told) gyi_node_tell(w, node, GY_FSWATCH_REMOVED, 0);
    node->told = true;
    node->moves = false;
}

/* All renames that can be told. @return one that cannot: its name is that of another which is to be renamed first. When
 * there are none but those, names have changed places, and one of them goes and comes. */
static gyi_node *scan_rename(gyi_watcher *w) {
    gyi_node *stuck = NULL;
    bool renamed = false;
    for (gyi_entry *e = w->fresh.next; e != &w->fresh;) {
        gyi_node *to = GY_OF(e, gyi_node, link), *had = gyi_node_find(w, to->dir, to->name);
        e = e->next;
        if (!to->was) continue;
        if (had && had->moves) {
            stuck = to;
            continue;
        }
        if (had) scan_gone(w, had);
        scan_renamed(w, to->was, to);
        renamed = true;
    }
    if (!stuck || renamed) return stuck;
    scan_gone(w, stuck->was);
    stuck->was = NULL;
    return stuck;
}

/* Tells what has become of all that is missed, and forgets what has gone. Those below one another go with the upper
 * one. */
static void scan_missed(gyi_watcher *w) {
    scan_pairs(w);
    while (scan_rename(w)) {}
    for (gyi_entry *e = w->missed.next; e != &w->missed; e = e->next) scan_gone(w, GY_OF(e, gyi_node, link));
    while (!gyi_list_empty(&w->missed)) gyi_node_drop(w, GY_OF(w->missed.next, gyi_node, link));
}

/* A fresh name gets its place. */
static int scan_created(gyi_watcher *w, gyi_node *node, gyi_tree_news news) {
    gyi_node_place(w, node);
    if (news == GYI_TREE_NEW) gyi_node_tell(w, node, GY_FSWATCH_CREATED, 0);
    int err = scan_failed(w, node, gyi_node_watch(w, node), news);
    if (!err && node->kind == GYI_FILE_DIR && (w->flags & GYI_WATCHER_RECURSIVE))
        gyi_node_mark(w, node, GYI_NODE_SCAN);
    return err;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

int gyi_nodes_scan(gyi_watcher *w, gyi_tree_news news) {
    int first = 0;
    while (!gyi_list_empty(&w->marked)) {
        while (!gyi_list_empty(&w->marked)) {
            int err = scan_node(w, GY_OF(gyi_list_take(&w->marked), gyi_node, link), news);
            if (!first) first = err;
        }
        if (!gyi_list_empty(&w->missed)) scan_missed(w);
        while (!gyi_list_empty(&w->fresh)) {
            int err = scan_created(w, GY_OF(gyi_list_take(&w->fresh), gyi_node, link), news);
            if (!first) first = err;
        }
    }
    return news == GYI_TREE_OLD ? first : 0;
}

void gyi_nodes_again(gyi_watcher *w) {
    scan_moved(w, w->top);
    gyi_nodes_scan(w, GYI_TREE_NEW);
}
