/* SPDX-License-Identifier: ISC */
/* kqueue() and kevent() for the tests on Linux: EVFILT_READ, EVFILT_WRITE, EVFILT_USER and EVFILT_VNODE, so that the
 * library's kqueue backend and everything above it can run where there is no kqueue. Correct rather than fast.
 *
 * This file owns the table of queues, the lock, and waiting; knote.c knows what is watched, measure.c what is true of a
 * descriptor, vnode.c what happens to files. A queue is one descriptor, an epoll, and can be polled, nested, made
 * close-on-exec, and closed. Closing is not seen: a queue counts as open while its number still is an epoll in which
 * our always readable descriptor is registered, and what is left of closed ones is freed when the next queue is made. A
 * queue of the parent is EBADF in a child, told by the process id.
 *
 * There is one lock, held with all signals blocked, so that kevent() may be called from a signal handler, as on the
 * BSDs, where it is a system call. They are let in only while waiting, so that none is missed.
 *
 * What cannot be imitated:
 *   - a watched descriptor that is closed and then replaced under the same number by a duplicate of the same file keeps
 *     its knotes (a BSD drops them); every other close and reuse is noticed;
 *   - a child still holds the parent's queue as a descriptor, although it cannot use it;
 *   - while a thread waits it is woken by the edges of epoll: not by a file that grows, nor by a reader that makes room
 *     in a pipe or connection which was not full. These are noticed by the next call;
 *   - of a directory whose parent may not be read, EVFILT_VNODE does not tell that it was removed;
 *   - adding an EVFILT_VNODE that is there begins it anew, and drops the other knotes of that descriptor;
 *   - what is reported as a connection's error is a guess (measure.c), and `data` of a datagram socket is the size of
 *     the next datagram, not of all;
 *   - a shutdown for sending, by oneself, of a unix socket is not reported as EV_EOF to EVFILT_WRITE;
 *   - a program that closes all descriptors it did not open, or that has closed the always readable one, has no queues
 *     any more. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "knote.h"

static pthread_mutex_t kqueue_lock = PTHREAD_MUTEX_INITIALIZER;
static kq *kqueue_all;
static sigset_t kqueue_fork_mask; /* what the thread that forks had blocked */

static void kqueue_enter(sigset_t *kept) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, kept);
    pthread_mutex_lock(&kqueue_lock);
}

static void kqueue_leave(const sigset_t *kept) {
    int err = errno;
    pthread_mutex_unlock(&kqueue_lock);
    pthread_sigmask(SIG_SETMASK, kept, NULL);
    errno = err;
}

/* ---- the process --------------------------------------------------------------------------------------------- */

static void kqueue_before_fork(void) {
    sigset_t kept;
    kqueue_enter(&kept);
    kqueue_fork_mask = kept;
}

static void kqueue_after_fork(void) {
    sigset_t kept = kqueue_fork_mask;
    kqueue_leave(&kept);
}

/* Before main(), so that a test which counts descriptors does not see one appear; and far up, so that it does not take
 * one of the low numbers. */
__attribute__((constructor)) static void kqueue_start(void) {
    int low = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    int high = fcntl(low, F_DUPFD_CLOEXEC, 900);
    knote_signal = high < 0 ? low : high;
    if (high >= 0) close(low);
    low = dup(knote_signal);
    high = fcntl(low, F_DUPFD_CLOEXEC, 900);
    knote_vnode_reserve(high < 0 ? low : high);
    if (high >= 0) close(low);
    pthread_atfork(kqueue_before_fork, kqueue_after_fork, kqueue_after_fork);
}

/* ---- the table ----------------------------------------------------------------------------------------------- */

/* Whether the number is an epoll in which the always readable descriptor is registered. */
static bool kqueue_is_ours(int fd) {
    struct epoll_event e = {.events = 0};
    if (epoll_ctl(fd, EPOLL_CTL_ADD, knote_signal, &e)) return errno == EEXIST;
    epoll_ctl(fd, EPOLL_CTL_DEL, knote_signal, NULL);
    return false;
}

kq *knote_find(int fd) {
    for (kq *q = kqueue_all; q; q = q->next)
        if (q->fd == fd && q->pid == getpid()) return kqueue_is_ours(fd) ? q : NULL;
    return NULL;
}

/* Frees what belongs to queues that were closed, or that a parent had. */
static void kqueue_sweep(void) {
    kq **at = &kqueue_all;
    while (*at) {
        kq *q = *at;
        bool child = q->pid != getpid();
        if (!child && kqueue_is_ours(q->fd)) {
            at = &q->next;
            continue;
        }
        *at = q->next;
        q->dead = true;
        if (child || q->waiting == 0) knote_free(q);
    }
}

