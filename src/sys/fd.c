/* SPDX-License-Identifier: ISC */
/* Descriptors: their flags, their end, and bytes through those that are no sockets. */
#include "sys/fd.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(gy_buf) == sizeof(struct iovec) && offsetof(gy_buf, len) == offsetof(struct iovec, iov_len),
               "a gy_buf is handed to the kernel as a struct iovec");

/* The status flags, or -errno. */
static int fd_flags(gyi_sys *sys, int fd) {
    int err = gyi_sys_enter(sys, GYI_SYS_FCNTL);
    if (err) return err;
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -errno : flags;
}

static int fd_set_flags(gyi_sys *sys, int fd, int flags) {
    int err = gyi_sys_enter(sys, GYI_SYS_FCNTL);
    if (err) return err;
    return fcntl(fd, F_SETFL, flags) ? -errno : 0;
}

int gyi_fd_mode(gyi_sys *sys, int fd) {
    int flags = fd_flags(sys, fd);
    if (flags < 0) return flags;
    int way = flags & O_ACCMODE;
    int mode = way == O_RDONLY ? GYI_FD_READS : way == O_WRONLY ? GYI_FD_WRITES : GYI_FD_READS | GYI_FD_WRITES;
    return flags & O_NONBLOCK ? mode : mode | GYI_FD_WAITS;
}

int gyi_fd_nonblock(gyi_sys *sys, int fd) {
    int flags = fd_flags(sys, fd);
    if (flags < 0 || (flags & O_NONBLOCK)) return flags < 0 ? flags : 0;
    return fd_set_flags(sys, fd, flags | O_NONBLOCK);
}

int gyi_fd_blocking(gyi_sys *sys, int fd) {
    int flags = fd_flags(sys, fd);
    if (flags < 0 || !(flags & O_NONBLOCK)) return flags < 0 ? flags : 0;
    return fd_set_flags(sys, fd, flags & ~O_NONBLOCK);
}

int gyi_fd_cloexec(gyi_sys *sys, int fd) {
    int err = gyi_sys_enter(sys, GYI_SYS_FCNTL);
    if (err) return err;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) ? -errno : 0;
}

bool gyi_fd_is_file(int fd) {
    struct stat st;
    return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

bool gyi_fd_is_pipe(int fd) {
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

int gyi_fd_chmod(gyi_sys *sys, const char *path, unsigned mode) {
    int err = gyi_sys_enter(sys, GYI_SYS_FCNTL);
    if (err) return err;
    return chmod(path, (mode_t)mode) ? -errno : 0;
}

void gyi_fd_close(gyi_sys *sys, int fd) {
    if (fd < 0) return;
    sys->count[GYI_SYS_CLOSE]++;
    close(fd);
}

#ifndef __APPLE__

int gyi_fd_pipe(gyi_sys *sys, int ends[2]) {
    int err = gyi_sys_enter(sys, GYI_SYS_POLLER);
    if (err) return err;
    return pipe2(ends, O_CLOEXEC | O_NONBLOCK) ? -errno : 0;
}

#else

int gyi_fd_pipe(gyi_sys *sys, int ends[2]) {
    int err = gyi_sys_enter(sys, GYI_SYS_POLLER);
    if (err) return err;
    if (pipe(ends)) return -errno;
    for (int i = 0; i < 2 && !err; i++) {
        err = gyi_fd_cloexec(sys, ends[i]);
        if (!err) err = gyi_fd_nonblock(sys, ends[i]);
    }
    if (!err) return 0;
    gyi_fd_close(sys, ends[0]);
    gyi_fd_close(sys, ends[1]);
    return err;
}

#endif

ssize_t gyi_fd_read(gyi_sys *sys, int fd, void *to, size_t len) {
    for (;;) {
        int err = gyi_sys_enter(sys, GYI_SYS_READ);
        if (err) return err;
        ssize_t n = read(fd, to, len);
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
}

void gyi_fd_hush(gyi_hush *hush) {
    sigset_t broken;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, &hush->before);
    hush->blocked = sigismember(&hush->before, SIGPIPE) == 1;
    if (!hush->blocked) return; /* one that was pending would have been delivered */
    sigpending(&broken);
    hush->pending = sigismember(&broken, SIGPIPE) == 1;
}

void gyi_fd_unhush(const gyi_hush *hush, bool raised) {
    sigset_t broken, now;
    int err = errno, sig;
    if (raised && !(hush->blocked && hush->pending)) {
        sigemptyset(&broken);
        sigaddset(&broken, SIGPIPE);
        sigpending(&now);
        if (sigismember(&now, SIGPIPE) == 1) sigwait(&broken, &sig);
    }
    if (!hush->blocked) pthread_sigmask(SIG_SETMASK, &hush->before, NULL);
    errno = err;
}

#ifdef F_SETNOSIGPIPE

int gyi_fd_quiet(gyi_sys *sys, int fd) {
    int err = gyi_sys_enter(sys, GYI_SYS_FCNTL);
    if (err) return err;
    /* EINVAL: a socket that was reset already, which will say so to whoever reads. */
    return fcntl(fd, F_SETNOSIGPIPE, 1) && errno != EINVAL ? -errno : 0;
}

static ssize_t fd_writev_once(int fd, const gy_buf *from, unsigned count) {
    return writev(fd, (const struct iovec *)(const void *)from, (int)count);
}

#else

int gyi_fd_quiet(gyi_sys *sys, int fd) {
    (void)sys;
    (void)fd;
    return 0;
}

/* A pipe cannot be told to raise no SIGPIPE. */
static ssize_t fd_writev_once(int fd, const gy_buf *from, unsigned count) {
    gyi_hush hush;
    gyi_fd_hush(&hush);
    ssize_t n = writev(fd, (const struct iovec *)(const void *)from, (int)count);
    gyi_fd_unhush(&hush, n < 0 && errno == EPIPE);
    return n;
}

#endif

ssize_t gyi_fd_writev(gyi_sys *sys, int fd, const gy_buf *from, unsigned count) {
    for (;;) {
        int err = gyi_sys_enter(sys, GYI_SYS_WRITE);
        if (err) return err;
        ssize_t n = fd_writev_once(fd, from, count);
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
}
