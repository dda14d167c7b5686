/* SPDX-License-Identifier: ISC */
/* What the files of file watching share.
 *
 *   fswatch.c      the handle: checks, start, stop; the record's life
 *   watchtell.c    events that wait to be told, merged by name, one call of the user each
 *   watchkernel.c  events from the kernel, and what they mean for the tree
 *   watchtree.c    the directories that are watched, and reading them
 *   watchvnode.c   events from a kqueue, which have no names
 *   watchnode.c    the files and directories that are watched there, or looked at when they cannot be
 *   watchscan.c    comparing lists of names, and what follows from it
 *   watchlist.c    reading a directory; comparing two looks at a file
 *   watchpoll.c    looking again and again instead
 *
 * The handle may be freed when it is stopped, also in its own callback and while a pool thread looks at the path. So
 * the record lives by itself: it goes when it has no owner, tells nobody, and asks nobody. */
#ifndef GYI_FS_FSWATCH_H
#define GYI_FS_FSWATCH_H

#include "base/table.h"
#include "gyre/fs.h"
#include "gyre/fswatch.h"
#include "loop/loop.h"
#include "sys/file.h"
#include "sys/notify.h"
#include "sys/vnode.h"

typedef struct gyi_watcher gyi_watcher;

enum {
    GYI_WATCHER_RECURSIVE = 1,
    GYI_WATCHER_TELLING = 2, /* the user's callback runs */
    GYI_WATCHER_ASKING = 4,  /* a request is on the pool */
    GYI_WATCHER_LOST = 8,    /* an event found no memory, or the kernel's queue was full: a rescan is to be told */
    GYI_WATCHER_ENDING = 16, /* the end is queued; nothing is added behind it */
    GYI_WATCHER_SCAN = 32    /* what is marked has to be read again */
};

/* A name that an event is about, in the table of those that wait. */
typedef struct gyi_told_name {
    gyi_row row;
    struct gyi_told *of;
} gyi_told_name;

/* An event that waits, with its names behind it. Kept for the next one afterwards. */
typedef struct gyi_told {
    gyi_entry link;
    gyi_told_name name[2]; /* `text`, and the old name of a rename; only with coalescing */
    gy_ns due;
    uint64_t order; /* which of all that have waited */
    uint32_t room; /* bytes in `text` */
    uint32_t from; /* where the old name begins in `text`; 0: there is none */
    int err;
    gy_fswatch_kind kind;
    bool is_dir;
    char text[];
} gyi_told;

/* A directory (or the one file) that the kernel watches. */
typedef struct gyi_watched {
    int id;
    bool scan;  /* must be read */
    bool later; /* must be read when it has moved, of which an event comes */
    bool quiet; /* and what is in it is no news */
    char *path; /* relative to the root; "" is that */
} gyi_watched;

/* Something below a path that a kqueue watches, or the path itself. */
typedef struct gyi_node {
    gyi_row row;        /* by the directory and the name */
    gyi_row pair;       /* while it is missed: by its inode */
    gyi_entry link;     /* on one of the lists of what is to be done */
    gyi_entry looked;   /* on the list of those that have no descriptor */
    gyi_entry sibling;  /* in `below` of its directory */
    gyi_entry below;    /* a directory's own */
    struct gyi_node *dir; /* NULL: the path itself */
    struct gyi_node *was; /* of a new name: the node that is missed elsewhere */
    char *name;
    uint64_t ino; /* as the list of names has it */
    gyi_stat last;
    gyi_file_kind kind;
    bool placed;    /* in the table */
    bool moves;     /* is missed, and has a new name */
    bool told;      /* is missed, and that it has gone is told already */
    unsigned got;   /* of gyi_vnode_what, and GYI_NODE_SCAN: what has to be looked into */
    uint32_t round; /* when it was seen in a list */
    int fd;         /* -1: none */
} gyi_node;

enum { GYI_NODE_SCAN = 1 << 16 };

struct gyi_watcher {
    gy_loop *loop;
    gy_fswatch *owner; /* NULL: stopped */
    gy_fswatch_fn *fn;
    gy_ns coalesce;
    unsigned flags;
    char *path;
    char *joined; /* scratch for paths */
    size_t room;  /* of `joined` */

