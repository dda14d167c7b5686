/* SPDX-License-Identifier: ISC */
/* What is known about files: their kind, size, owners and times, and the room on their file systems.
 *
 * Linux tells when a file was made through statx() alone, which old kernels have not and some sandboxes refuse; then it
 * is the older call without that time. The BSDs and macOS have it in struct stat. */
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/filecall.h"

/* Seconds that do not fit into 64 bits of nanoseconds become the nearest that do, INT64_MIN being "not known". */
static gy_ns filestat_time(int64_t seconds, int64_t ns) {
    if (seconds >= INT64_MAX / GY_S(1)) return INT64_MAX;
    if (seconds <= INT64_MIN / GY_S(1)) return INT64_MIN + 1;
    return seconds * GY_S(1) + ns;
}

gyi_file_kind gyi_file_kind_of(uint32_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG: return GYI_FILE_REGULAR;
    case S_IFDIR: return GYI_FILE_DIR;
    case S_IFLNK: return GYI_FILE_LINK;
    case S_IFIFO: return GYI_FILE_FIFO;
    case S_IFSOCK: return GYI_FILE_SOCKET;
    case S_IFCHR: return GYI_FILE_CHAR;
    case S_IFBLK: return GYI_FILE_BLOCK;
    default: return GYI_FILE_UNKNOWN;
    }
}

/* ---- struct stat ------------------------------------------------------------------------------------------------- */

#if defined(__APPLE__) || defined(__NetBSD__)

static void filestat_times(const struct stat *st, gyi_stat *out) {
    out->atime = filestat_time(st->st_atimespec.tv_sec, st->st_atimespec.tv_nsec);
    out->mtime = filestat_time(st->st_mtimespec.tv_sec, st->st_mtimespec.tv_nsec);
    out->ctime = filestat_time(st->st_ctimespec.tv_sec, st->st_ctimespec.tv_nsec);
    out->birth = filestat_time(st->st_birthtimespec.tv_sec, st->st_birthtimespec.tv_nsec);
}

#elif defined(__FreeBSD__)

static void filestat_times(const struct stat *st, gyi_stat *out) {
    out->atime = filestat_time(st->st_atim.tv_sec, st->st_atim.tv_nsec);
    out->mtime = filestat_time(st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    out->ctime = filestat_time(st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
    out->birth = filestat_time(st->st_birthtim.tv_sec, st->st_birthtim.tv_nsec);
}

#else

static void filestat_times(const struct stat *st, gyi_stat *out) {
    out->atime = filestat_time(st->st_atim.tv_sec, st->st_atim.tv_nsec);
    out->mtime = filestat_time(st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    out->ctime = filestat_time(st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
    out->birth = INT64_MIN;
}

#endif

static void filestat_fill(const struct stat *st, gyi_stat *out) {
    out->dev = (uint64_t)st->st_dev;
    out->ino = (uint64_t)st->st_ino;
    out->nlink = (uint64_t)st->st_nlink;
    out->rdev = (uint64_t)st->st_rdev;
    out->size = (int64_t)st->st_size;
    out->blocks = (int64_t)st->st_blocks;
    out->block_size = (int64_t)st->st_blksize;
    out->mode = (uint32_t)st->st_mode;
    out->uid = (uint32_t)st->st_uid;
    out->gid = (uint32_t)st->st_gid;
    filestat_times(st, out);
}

/* No path: `dir` itself. */
static int filestat_call(int dir, const char *path, gyi_follow follow, struct stat *st) {
    if (!path) return fstat(dir, st);
    return fstatat(dir, path, st, follow == GYI_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0);
}

static int filestat_plain(gyi_sys *sys, int dir, const char *path, gyi_follow follow, struct stat *st) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, filestat_call(dir, path, follow, st));
}

static int filestat_classic(gyi_sys *sys, int dir, const char *path, gyi_follow follow, gyi_stat *out) {
    struct stat st;
    int err = filestat_plain(sys, dir, path, follow, &st);
    if (!err) filestat_fill(&st, out);
    return err;
}

/* ---- statx ------------------------------------------------------------------------------------------------------- */

#if defined(__linux__) && defined(STATX_BTIME)

#include <sys/sysmacros.h>

static void filestat_fill_x(const struct statx *x, gyi_stat *out) {
    out->dev = (uint64_t)makedev(x->stx_dev_major, x->stx_dev_minor);
    out->ino = x->stx_ino;
    out->nlink = x->stx_nlink;
    out->rdev = (uint64_t)makedev(x->stx_rdev_major, x->stx_rdev_minor);
    out->size = (int64_t)x->stx_size;
    out->blocks = (int64_t)x->stx_blocks;
    out->block_size = (int64_t)x->stx_blksize;
    out->mode = x->stx_mode;
    out->uid = x->stx_uid;
    out->gid = x->stx_gid;
    out->atime = filestat_time(x->stx_atime.tv_sec, (int64_t)x->stx_atime.tv_nsec);
    out->mtime = filestat_time(x->stx_mtime.tv_sec, (int64_t)x->stx_mtime.tv_nsec);
    out->ctime = filestat_time(x->stx_ctime.tv_sec, (int64_t)x->stx_ctime.tv_nsec);
    out->birth = INT64_MIN;
    if (x->stx_mask & STATX_BTIME) out->birth = filestat_time(x->stx_btime.tv_sec, (int64_t)x->stx_btime.tv_nsec);
}

static int filestat_ask(gyi_sys *sys, int dir, const char *path, int flags, struct statx *x) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, statx(dir, path, flags, STATX_BASIC_STATS | STATX_BTIME, x));
}

