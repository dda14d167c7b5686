/* SPDX-License-Identifier: ISC */
/* kqueue: FreeBSD, NetBSD, OpenBSD, DragonFly, macOS.
 *
 * Interest in reading and in writing are two registrations and come back as two events, which the loop puts together.
 * Each change is made at once, with EV_RECEIPT, so that every error is known for the descriptor that it belongs to.
 * `udata` holds only the generation, as a pointer may be too small for a whole token; the descriptor is `ident`.
 *
 * A regular file counts as readable only before its end, which is not what poll() says; such files are refused here
 * with -EPERM, as epoll does, and the loop treats them as always ready. Devices that cannot be watched (ENODEV) and
 * pipes that nobody reads (EPIPE) are treated the same. Closing a descriptor removes its registrations, so forgetting
 * one may fail, and does not matter. */
#include <sys/types.h>

#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#include "backends/backend.h"
#include "sys/fd.h"

#ifndef NOTE_TRIGGER
#error "this kqueue has no EVFILT_USER; build with the poll backend"
#endif

static int kqueue_change(int kq, const struct kevent *change, int count, struct kevent *receipt) {
    static const struct timespec now = {0, 0};
    return kevent(kq, change, count, receipt, receipt ? count : 0, &now);
}

static int kqueue_open(gyi_poller *p) {
    int err = gyi_sys_enter(p->sys, GYI_SYS_POLLER);
    if (err) return err;
    int fd = kqueue();
    if (fd < 0) return -errno;
    err = gyi_fd_cloexec(p->sys, fd);
    if (!err) err = gyi_sys_enter(p->sys, GYI_SYS_POLLER);
    if (!err) {
        struct kevent wake;
        EV_SET(&wake, 0, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, NULL);
        if (kqueue_change(fd, &wake, 1, NULL) < 0) err = -errno;
    }
    if (err) {
        gyi_fd_close(p->sys, fd);
        return err;
    }
    p->fd = fd;
    p->caps = GYI_CAP_EDGE | GYI_CAP_FD | GYI_CAP_CLOSE | GYI_CAP_OWN;
    return 0;
}

static void kqueue_close(gyi_poller *p) {
    gyi_fd_close(p->sys, p->fd);
    p->fd = -1;
}

/* The new object comes before the old one goes, so that its number is another: who embeds the loop sees it. */
static int kqueue_reopen(gyi_poller *p) {
    gyi_poller fresh = *p;
    fresh.fd = -1;
    int err = kqueue_open(&fresh);
    kqueue_close(p);
    if (err == -EMFILE || err == -ENFILE) return kqueue_open(p); /* now there is one free */
    p->fd = fresh.fd; /* and nothing else, as other threads look at the rest */
    return err;
}

/* Adds a change of one filter when there is one. */
static int kqueue_filter(struct kevent *change, int fd, short filter, uint64_t token, unsigned had, unsigned edge) {
    unsigned short flags = EV_RECEIPT;
    if (had & 2) flags |= (unsigned short)(EV_ADD | (edge ? EV_CLEAR : 0));
    else if (had & 1) flags |= EV_DELETE;
    else return 0;
    EV_SET(change, (uintptr_t)fd, filter, flags, 0, 0, (void *)(uintptr_t)(token >> 32));
    return 1;
}

/* 1: was asked for; 2: is asked for. */
static unsigned kqueue_had(unsigned was, unsigned want, unsigned bit) {
    return (was & bit ? 1U : 0U) | (want & bit ? 2U : 0U);
}

static int kqueue_set(gyi_poller *p, int fd, uint64_t token, unsigned was, unsigned want) {
    unsigned edge = want & GY_EDGE;
    if (want && !was && gyi_fd_is_file(fd)) return -EPERM;
    int err = gyi_sys_enter(p->sys, GYI_SYS_CHANGE);
    if (err) return err;
    struct kevent change[4], receipt[4];
    int n = 0;
    /* Edge or level is a property that adding again does not take away everywhere: delete first when it changes. */
    if (was && want && (was & GY_EDGE) != edge) {
        n += kqueue_filter(&change[n], fd, EVFILT_READ, token, was & GY_READABLE, 0);
        n += kqueue_filter(&change[n], fd, EVFILT_WRITE, token, kqueue_had(was, 0, GY_WRITABLE), 0);
        was = 0;
    }
    int first = n;
    n += kqueue_filter(&change[n], fd, EVFILT_READ, token, kqueue_had(was, want, GY_READABLE), edge);
    n += kqueue_filter(&change[n], fd, EVFILT_WRITE, token, kqueue_had(was, want, GY_WRITABLE), edge);
    if (n == 0) return 0;
    int got = kqueue_change(p->fd, change, n, receipt);
    if (got < 0) return -errno;
    for (int i = first; i < got; i++) {
        bool failed = (receipt[i].flags & EV_ERROR) && receipt[i].data;
        if (failed && !(change[i].flags & EV_DELETE)) err = -(int)receipt[i].data;
    }
    return err == -ENODEV || err == -EPIPE ? -EPERM : err;
}

static uint32_t kqueue_events(const struct kevent *e) {
    if (e->flags & EV_ERROR) return GY_ERROR;
    uint32_t events = e->filter == EVFILT_WRITE ? GY_WRITABLE : GY_READABLE;
    if (e->flags & EV_EOF) {
        /* The other side has closed: of a write, that is the end; of a read, there may be data yet. */
        if (e->fflags) events |= GY_ERROR;
        events |= e->filter == EVFILT_WRITE ? GY_HANGUP : GYI_EOF;
    }
    return events;
}

/* Events are larger than the answers, so they come through a buffer of their own, as many at a time as it holds. */
static int kqueue_wait(gyi_poller *p, gyi_ready *out, int cap, gy_ns timeout) {
    struct kevent events[128];
    struct timespec ts = {0, 0};
    if (cap > 128) cap = 128;
    if (timeout != GY_FOREVER) {
        if (timeout > GY_S(86400)) timeout = GY_S(86400);
        ts.tv_sec = (time_t)(timeout / GY_S(1));
        ts.tv_nsec = (long)(timeout % GY_S(1));
    }
    int err = gyi_sys_enter(p->sys, GYI_SYS_WAIT);
    if (err) return err;
    int n = kevent(p->fd, NULL, 0, events, cap, timeout == GY_FOREVER ? NULL : &ts);
    if (n < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        const struct kevent *e = &events[i];
        uint64_t token = (uint64_t)(uint32_t)(uintptr_t)e->udata << 32 | (uint32_t)e->ident;
        if (e->filter == EVFILT_USER) token = GYI_TOKEN_WAKE;
        out[i] = (gyi_ready){kqueue_events(e), token};
    }
    return n;
}

static int kqueue_wake(const gyi_poller *p) {
    struct kevent wake;
    int kept = errno, err = GYI_SYS_FAULT(GYI_SYS_WAKE);
    EV_SET(&wake, 0, EVFILT_USER, 0, NOTE_TRIGGER, 0, NULL);
    while (!err && kqueue_change(p->fd, &wake, 1, NULL) < 0)
        if (errno != EINTR) err = -errno;
    errno = kept;
    return err;
}

const gyi_backend gyi_backend_kqueue = {
    .name = "kqueue",
    .open = kqueue_open,
    .close = kqueue_close,
    .reopen = kqueue_reopen,
    .set = kqueue_set,
    .wait = kqueue_wait,
    .wake = kqueue_wake,
};