    /* watchtell.c */
    gyi_entry waiting, spare;
    gyi_table names_waiting; /* what is in `waiting`, by its names; only with coalescing */
    uint64_t order, bound; /* of the last event; of the last that makes other files of names below it */
    gyi_entry tell;
    gy_timer later;
    int end; /* with GYI_WATCHER_ENDING: why */

    /* watchkernel.c, watchtree.c */
    int fd; /* -1: none */
    int root; /* its number */
    gyi_watch watch;
    gyi_watched *dirs; /* by number, ascending */
    unsigned count, most;
    gyi_told *moved;   /* the first half of a move */
    uint32_t cookie;
    gy_timer half;     /* waits for the other one, or for memory */

    /* watchvnode.c, watchnode.c, watchscan.c; they use `fd`, `watch`, and of watchpoll.c `again` and `stat` too */
    gyi_node *top;       /* NULL: the others are not used */
    gyi_table names;     /* its nodes, by directory and name */
    gyi_entry marked;    /* nodes that something has happened to */
    gyi_entry fresh;     /* nodes for new names, not told and not in `names` yet */
    gyi_entry missed;    /* nodes whose names are gone */
    gyi_entry looked;    /* nodes without a descriptor: looked at in turn */
    gyi_node *asked;     /* whose look is under way; NULL: that node is gone, or none is */
    char *asking;        /* its path */
    unsigned to_ask;     /* how many are still to be looked at this time */
    gyi_node **by_fd;
    unsigned fds;        /* room in `by_fd` */
    uint32_t round;
    char *below;         /* scratch for gyi_node_path() */
    size_t below_room;

    /* watchpoll.c */
    gy_timer again;
    gy_fs stat;
    gyi_stat last;
    int said; /* the error that was told last */

    gyi_notify_block block;
};

/* ---- fswatch.c ---- */
/* Frees the record if nobody needs it. */
void gyi_watcher_release(gyi_watcher *w);

/* ---- watchtell.c ---- */
typedef struct gyi_happened {
    gy_fswatch_kind kind;
    bool is_dir;
    int err;
    const char *dir, *name; /* the name is both, with "/" between them when neither is "" */
} gyi_happened;

void gyi_watcher_tell_init(gyi_watcher *w);
void gyi_watcher_tell_end(gyi_watcher *w);

/* An event that is not queued yet. NULL without memory: then a rescan will be told. */
gyi_told *gyi_told_new(gyi_watcher *w, const gyi_happened *what);

/* Queues it, or merges it into one that waits. */
void gyi_told_add(gyi_watcher *w, gyi_told *told);

/* Makes `to` the event "renamed from what `from` is about", and takes both. */
void gyi_told_add_pair(gyi_watcher *w, gyi_told *from, gyi_told *to);

/* Both. */
void gyi_watcher_add(gyi_watcher *w, const gyi_happened *what);

/* Events were lost. */
void gyi_watcher_lost(gyi_watcher *w);

/* What is watched is gone, or with an error cannot be watched any more. */
void gyi_watcher_gone(gyi_watcher *w, int err);

/* ---- watchkernel.c ---- */
/* @return 0, or an error with nothing left; -ENOTSUP where the kernel cannot */
int gyi_watcher_kernel(gyi_watcher *w);
void gyi_watcher_kernel_end(gyi_watcher *w);

/* ---- watchtree.c ---- */
/* Whether what is found when a directory is read is news. */
typedef enum gyi_tree_news { GYI_TREE_OLD, GYI_TREE_NEW } gyi_tree_news;

gyi_watched *gyi_tree_find(gyi_watcher *w, int id);

/* Watches the directory `name` in `dir`. @return its number or an error */
int gyi_tree_add(gyi_watcher *w, const char *dir, const char *name);

/* A number has ended. */
void gyi_tree_drop(gyi_watcher *w, int id);

/* Whether a directory is at its path. If not, it has moved, and the event that says so has not been read yet. */
bool gyi_tree_stands(gyi_watcher *w, int id);

/* A directory could not be read at its path, or something in it was not found there. */
void gyi_tree_later(gyi_watcher *w, int id, gyi_tree_news news);

