/* SPDX-License-Identifier: ISC */
/* epoll: Linux.
 *
 * Waits are given in nanoseconds through epoll_pwait2 (Linux 5.11). Where the kernel, or a sandbox, has it not, which
 * the first wait of a fraction of a millisecond finds out, milliseconds are rounded up. The call is made by number, as
 * not every C library has a name for it.
 *
 * The bits of epoll are those of gy_io_events, and gyi_ready is laid out as the kernel's record, so nothing is
 * translated. */
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/backend.h"
#include "base/bits.h"
#include "sys/fd.h"

_Static_assert((int)GY_READABLE == (int)EPOLLIN && (int)GY_PRIORITY == (int)EPOLLPRI &&
                   (int)GY_WRITABLE == (int)EPOLLOUT && (int)GY_ERROR == (int)EPOLLERR &&
                   (int)GY_HANGUP == (int)EPOLLHUP && (int)GYI_EOF == (int)EPOLLRDHUP,
               "the bits are those of epoll");
_Static_assert(sizeof(struct epoll_event) == sizeof(gyi_ready) &&
                   offsetof(struct epoll_event, data) == offsetof(gyi_ready, token),
               "an answer is the kernel's own record");

#ifdef SYS_epoll_pwait2
enum { EPOLL_PWAIT2 = SYS_epoll_pwait2 };
#else
enum { EPOLL_PWAIT2 = 441 }; /* the same on every architecture */
#endif

enum { EPOLL_CAP_NS = 0x100 }; /* epoll_pwait2 has not been found missing */

static int epoll_open(gyi_poller *p) {
    int err = gyi_sys_enter(p->sys, GYI_SYS_POLLER);
    if (err) return err;
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    if (p->fd < 0) return -errno;
    p->caps = GYI_CAP_EDGE | GYI_CAP_FD | GYI_CAP_CLOSE | GYI_CAP_PRIORITY | EPOLL_CAP_NS;
    return 0;
}

static void epoll_close(gyi_poller *p) {
    gyi_fd_close(p->sys, p->fd);
    p->fd = -1;
}

/* The new object comes before the old one goes, so that its number is another: who embeds the loop sees it. */
static int epoll_reopen(gyi_poller *p) {
    gyi_poller fresh = *p;
    fresh.fd = -1;
    int err = epoll_open(&fresh);
    epoll_close(p);
    if (err == -EMFILE || err == -ENFILE) return epoll_open(p); /* now there is one free */
    p->fd = fresh.fd; /* and nothing else, as other threads look at the rest */
    return err;
}

static int epoll_set(gyi_poller *p, int fd, uint64_t token, unsigned was, unsigned want) {
    struct epoll_event e;
    memset(&e, 0, sizeof e);
    e.events = (want & GYI_INTEREST) | (want & GY_EDGE ? (uint32_t)EPOLLET | EPOLLRDHUP | EPOLLPRI : 0);
    e.data.u64 = token;
    int err = gyi_sys_enter(p->sys, GYI_SYS_CHANGE);
    if (err) return err;
    if (epoll_ctl(p->fd, !want ? EPOLL_CTL_DEL : was ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) == 0) return 0;
    if (!want || errno != EEXIST) return -errno;
    /* The number was registered by somebody who is forgotten: it is ours now. */
    return epoll_ctl(p->fd, EPOLL_CTL_MOD, fd, &e) ? -errno : 0;
}

/* The kernel's own struct: 64 bits on every architecture, unlike struct timespec. */
typedef struct epoll_timespec {
    int64_t sec, nsec;
} epoll_timespec;

static int epoll_wait_ns(gyi_poller *p, struct epoll_event *to, int cap, gy_ns timeout) {
    epoll_timespec ts = {timeout / GY_S(1), timeout % GY_S(1)};
    return (int)syscall(EPOLL_PWAIT2, p->fd, to, cap, &ts, NULL, (size_t)0);
}

static int epoll_wait_ms(gyi_poller *p, struct epoll_event *to, int cap, gy_ns timeout) {
    int ms = timeout > GY_S(86400) ? 86400000 : (int)((timeout + 999999) / 1000000);
    return epoll_wait(p->fd, to, cap, ms);
}

static GYI_APART int epoll_wait_long(gyi_poller *p, struct epoll_event *to, int cap, gy_ns timeout) {
    if (p->caps & EPOLL_CAP_NS) {
        int n = epoll_wait_ns(p, to, cap, timeout);
        if (n >= 0 || (errno != ENOSYS && errno != EPERM)) return n;
        p->caps &= ~(unsigned)EPOLL_CAP_NS;
    }
    return epoll_wait_ms(p, to, cap, timeout);
}

static int epoll_poll(gyi_poller *p, gyi_ready *out, int cap, gy_ns timeout) {
    int n = gyi_sys_enter(p->sys, GYI_SYS_WAIT);
    if (n) return n;
    struct epoll_event *to = (struct epoll_event *)(void *)out;
    if (timeout == 0 || timeout == GY_FOREVER) n = epoll_wait(p->fd, to, cap, timeout ? -1 : 0);
    else n = epoll_wait_long(p, to, cap, timeout);
    return GYI_LIKELY(n >= 0) ? n : errno == EINTR ? 0 : -errno;
}

const gyi_backend gyi_backend_epoll = {
    .name = "epoll",
    .open = epoll_open,
    .close = epoll_close,
    .reopen = epoll_reopen,
    .set = epoll_set,
    .wait = epoll_poll,
};
