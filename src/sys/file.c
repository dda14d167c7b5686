/* SPDX-License-Identifier: ISC */
/* Descriptors of files, and their bytes.
 *
 * Offsets have 64 bits also where the system's default has not. A call that a signal has interrupted is made again,
 * because the threads that come here take no signals and one meant for somebody else must not show. */
#define _FILE_OFFSET_BITS 64
#include "sys/file.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sys/filecall.h"

enum { FILE_BUFS = 1024 }; /* the most that every system takes at once */

const int gyi_file_here = AT_FDCWD;

int gyi_file_open(gyi_sys *sys, int dir, const char *path, int flags, unsigned mode) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, openat(dir, path, flags | O_CLOEXEC, (mode_t)mode));
}

/* A link that is not to be followed is ELOOP for POSIX and EMLINK for FreeBSD. */
int gyi_file_open_dir(gyi_sys *sys, int dir, const char *name, gyi_follow follow) {
    int flags = follow == GYI_NOFOLLOW ? O_NOFOLLOW : 0;
    int fd = gyi_file_open(sys, dir, name, O_RDONLY | O_DIRECTORY | flags, 0);
    return fd == -EMLINK ? -ELOOP : fd;
}

int gyi_file_create(gyi_sys *sys, int dir, const char *name, unsigned mode) {
    return gyi_file_open(sys, dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
}

/* A failure that a test asks for must not keep the descriptor, or every test of it would report a leak. */
int gyi_file_close(gyi_sys *sys, int fd) {
    int err = gyi_sys_enter(sys, GYI_SYS_CLOSE);
    if (close(fd) && errno != EINTR) return -errno;
    return err;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

#ifdef __APPLE__

/* The versions of macOS that lack preadv() are still about: one buffer at a time, which a short count allows. */
static gy_buf file_first(const gy_buf *bufs, unsigned count) {
    while (count > 1 && !bufs->len) bufs++, count--;
    return *bufs;
}

static ssize_t file_preadv(int fd, const gy_buf *to, unsigned count, off_t at) {
    gy_buf first = file_first(to, count);
    return pread(fd, first.base, first.len, at);
}

static ssize_t file_pwritev(int fd, const gy_buf *from, unsigned count, off_t at) {
    gy_buf first = file_first(from, count);
    return pwrite(fd, first.base, first.len, at);
}

#else

static ssize_t file_preadv(int fd, const gy_buf *to, unsigned count, off_t at) {
    if (count == 1) return pread(fd, to->base, to->len, at);
    return preadv(fd, (const struct iovec *)(const void *)to, (int)count, at);
}

static ssize_t file_pwritev(int fd, const gy_buf *from, unsigned count, off_t at) {
    if (count == 1) return pwrite(fd, from->base, from->len, at);
    return pwritev(fd, (const struct iovec *)(const void *)from, (int)count, at);
}

#endif

static ssize_t file_readv(int fd, const gy_buf *to, unsigned count, int64_t at) {
    if (at >= 0) return file_preadv(fd, to, count, (off_t)at);
    return readv(fd, (const struct iovec *)(const void *)to, (int)count);
}

static ssize_t file_writev(int fd, const gy_buf *from, unsigned count, int64_t at) {
    if (at >= 0) return file_pwritev(fd, from, count, (off_t)at);
    return writev(fd, (const struct iovec *)(const void *)from, (int)count);
}

/* Those without room are left out where they come first: if they were all that the system takes, nothing read would
 * look like the end. */
int64_t gyi_file_read(gyi_sys *sys, int fd, const gy_buf *to, unsigned count, int64_t at) {
    while (count > 1 && !to->len) to++, count--;
    if (count > FILE_BUFS) count = FILE_BUFS;
    GYI_FILE_CALL(sys, GYI_SYS_READ, ssize_t, file_readv(fd, to, count, at));
}

int64_t gyi_file_write(gyi_sys *sys, int fd, const gy_buf *from, unsigned count, int64_t at) {
    if (count > FILE_BUFS) count = FILE_BUFS;
    GYI_FILE_CALL(sys, GYI_SYS_WRITE, ssize_t, file_writev(fd, from, count, at));
}

/* The caller's array is not changed, so a buffer of which a part was taken is finished by itself. */
int gyi_file_write_all(gyi_sys *sys, int fd, const gy_buf *from, unsigned count, int64_t at, int64_t *done) {
    size_t taken = 0; /* of the first buffer */
    *done = 0;
    for (;;) {
        while (count && taken >= from->len) {
            taken -= from->len;
            from++, count--;
        }
        if (!count) return 0;
        gy_buf rest = {(char *)from->base + taken, from->len - taken};
        int64_t where = at < 0 ? at : at + *done;
        int64_t n = taken ? gyi_file_write(sys, fd, &rest, 1, where) : gyi_file_write(sys, fd, from, count, where);
        if (n < 0) return (int)n;
        if (n == 0) return -EIO; /* nothing was taken of something: going on would go on for ever */
        *done += n;
        taken += (size_t)n;
    }
}

/* ---- to the device, and size ------------------------------------------------------------------------------------- */

#ifdef __APPLE__

/* fsync() leaves the data in the drive's own memory there; file systems that cannot do better say so. */
static int file_flush(int fd) { return fcntl(fd, F_FULLFSYNC) ? fsync(fd) : 0; }

int gyi_file_datasync(gyi_sys *sys, int fd) { return gyi_file_sync(sys, fd); }

#else

static int file_flush(int fd) { return fsync(fd); }

int gyi_file_datasync(gyi_sys *sys, int fd) { GYI_FILE_CALL(sys, GYI_SYS_FILE, int, fdatasync(fd)); }

#endif

int gyi_file_sync(gyi_sys *sys, int fd) { GYI_FILE_CALL(sys, GYI_SYS_FILE, int, file_flush(fd)); }

int gyi_file_truncate(gyi_sys *sys, const char *path, int64_t size) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, truncate(path, (off_t)size));
}

int gyi_file_ftruncate(gyi_sys *sys, int fd, int64_t size) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, ftruncate(fd, (off_t)size));
}
