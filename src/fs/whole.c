/* SPDX-License-Identifier: ISC */
/* Whole files: reading one into memory, and replacing one at a stroke.
 *
 * Writing is: a new file in the same directory, all bytes, its permissions, to the device, rename, and the directory to
 * the device. The directory is held open throughout, so that its being renamed meanwhile does no harm. Until the rename
 * every failure removes the new file; after it there is none. */
#include "fs/fs.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "sys/clock.h"

enum { WHOLE_FIRST = 4096, WHOLE_TRIES = 100, WHOLE_NAME = 24 };

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Room for one byte more, besides the final 0: so a file of the size that was told is read to its end without
 * growing. */
static int whole_grow(gy_fs *req, size_t used, size_t *room) {
    if (used + 1 < *room) return 0;
    if (*room > SIZE_MAX / 2) return -EFBIG;
    void *block = gyi_alloc_grow(&req->priv.now.alloc, req->priv.now.block, used, *room * 2);
    if (!block) return -ENOMEM;
    req->priv.now.block = block;
    *room *= 2;
    return 0;
}

static int whole_read(gy_fs *req, gyi_sys *sys, int fd, size_t room) {
    size_t used = 0, max = req->priv.in.buf.len;
    int64_t n = 1;
    if (!gyi_fs_hold(req, room)) return -ENOMEM;
    while (n > 0) {
        int err = whole_grow(req, used, &room);
        if (err) return err;
        gy_buf part = {(char *)req->priv.now.block + used, room - used - 1};
        n = gyi_file_read(sys, fd, &part, 1, GY_FS_HERE);
        if (n < 0) return (int)n;
        used += (size_t)n;
        if (max && used > max) return -EFBIG;
    }
    ((char *)req->priv.now.block)[used] = 0;
    req->data = (gy_buf){req->priv.now.block, used};
    req->result = (int64_t)used;
    return 0;
}

/* The size is a hint: files in /proc have none, and others may grow. */
static int whole_room(gy_fs *req, gyi_sys *sys, int fd, size_t *room) {
    gyi_stat st;
    size_t max = req->priv.in.buf.len;
    int err = gyi_file_fstat(sys, fd, &st);
    if (err) return err;
    gyi_file_kind kind = gyi_file_kind_of(st.mode);
    if (kind == GYI_FILE_DIR) return -EISDIR;
    *room = WHOLE_FIRST;
    if (kind != GYI_FILE_REGULAR || st.size <= 0) return 0;
    if ((uint64_t)st.size > SIZE_MAX / 2 || (max && (uint64_t)st.size > max)) return -EFBIG;
    *room = (size_t)st.size + 2;
    return 0;
}

int gyi_fs_read_file(gy_fs *req, gyi_sys *sys) {
    size_t room;
    int fd = gyi_file_open(sys, gyi_file_here, req->priv.in.path, O_RDONLY, 0);
    if (fd < 0) return fd;
    int err = whole_room(req, sys, fd, &room);
    if (!err) err = whole_read(req, sys, fd, room);
    gyi_file_close(sys, fd); /* nothing was written, so nothing can be lost here */
    if (err) gyi_fs_drop(req);
    return err;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

typedef struct whole_target {
    int dir;
    const char *name;      /* in `dir` */
    char temp[WHOLE_NAME]; /* likewise */
    unsigned mode;         /* to be set; */
    bool set;              /* else as the umask has it */
} whole_target;

static int whole_open_dir(gy_fs *req, gyi_sys *sys, whole_target *t) {
    const char *path = req->priv.in.path, *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    t->name = slash ? slash + 1 : path;
    if (!t->name[0] || !strcmp(t->name, ".") || !strcmp(t->name, "..")) return *path ? -EISDIR : -ENOENT;
    char *dir = gyi_fs_hold(req, len + 2);
    if (!dir) return -ENOMEM;
    if (slash && !len) len = 1; /* the root */
    if (slash) memcpy(dir, path, len);
    else dir[len++] = '.';
    dir[len] = 0;
    t->dir = gyi_file_open_dir(sys, gyi_file_here, dir, GYI_FOLLOW);
    gyi_fs_drop(req);
    return t->dir < 0 ? t->dir : 0;
}

static int whole_mode(gy_fs *req, gyi_sys *sys, whole_target *t) {
    gyi_stat st;
    t->mode = req->priv.in.mode;
    t->set = t->mode;
    if (t->set) return 0;
    int err = gyi_file_stat(sys, t->dir, t->name, GYI_NOFOLLOW, &st);
    if (err) return err == -ENOENT ? 0 : err;
    if (gyi_file_kind_of(st.mode) == GYI_FILE_DIR) return -EISDIR;
    t->set = gyi_file_kind_of(st.mode) == GYI_FILE_REGULAR;
    t->mode = st.mode & 07777;
    return 0;
}

/* ".gyre-" and 16 digits. Names need not be secret, as nothing that is there already is opened; they should seldom
 * meet, and what two requests never have in common at the same time is their address and process; the clock does the
 * rest. */
static void whole_name(const gy_fs *req, char *name, unsigned try) {
    static const char digits[] = "0123456789abcdef";
    uint64_t bits = (uint64_t)(uintptr_t)req * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)gyi_clock_wall() + try;
    bits = (bits ^ bits >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
    bits ^= bits >> 27;
    memcpy(name, ".gyre-", 6);
    for (int i = 0; i < 16; i++, bits >>= 4) name[6 + i] = digits[bits & 15];
    name[22] = 0;
}

/* A file that is to be read by few is not to be read by more while it is written. */
static int whole_create(gy_fs *req, gyi_sys *sys, whole_target *t) {
    int fd = -EEXIST;
    for (unsigned try = 0; fd == -EEXIST && try < WHOLE_TRIES; try++) {
        whole_name(req, t->temp, try);
        fd = gyi_file_create(sys, t->dir, t->temp, t->set ? t->mode & 0777 : 0666);
    }
    return fd;
}

/* Permissions come after the bytes: writing takes the bits away that run a program as its owner. */
static int whole_fill(gy_fs *req, gyi_sys *sys, const whole_target *t, int fd) {
    int err = gyi_file_write_all(sys, fd, &req->priv.in.buf, 1, GY_FS_HERE, &req->result);
    if (!err && t->set) err = gyi_file_fchmod(sys, fd, t->mode);
    if (!err && !(req->priv.in.flags & GYI_FS_NOSYNC)) err = gyi_file_sync(sys, fd);
    return err;
}

static int whole_replace(gy_fs *req, gyi_sys *sys, whole_target *t) {
    int fd = whole_create(req, sys, t);
    if (fd < 0) return fd;
    int err = whole_fill(req, sys, t, fd), late = gyi_file_close(sys, fd);
    if (!err) err = late;
    if (!err) err = gyi_file_rename(sys, t->dir, t->temp, t->name);
    if (err) gyi_file_unlink(sys, t->dir, t->temp);
    if (err || req->priv.in.flags & GYI_FS_NOSYNC) return err;
    err = gyi_file_sync(sys, t->dir);
    return err == -EINVAL ? 0 : err; /* a file system on which directories need no such thing */
}

int gyi_fs_write_file(gy_fs *req, gyi_sys *sys) {
    whole_target t = {.dir = -1};
    int err = whole_open_dir(req, sys, &t);
    if (!err) err = whole_mode(req, sys, &t);
    if (!err) err = whole_replace(req, sys, &t);
    if (t.dir >= 0) gyi_file_close(sys, t.dir);
    if (err) req->result = 0;
    return err;
}
