/* SPDX-License-Identifier: ISC */
/** @file fswatch.h
 *  Watching files and directories: "tell me when somebody changes this".
 *
 *  Three ways. On Linux the kernel tells by name (inotify; each watcher has a descriptor of its own there, of which a
 *  user has 128 by default).
 *
 *  On the BSDs and macOS the kernel says only that a file or a list of names has changed (kqueue): the watcher opens
 *  every file and directory that it watches, and compares lists. So a name that came and went between two comparisons
 *  is not told, the order of events may be another one, and a big directory is read for each change in it. At most half
 *  of the descriptors that the process may have are used; what is left over is looked at once a second, and a rename of
 *  it comes as removed and created.
 *
 *  With an interval in `.poll`, and where neither way is open, the path is looked at on the loop's own pool again and
 *  again. Looking sees less: that a file changed, and that something in a directory did (GY_FSWATCH_RESCAN), but no
 *  names, and not what was undone between two looks. It works everywhere, also for network file systems, of which a
 *  kernel hears only its own changes.
 *
 *  What is told is a hint that it is worth looking, not a log: by the time of the call the file may be another one.
 *  A file is watched itself, not its name. Programs that save by writing a new file and renaming it make the old one go
 *  away; to see that, watch the directory.
 *
 *  Loop thread only. Directories that are watched recursively, and on kqueue all that are watched, are read in the
 *  loop's thread: once as a whole at the start, a new one when it appears, and on kqueue one that has changed.
 */
#ifndef GYRE_FSWATCH_H
#define GYRE_FSWATCH_H

#include "gyre/loop.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What happened. */
typedef enum gy_fswatch_kind {
    GY_FSWATCH_CREATED,    /**< a name is there, by creating, linking or moving it there. With `recursive` a name in a
                                new directory may be told twice */
    GY_FSWATCH_REMOVED,    /**< a name is there no more */
    GY_FSWATCH_CHANGED,    /**< what is in the file */
    GY_FSWATCH_ATTRIBUTES, /**< permissions, owner, times, number of names */
    GY_FSWATCH_RENAMED,    /**< from the name `from` to `name`, both below the path that is watched. When only one is,
                                or the two could not be brought together, they come as removed and created */
    GY_FSWATCH_RESCAN,     /**< something is not known: events were lost, or the directory is only looked at. Look
                                at everything that matters */
    GY_FSWATCH_GONE        /**< what is watched was removed or moved, or cannot be watched any more (`err` says why).
                                The last call: the watcher has been stopped and may be started again in here */
} gy_fswatch_kind;

/** One event; valid during the call. */
typedef struct gy_fswatch_event {
    gy_fswatch_kind kind; /**< what happened */
    bool is_dir;          /**< to a directory, as far as is known */
    const char *name;     /**< relative to the path that is watched; "" for that itself. Never NULL */
    const char *from;     /**< of GY_FSWATCH_RENAMED the old name, relative likewise; else NULL */
} gy_fswatch_event;

typedef struct gy_fswatch gy_fswatch;

/** Called once for each event, which is never NULL. `err` is 0, or negative for what went wrong: with GY_FSWATCH_RESCAN
 *  the watcher goes on, but `name` (and what is below it) cannot be watched or read at present, for example -ENOSPC
 *  when the user has too many watches, -ENOMEM, -EACCES; with GY_FSWATCH_GONE it has been stopped. */
typedef void gy_fswatch_fn(gy_fswatch *watch, int err, const gy_fswatch_event *event);

/** A watcher. The caller's memory, valid as `{0}`; it must stay while the watcher is active. */
struct gy_fswatch {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it was started last */
    /** @cond internal */
    struct {
        struct gyi_watcher *watcher;
        uint32_t flags;
    } priv;
    /** @endcond */
};

/** What to watch, and how. */
typedef struct gy_fswatch_opts {
    const char *path;  /**< a file or a directory; never NULL, copied. A link is followed. A relative path counts from
                            the process's directory, which should then stay */
    gy_fswatch_fn *fn; /**< never NULL */
    gy_ns poll;        /**< look this often; 0: have the kernel tell, or, where it cannot, look once a second. A time of
                            change that is too coarse may hide a change that leaves the size as it is */
    gy_ns coalesce;    /**< every event comes this much later, and what has happened to one name meanwhile comes as one
                            event: the last, but a change after a creation is part of it. Nothing is merged across the
                            going or moving of a directory. 0: at once */
    bool recursive;    /**< directories below `path` too, also those that appear later; links are not followed. Only
                            where the kernel tells */
} gy_fswatch_opts;

/** Starts a watcher. Events that follow are told, from the loop.
 *  @return 0; -EINVAL without a path or a function, or with a negative time; -EALREADY when the watcher is active;
 *  -ENOTSUP for a recursive one that would have to look; -ENOMEM; what the kernel says of the path (-ENOENT, -EACCES)
 *  or of its limits (-EMFILE: too many watchers, -ENOSPC: too many files and directories). */
GY_API int gy_fswatch_start(gy_loop *loop, gy_fswatch *watch, gy_fswatch_opts opts);

/** Stops a watcher: its callback will not run, whatever was collected, and the memory is the caller's again. Idle ones
 *  are ignored. A loop cannot be freed while a watcher is active. */
GY_API void gy_fswatch_stop(gy_fswatch *watch);

/** Whether the watcher is active. */
GY_API bool gy_fswatch_active(const gy_fswatch *watch);

/** Whether an active watcher keeps gy_loop_run() going; it does unless told otherwise. Survives stop and start. */
GY_API void gy_fswatch_ref(gy_fswatch *watch);
GY_API void gy_fswatch_unref(gy_fswatch *watch); /**< the opposite of gy_fswatch_ref() */

#ifdef __cplusplus
}
#endif
#endif
