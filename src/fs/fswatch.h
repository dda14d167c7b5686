/* SPDX-License-Identifier: ISC */
/* What the files of file watching share.
 *
 *   fswatch.c      the handle: checks, start, stop; the record's life
 *   watchtell.c    events that wait to be told, merged by name, one call of the user each
 *   watchkernel.c  events from the kernel, and what they mean for the tree
 *   watchtree.c    the directories that are watched, and reading them
 *   watchpoll.c    looking again and again instead
 *
 * The handle may be freed when it is stopped, also in its own callback and while a pool thread looks at the path. So
 * the record lives by itself: it goes when it has no owner, tells nobody, and asks nobody. */
#ifndef GYI_FS_FSWATCH_H
#define GYI_FS_FSWATCH_H

#include "gyre/fswatch.h"
#include "loop/loop.h"
#include "sys/file.h"
#include "sys/notify.h"

typedef struct gyi_watcher gyi_watcher;

enum {
    GYI_WATCHER_RECURSIVE = 1,
    GYI_WATCHER_TELLING = 2, /* the user's callback runs */
    GYI_WATCHER_ASKING = 4,  /* a request is on the pool */
    GYI_WATCHER_LOST = 8,    /* an event found no memory, or the kernel's queue was full: a rescan is to be told */
    GYI_WATCHER_ENDING = 16, /* the end is queued; nothing is added behind it */
    GYI_WATCHER_SCAN = 32    /* the whole tree has to be read again */
};

/* An event that waits, with its names behind it. Kept for the next one afterwards. */
typedef struct gyi_told {
    gyi_entry link;
    gy_ns due;
    uint32_t hash; /* of the name */
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
    bool quiet; /* and what is in it is no news */
    char *path; /* relative to the root; "" is that */
} gyi_watched;

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
    gy_timer half;     /* waits for the other one */

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

/* Directories at a path and below it: watched no more; or moved. */
void gyi_tree_forget(gyi_watcher *w, const char *path);
int gyi_tree_move(gyi_watcher *w, const char *from, const char *to);

/* Reads the directories that are marked, and those that are found there. @return the first error, of GYI_TREE_OLD;
 * otherwise errors are told as events. */
int gyi_tree_scan(gyi_watcher *w, gyi_tree_news news);
void gyi_tree_free(gyi_watcher *w);

/* "path/dir/name" in w->joined; parts that are "" are left out. @return it, or NULL without memory */
const char *gyi_tree_join(gyi_watcher *w, const char *dir, const char *name);

/* ---- watchpoll.c ---- */
int gyi_watcher_poll(gyi_watcher *w, gy_ns every);
void gyi_watcher_poll_end(gyi_watcher *w);

#endif
