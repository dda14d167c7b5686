/* SPDX-License-Identifier: ISC */
/* Linux: sendfile(), splice(), copy_file_range().
 *
 * Every answer that says "cannot" becomes -ENOTSUP here.
 *
 * Whether a part of a file is in memory is asked in two steps. cachestat() counts the pages that are there, exactly and
 * at once, but counts those too that are still being filled; as files are filled from the front, a read of the last
 * byte that may not wait tells of these. Where the kernel has no cachestat() (before 6.5) or does not let us ask (files
 * that somebody else owns), the answer is that it is not known.
 */
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/filecall.h"
#include "sys/move.h"

static int64_t move_result(int64_t n) {
    if (n == -EINPROGRESS) return -EAGAIN; /* with fast open, sending may be what begins to connect */
    return gyi_file_unable(n) || n == -ESPIPE ? -ENOTSUP : n;
}

/* ---- to sockets and pipes ---------------------------------------------------------------------------------------- */

static ssize_t move_send_once(int from, int64_t at, int to, size_t len) {
    gyi_hush hush;
    off_t offset = (off_t)at;
    gyi_fd_hush(&hush);
    ssize_t n = sendfile(to, from, at < 0 ? NULL : &offset, len);
    gyi_fd_unhush(&hush, n < 0 && errno == EPIPE);
    return n;
}

static int64_t move_send(gyi_sys *sys, int from, int64_t at, int to, size_t len) {
    GYI_FILE_CALL(sys, GYI_SYS_WRITE, ssize_t, move_send_once(from, at, to, len));
}

int64_t gyi_move_send(gyi_sys *sys, int from, int64_t at, int to, size_t len) {
    return move_result(move_send(sys, from, at, to, len));
}

static ssize_t move_splice_once(int from, int to, size_t len) {
    gyi_hush hush;
    gyi_fd_hush(&hush);
    ssize_t n = splice(from, NULL, to, NULL, len, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    gyi_fd_unhush(&hush, n < 0 && errno == EPIPE);
    return n;
}

static int64_t move_splice(gyi_sys *sys, int from, int to, size_t len) {
    GYI_FILE_CALL(sys, GYI_SYS_WRITE, ssize_t, move_splice_once(from, to, len));
}

int64_t gyi_move_splice(gyi_sys *sys, int from, int to, size_t len) {
    return move_result(move_splice(sys, from, to, len));
}

int gyi_move_ready(gyi_sys *sys, int from, int to) {
    struct pollfd both[] = {{.fd = from, .events = POLLIN}, {.fd = to, .events = POLLOUT}};
    int err = gyi_sys_enter(sys, GYI_SYS_WAIT);
    if (err) return err;
    int n;
    do n = poll(both, 2, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : (both[0].revents ? GYI_MOVE_FROM : 0) + (both[1].revents ? GYI_MOVE_TO : 0);
}

/* ---- from file to file ------------------------------------------------------------------------------------------- */

static int64_t move_copy(gyi_sys *sys, int from, loff_t *from_at, int to, loff_t *to_at, size_t len) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, ssize_t, copy_file_range(from, from_at, to, to_at, len, 0));
}

int64_t gyi_move_copy(gyi_sys *sys, int from, int64_t from_at, int to, int64_t to_at, size_t len) {
    loff_t in = from_at, out = to_at;
    return move_result(move_copy(sys, from, in < 0 ? NULL : &in, to, out < 0 ? NULL : &out, len));
}

/* ---- what is in memory ------------------------------------------------------------------------------------------- */

/* The C library may be older than the kernel, so it is not asked for these calls. The number of cachestat() is the same
 * on all machines but one; and on one kind of machine, offsets are not handed over in two halves. */
#if !defined(SYS_cachestat) && !defined(__alpha__)
#define SYS_cachestat 451
#endif

#if defined(SYS_cachestat) && defined(SYS_preadv2) && !(defined(__x86_64__) && defined(__ILP32__))

enum { MOVE_NOWAIT = 8 }; /* RWF_NOWAIT of <linux/fs.h>, which is not installed everywhere */

typedef struct move_range {
    uint64_t at, len;
} move_range;

typedef struct move_pages {
    uint64_t cached, dirty, writing, evicted, recently_evicted;
} move_pages;

static int64_t move_count(gyi_sys *sys, int fd, move_range *range, move_pages *pages) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, long, syscall(SYS_cachestat, fd, range, pages, 0));
}

static int64_t move_size(gyi_sys *sys, int fd, struct stat *st) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, fstat(fd, st));
}

static int64_t move_peek(gyi_sys *sys, int fd, const struct iovec *to, uint64_t at) {
    GYI_FILE_CALL(sys, GYI_SYS_READ, long,
                  syscall(SYS_preadv2, fd, to, 1L, (unsigned long)at, (unsigned long)(at >> 32), MOVE_NOWAIT));
}

size_t gyi_move_cached(gyi_sys *sys, int fd, int64_t at, size_t len) {
    struct stat st;
    if (at < 0 || !len || move_size(sys, fd, &st) || !S_ISREG(st.st_mode)) return 0;
    if (at >= st.st_size) return len; /* that it is the end is known */
    if (len > (uint64_t)(st.st_size - at)) len = (size_t)(st.st_size - at);
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), last = (uint64_t)at + len - 1;
    move_range range = {(uint64_t)at, len};
    move_pages pages = {.cached = 0};
    if (move_count(sys, fd, &range, &pages) || pages.cached < last / page - (uint64_t)at / page + 1) return 0;
    char byte;
    struct iovec to = {&byte, 1};
    return move_peek(sys, fd, &to, last) == 1 ? len : 0;
}

#else

size_t gyi_move_cached(gyi_sys *sys, int fd, int64_t at, size_t len) {
    (void)sys, (void)fd, (void)at, (void)len;
    return 0;
}

#endif