/* Directories at a path and below it: watched no more; or moved. */
void gyi_tree_forget(gyi_watcher *w, const char *path);
int gyi_tree_move(gyi_watcher *w, const char *from, const char *to);

/* Reads the directories that are marked, and those that are found there. @return the first error, of GYI_TREE_OLD;
 * otherwise errors are told as events. */
int gyi_tree_scan(gyi_watcher *w, gyi_tree_news news);
void gyi_tree_free(gyi_watcher *w);

/* "path/dir/name" in w->joined; parts that are "" are left out. @return it, or NULL without memory */
const char *gyi_tree_join(gyi_watcher *w, const char *dir, const char *name);

/* ---- watchlist.c ---- */
/* Whether an error means that what was there a moment ago is there no more. */
bool gyi_watcher_absent(int err);

typedef struct gyi_found {
    const char *name; /* valid during the call */
    uint64_t ino;
    gyi_file_kind kind;
} gyi_found;

typedef int gyi_found_fn(gyi_watcher *w, void *ctx, const gyi_found *found);

/* Reads the directory with that relative path, if it is the one in `same` (unless NULL), and calls `each` for every
 * name. @return an error of reading, else the first of `each` */
int gyi_watcher_list(gyi_watcher *w, const char *path, const gyi_stat *same, gyi_found_fn *each, void *ctx);

typedef enum gyi_differs {
    GYI_DIFFERS_NOT,
    GYI_DIFFERS_ATTRIBUTES,
    GYI_DIFFERS_CONTENT,
    GYI_DIFFERS_KIND /* it was a directory, or has become one */
} gyi_differs;

/* How a file differs from the last look at it, which becomes this one. */
gyi_differs gyi_watcher_differs(gyi_stat *last, const gy_fs_info *now);

/* ---- watchnode.c ---- */
/* A node in a directory, but not in the table yet. NULL without memory. */
gyi_node *gyi_node_new(gyi_watcher *w, gyi_node *dir, const char *name, uint64_t ino, gyi_file_kind kind);

/* Puts it into the table, by its `dir` and `name`. */
void gyi_node_place(gyi_watcher *w, gyi_node *node);
gyi_node *gyi_node_find(const gyi_watcher *w, const gyi_node *dir, const char *name);

/* Begins to watch it, or, when that fails, to look at it. @return an error only when it is neither */
int gyi_node_watch(gyi_watcher *w, gyi_node *node);

/* It has the name of `to` from now on, in the directory of that, which is freed. */
void gyi_node_move(gyi_watcher *w, gyi_node *node, gyi_node *to);

/* Frees it, with all below. */
void gyi_node_drop(gyi_watcher *w, gyi_node *node);

/* Its path from the root, valid until the next call. NULL without memory. */
const char *gyi_node_path(gyi_watcher *w, const gyi_node *node);

/* Something is to be looked into. */
void gyi_node_mark(gyi_watcher *w, gyi_node *node, unsigned got);
void gyi_nodes_free(gyi_watcher *w);

/* ---- watchscan.c ---- */
/* Looks into all that is marked, and tells what has happened, unless that is GYI_TREE_OLD. @return then the first
 * error */
int gyi_nodes_scan(gyi_watcher *w, gyi_tree_news news);

/* The same later, for GYI_WATCHER_SCAN: there may be memory now for what could not be read or watched. */
void gyi_nodes_again(gyi_watcher *w);

/* An event of a node; of the path itself it is named "". */
void gyi_node_tell(gyi_watcher *w, const gyi_node *node, gy_fswatch_kind kind, int err);

/* ---- watchvnode.c ---- */
/* @return 0, or an error with nothing left but what gyi_watcher_vnode_end() frees; -ENOTSUP where there is no kqueue */
int gyi_watcher_vnode(gyi_watcher *w);
void gyi_watcher_vnode_end(gyi_watcher *w);

/* There is a node to be looked at. */
void gyi_watcher_look(gyi_watcher *w);

/* ---- watchpoll.c ---- */
int gyi_watcher_poll(gyi_watcher *w, gy_ns every);
void gyi_watcher_poll_end(gyi_watcher *w);

#endif
