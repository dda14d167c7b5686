/* SPDX-License-Identifier: ISC */
/* Looking at a path again and again, on the pool, where the kernel does not tell.
 *
 * What is seen is the difference between two looks. Of a directory that is only whether its list of names has changed.
 * An error that is not the end of the file is told when it is another one than the last time, and looking goes on. */
#include "fs/fs.h"
#include "fs/fswatch.h"

static void poll_add(gyi_watcher *w, gy_fswatch_kind kind, int err) {
    bool is_dir = gyi_file_kind_of(w->last.mode) == GYI_FILE_DIR;
    gyi_watcher_add(w, &(gyi_happened){.kind = kind, .is_dir = is_dir, .err = err, .dir = "", .name = ""});
}

static void poll_compare(gyi_watcher *w, const gy_fs_info *now) {
    bool is_dir = gyi_file_kind_of(w->last.mode) == GYI_FILE_DIR;
    gyi_differs how = gyi_watcher_differs(&w->last, now);
    if (how == GYI_DIFFERS_KIND) gyi_watcher_gone(w, 0); /* something else has this name now */
    else if (how == GYI_DIFFERS_CONTENT) poll_add(w, is_dir ? GY_FSWATCH_RESCAN : GY_FSWATCH_CHANGED, 0);
    else if (how == GYI_DIFFERS_ATTRIBUTES) poll_add(w, GY_FSWATCH_ATTRIBUTES, 0);
}

static void poll_result(gyi_watcher *w, int err, const gy_fs_info *info) {
    bool news = err != w->said;
    w->said = err;
    if (!err) poll_compare(w, info);
    else if (err == -ENOENT || err == -ENOTDIR) gyi_watcher_gone(w, 0);
    else if (news) poll_add(w, GY_FSWATCH_RESCAN, err);
}

static void poll_done(gy_fs *req, int err) {
    gyi_watcher *w = GY_OF(req, gyi_watcher, stat);
    w->flags &= ~(unsigned)GYI_WATCHER_ASKING;
    if (w->owner) poll_result(w, err, &req->info);
    gyi_watcher_release(w);
}

static void poll_look(gy_timer *timer) {
    gyi_watcher *w = GY_OF(timer, gyi_watcher, again);
    if (w->flags & (GYI_WATCHER_ASKING | GYI_WATCHER_ENDING)) return; /* the last look takes longer than the pause */
    int err = gy_fs_stat(w->loop, &w->stat, w->path, poll_done);
    if (err) poll_result(w, err, NULL);
    else w->flags |= GYI_WATCHER_ASKING;
}

int gyi_watcher_poll(gyi_watcher *w, gy_ns every) {
    int err = gyi_file_stat(&w->loop->sys, gyi_file_here, w->path, GYI_FOLLOW, &w->last);
    if (err) return err;
    gy_timer_unref(&w->again);
    gy_timer_start(w->loop, &w->again, (gy_timer_opts){.fn = poll_look, .every = every});
    return 0;
}

void gyi_watcher_poll_end(gyi_watcher *w) {
    gy_timer_stop(&w->again);
    if (w->flags & GYI_WATCHER_ASKING) gy_fs_cancel(&w->stat);
}
