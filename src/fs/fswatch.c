/* SPDX-License-Identifier: ISC */
/* The handle of a watcher, and the life of its record: idle, active from start to stop or to the call with the end. */
#include "fs/fswatch.h"

#include <string.h>

#include "base/alloc.h"

static const gy_ns FSWATCH_EVERY = GY_S(1);

static void watcher_free(gyi_watcher *w) {
    const gy_alloc *alloc = &w->loop->alloc;
    gyi_list_splice(&w->spare, &w->waiting);
    gyi_table_free(&w->names_waiting, alloc);
    while (!gyi_list_empty(&w->spare)) gyi_free(alloc, GY_OF(gyi_list_take(&w->spare), gyi_told, link));
    gyi_free(alloc, w->moved);
    gyi_tree_free(w);
    gyi_free(alloc, w->joined);
    gyi_free(alloc, w->asking);
    gyi_free(alloc, w->path);
    gyi_free(alloc, w);
}

void gyi_watcher_release(gyi_watcher *w) {
    if (!w->owner && !(w->flags & (GYI_WATCHER_TELLING | GYI_WATCHER_ASKING))) watcher_free(w);
}

static gyi_watcher *watcher_new(gy_loop *loop, const gy_fswatch_opts *opts) {
    size_t len = strlen(opts->path) + 1;
    gyi_watcher *w = gyi_alloc_zero(&loop->alloc, sizeof *w);
    char *path = gyi_alloc_zero(&loop->alloc, len);
    if (!w || !path) {
        gyi_free(&loop->alloc, w);
        gyi_free(&loop->alloc, path);
        return NULL;
    }
    memcpy(path, opts->path, len);
    w->loop = loop;
    w->path = path;
    w->fn = opts->fn;
    w->coalesce = opts->coalesce;
    w->flags = opts->recursive ? GYI_WATCHER_RECURSIVE : 0;
    w->fd = -1;
    gyi_watcher_tell_init(w);
    return w;
}

static void watcher_end(gyi_watcher *w) {
    gyi_watcher_tell_end(w);
    gyi_watcher_vnode_end(w);
    gyi_watcher_kernel_end(w);
    gyi_watcher_poll_end(w);
}

static int watcher_begin(gyi_watcher *w, gy_ns poll) {
    int err = poll ? -ENOTSUP : gyi_watcher_kernel(w);
    if (err == -ENOTSUP && !poll) err = gyi_watcher_vnode(w);
    if (err != -ENOTSUP || (w->flags & GYI_WATCHER_RECURSIVE)) return err;
    return gyi_watcher_poll(w, poll ? poll : FSWATCH_EVERY);
}

int gy_fswatch_start(gy_loop *loop, gy_fswatch *watch, gy_fswatch_opts opts) {
    if (!opts.path || !opts.fn || opts.poll < 0 || opts.coalesce < 0) return -EINVAL;
    if (watch->priv.watcher) return -EALREADY;
    gyi_watcher *w = watcher_new(loop, &opts);
    if (!w) return -ENOMEM;
    int err = watcher_begin(w, opts.poll);
    if (err) {
        watcher_end(w);
        watcher_free(w);
        return err;
    }
    w->owner = watch;
    watch->loop = loop;
    watch->priv.watcher = w;
    watch->priv.flags |= GYI_HANDLE_ACTIVE;
    loop->open++;
    if (!(watch->priv.flags & GYI_HANDLE_UNREF)) gyi_loop_ref(loop);
    return 0;
}

void gy_fswatch_stop(gy_fswatch *watch) {
    gyi_watcher *w = watch->priv.watcher;
    if (!w) return;
    watch->priv.watcher = NULL;
    w->owner = NULL;
    w->loop->open--;
    if (!(watch->priv.flags & GYI_HANDLE_UNREF)) gyi_loop_unref(w->loop);
    watch->priv.flags &= ~(uint32_t)GYI_HANDLE_ACTIVE;
    watcher_end(w);
    gyi_watcher_release(w);
}

bool gy_fswatch_active(const gy_fswatch *watch) { return watch->priv.flags & GYI_HANDLE_ACTIVE; }

void gy_fswatch_ref(gy_fswatch *watch) {
    if (watch->priv.flags == (GYI_HANDLE_ACTIVE | GYI_HANDLE_UNREF)) gyi_loop_ref(watch->loop);
    watch->priv.flags &= ~(uint32_t)GYI_HANDLE_UNREF;
}

void gy_fswatch_unref(gy_fswatch *watch) {
    if (watch->priv.flags == GYI_HANDLE_ACTIVE) gyi_loop_unref(watch->loop);
    watch->priv.flags |= GYI_HANDLE_UNREF;
}