int kqueue(void) {
    sigset_t kept;
    kqueue_enter(&kept);
    kqueue_sweep();
    int fd = epoll_create1(0);
    kq *q = fd < 0 ? NULL : knote_open(fd);
    if (q) {
        q->next = kqueue_all;
        kqueue_all = q;
    } else if (fd >= 0) {
        int err = errno;
        close(fd);
        errno = err;
        fd = -1;
    }
    kqueue_leave(&kept);
    return fd;
}

/* ---- kevent -------------------------------------------------------------------------------------------------- */

/* Applies the changes. Errors and receipts go to `out` while there is room. @return how many, or -errno for an error
 * that found no room; `*end` when nothing more is to be done. */
static int kqueue_apply(kq *q, const struct kevent *changes, int count, struct kevent *out, int room, bool *end) {
    int told = 0;
    for (int i = 0; i < count; i++) {
        const struct kevent change = changes[i]; /* both arrays may be the same */
        int err = knote_change(q, &change);
        if (!err && !(change.flags & EV_RECEIPT)) continue;
        *end = true;
        if (told == room) return err ? -err : told;
        out[told] = change;
        out[told].flags = EV_ERROR;
        out[told++].data = err;
    }
    return told;
}

static struct timespec kqueue_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now;
}

static struct timespec kqueue_sum(struct timespec a, struct timespec b) {
    struct timespec t = {a.tv_sec + b.tv_sec, a.tv_nsec + b.tv_nsec};
    if (t.tv_nsec >= 1000000000L) {
        t.tv_nsec -= 1000000000L;
        t.tv_sec++;
    }
    return t;
}

/* What is left until `end`; zero when it is over. */
static struct timespec kqueue_left(struct timespec end) {
    struct timespec now = kqueue_clock(), t = {end.tv_sec - now.tv_sec, end.tv_nsec - now.tv_nsec};
    if (t.tv_nsec < 0) {
        t.tv_nsec += 1000000000L;
        t.tv_sec--;
    }
    return t.tv_sec < 0 ? (struct timespec){0, 0} : t;
}

/* Waits without the lock, with the program's own signal mask. @return 1: there is something to see; 0: time is up;
 * or -errno. `*q` may be freed then if it is not 1. */
static int kqueue_pause(kq *q, const struct timespec *end, const sigset_t *kept) {
    struct pollfd p = {q->fd, POLLIN, 0};
    struct timespec left = end ? kqueue_left(*end) : (struct timespec){0, 0};
    q->waiting++;
    pthread_mutex_unlock(&kqueue_lock);
    int n = ppoll(&p, 1, end ? &left : NULL, kept);
    int err = n < 0 ? -errno : n;
    pthread_mutex_lock(&kqueue_lock);
    q->waiting--;
    bool gone = q->dead || !kqueue_is_ours(q->fd);
    if (q->dead && q->waiting == 0) knote_free(q);
    if (err <= 0 || !gone) return err;
    /* poll() looks at the number again when its time is up, and finds it closed; a BSD would only tell the time. */
    left = end ? kqueue_left(*end) : (struct timespec){1, 0};
    return left.tv_sec == 0 && left.tv_nsec == 0 ? 0 : -EBADF;
}

static int kqueue_collect(kq *q, struct kevent *out, int room, const struct timespec *timeout, const sigset_t *kept) {
    struct timespec end = {0, 0};
    bool forever = !timeout || timeout->tv_sec > 1000000000;
    if (!forever) end = kqueue_sum(kqueue_clock(), *timeout);
    for (;;) {
        int n = knote_scan(q, out, room);
        if (n > 0 || (timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0)) return n;
        n = kqueue_pause(q, forever ? NULL : &end, kept);
        if (n <= 0) return n;
    }
}

static bool kqueue_valid(const struct timespec *t) {
    return !t || (t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < 1000000000L);
}

int kevent(int fd, const struct kevent *changes, int nchanges, struct kevent *events, int nevents,
           const struct timespec *timeout) {
    sigset_t kept;
    bool end = false;
    int n = -EBADF;
    kqueue_enter(&kept);
    kq *q = knote_find(fd);
    if (q) n = kqueue_apply(q, changes, nchanges, events, nevents, &end);
    if (q && !end && n == 0 && nevents > 0)
        n = kqueue_valid(timeout) ? kqueue_collect(q, events, nevents, timeout, &kept) : -EINVAL;
    if (n < 0) errno = -n;
    kqueue_leave(&kept);
    return n < 0 ? -1 : n;
}