static int filestat_any(gyi_sys *sys, int dir, const char *path, gyi_follow follow, gyi_stat *out) {
    struct statx x;
    int flags = follow == GYI_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;
    int err = filestat_ask(sys, dir, path ? path : "", path ? flags : AT_EMPTY_PATH, &x);
    if (err == -ENOSYS || err == -EPERM) return filestat_classic(sys, dir, path, follow, out);
    if (!err) filestat_fill_x(&x, out);
    return err;
}

#else

static int filestat_any(gyi_sys *sys, int dir, const char *path, gyi_follow follow, gyi_stat *out) {
    return filestat_classic(sys, dir, path, follow, out);
}

#endif

int gyi_file_stat(gyi_sys *sys, int dir, const char *path, gyi_follow follow, gyi_stat *out) {
    return filestat_any(sys, dir, path, follow, out);
}

int gyi_file_fstat(gyi_sys *sys, int fd, gyi_stat *out) { return filestat_any(sys, fd, NULL, GYI_FOLLOW, out); }

/* ---- file systems ------------------------------------------------------------------------------------------------ */

static int filestat_room(gyi_sys *sys, const char *path, struct statvfs *room) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, statvfs(path, room));
}

int gyi_file_statfs(gyi_sys *sys, const char *path, gyi_statfs *out) {
    struct statvfs room;
    int err = filestat_room(sys, path, &room);
    if (err) return err;
    out->block_size = room.f_frsize ? room.f_frsize : room.f_bsize;
    out->blocks = room.f_blocks;
    out->free = room.f_bfree;
    out->available = room.f_bavail;
    out->files = room.f_files;
    out->files_free = room.f_ffree;
    out->name_max = room.f_namemax;
    return 0;
}

/* ---- setting ----------------------------------------------------------------------------------------------------- */

int gyi_file_chmod(gyi_sys *sys, const char *path, unsigned mode) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, chmod(path, (mode_t)mode));
}

int gyi_file_fchmod(gyi_sys *sys, int fd, unsigned mode) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, fchmod(fd, (mode_t)mode));
}

int gyi_file_chown(gyi_sys *sys, const char *path, gyi_follow follow, uint32_t uid, uint32_t gid) {
    int flags = follow == GYI_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, fchownat(AT_FDCWD, path, (uid_t)uid, (gid_t)gid, flags));
}

int gyi_file_fchown(gyi_sys *sys, int fd, uint32_t uid, uint32_t gid) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, fchown(fd, (uid_t)uid, (gid_t)gid));
}

/* The rest of a division in C has the sign of the number, and the kernel wants none below zero. */
static struct timespec filestat_spec(gy_ns t) {
    if (t == INT64_MIN) return (struct timespec){.tv_nsec = UTIME_NOW};
    if (t == INT64_MIN + 1) return (struct timespec){.tv_nsec = UTIME_OMIT};
    int64_t seconds = t / GY_S(1), ns = t % GY_S(1);
    if (ns < 0) ns += GY_S(1), seconds--;
    return (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = (long)ns};
}

int gyi_file_utime(gyi_sys *sys, const char *path, gyi_follow follow, gy_ns atime, gy_ns mtime) {
    const struct timespec times[2] = {filestat_spec(atime), filestat_spec(mtime)};
    int flags = follow == GYI_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, utimensat(AT_FDCWD, path, times, flags));
}

int gyi_file_futime(gyi_sys *sys, int fd, gy_ns atime, gy_ns mtime) {
    const struct timespec times[2] = {filestat_spec(atime), filestat_spec(mtime)};
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, futimens(fd, times));
}
