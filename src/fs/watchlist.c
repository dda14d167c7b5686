/* SPDX-License-Identifier: ISC */
/* What a look at a file or a directory gives: the names in it, and what differs from the last look. */
#include "fs/fs.h"
#include "fs/fswatch.h"

bool gyi_watcher_absent(int err) { return err == -ENOENT || err == -ENOTDIR || err == -ELOOP; }

static gyi_found list_found(gyi_watcher *w, gyi_dir *dir, const gyi_dir_entry *entry) {
    gyi_found found = {.name = gyi_dir_entry_name(entry), .ino = gyi_dir_entry_ino(entry),
                       .kind = gyi_dir_entry_kind(entry)};
    gyi_stat st;
    if (found.kind == GYI_FILE_UNKNOWN &&
        !gyi_file_stat(&w->loop->sys, gyi_dir_fd(dir), found.name, GYI_NOFOLLOW, &st))
        found.kind = gyi_file_kind_of(st.mode);
    return found;
}

static int list_open(gyi_watcher *w, const char *path, const gyi_stat *same) {
    gyi_sys *sys = &w->loop->sys;
    gyi_stat st;
    const char *full = gyi_tree_join(w, path, "");
    if (!full) return -ENOMEM;
    int fd = gyi_file_open_dir(sys, gyi_file_here, full, *path ? GYI_NOFOLLOW : GYI_FOLLOW);
    if (fd < 0 || !same) return fd;
    int err = gyi_file_fstat(sys, fd, &st);
    if (!err && (st.dev != same->dev || st.ino != same->ino)) err = -ENOENT;
    if (!err) return fd;
    gyi_file_close(sys, fd);
    return err;
}

int gyi_watcher_list(gyi_watcher *w, const char *path, const gyi_stat *same, gyi_found_fn *each, void *ctx) {
    gyi_sys *sys = &w->loop->sys;
    gyi_dir *dir;
    int fd = list_open(w, path, same), first = 0;
    int err = fd < 0 ? fd : gyi_dir_open(sys, fd, &dir);
    if (err) return err;
    for (const gyi_dir_entry *entry;;) {
        err = gyi_dir_next(sys, dir, &entry);
        if (err || !entry) break;
        gyi_found found = list_found(w, dir, entry);
        int failed = each(w, ctx, &found);
        if (!first) first = failed;
    }
    gyi_dir_close(sys, dir);
    return err ? err : first;
}

gyi_differs gyi_watcher_differs(gyi_stat *last, const gy_fs_info *now) {
    bool same = now->dev == last->dev && now->ino == last->ino;
    bool written = now->mtime != last->mtime || now->size != last->size;
    bool attributes = now->ctime != last->ctime || now->mode != (last->mode & 07777) || now->nlink != last->nlink;
    last->dev = now->dev;
    last->ino = now->ino;
    last->mtime = now->mtime;
    last->ctime = now->ctime;
    last->size = now->size;
    last->nlink = now->nlink;
    last->mode = (last->mode & ~07777u) | now->mode;
    if ((gyi_file_kind_of(last->mode) == GYI_FILE_DIR) != (now->type == GY_FS_DIR)) return GYI_DIFFERS_KIND;
    if (!same || written) return GYI_DIFFERS_CONTENT;
    return attributes ? GYI_DIFFERS_ATTRIBUTES : GYI_DIFFERS_NOT;
}
