/* SPDX-License-Identifier: ISC */
/* The list that poll() is given. Removal moves the last one into the gap, so it stays dense; its arrays double. */
#include "backends/pollset.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "base/bits.h"

_Static_assert(GY_READABLE == POLLIN && GY_PRIORITY == POLLPRI && GY_WRITABLE == POLLOUT && GY_ERROR == POLLERR &&
                   GY_HANGUP == POLLHUP,
               "the bits are those of poll");

enum { POLLSET_FIRST = 16, POLLSET_MOST = 1 << 26 };

void gyi_pollset_free(gyi_pollset *set, const gy_alloc *alloc) {
    gyi_free(alloc, set->at);
    gyi_free(alloc, set->token);
    gyi_free(alloc, set->index);
    *set = (gyi_pollset){0};
}

static int pollset_reserve(gyi_pollset *set, const gy_alloc *alloc, int fd) {
    uint32_t need = (uint32_t)fd + 1;
    if (need > POLLSET_MOST) return -ENOMEM;
    if (need > set->index_cap) {
        uint32_t cap = gyi_pow2_up(need < 64 ? 64 : need);
        uint32_t *index = gyi_alloc_grow(alloc, set->index, set->index_cap * sizeof *index, cap * sizeof *index);
        if (!index) return -ENOMEM;
        set->index = index;
        set->index_cap = cap;
    }
    if (set->count < set->cap) return 0;
    uint32_t cap = set->cap ? set->cap * 2 : POLLSET_FIRST;
    struct pollfd *at = gyi_alloc_grow(alloc, set->at, set->count * sizeof *at, cap * sizeof *at);
    if (!at) return -ENOMEM;
    set->at = at;
    uint64_t *token = gyi_alloc_grow(alloc, set->token, set->count * sizeof *token, cap * sizeof *token);
    if (!token) return -ENOMEM; /* `at` is larger than `cap` says, which does no harm */
    set->token = token;
    set->cap = cap;
    return 0;
}

static void pollset_drop(gyi_pollset *set, int fd) {
    if ((uint32_t)fd >= set->index_cap || !set->index[fd]) return;
    uint32_t i = set->index[fd] - 1, last = --set->count;
    set->index[fd] = 0;
    if (i == last) return;
    set->at[i] = set->at[last];
    set->token[i] = set->token[last];
    set->index[set->at[i].fd] = i + 1;
}

int gyi_pollset_set(gyi_poller *p, gyi_pollset *set, int fd, uint64_t token, unsigned want) {
    if (!want) {
        pollset_drop(set, fd);
        return 0;
    }
    int err = gyi_sys_enter(p->sys, GYI_SYS_CHANGE);
    if (err) return err;
    if (fcntl(fd, F_GETFD) < 0) return -errno;
    err = pollset_reserve(set, p->alloc, fd);
    if (err) return err;
    uint32_t i = set->index[fd];
    if (!i) set->index[fd] = i = ++set->count;
    set->at[i - 1] = (struct pollfd){.fd = fd, .events = (short)(want & GYI_INTEREST)};
    set->token[i - 1] = token;
    return 0;
}

#ifdef __APPLE__

static int pollset_poll(gyi_pollset *set, gy_ns timeout) {
    int ms = timeout == GY_FOREVER ? -1 : timeout > GY_S(86400) ? 86400000 : (int)((timeout + 999999) / 1000000);
    return poll(set->at, (nfds_t)set->count, ms);
}

#else

static int pollset_poll(gyi_pollset *set, gy_ns timeout) {
    struct timespec ts = {(time_t)(timeout / GY_S(1)), (long)(timeout % GY_S(1))};
    if (timeout > GY_S(86400)) ts = (struct timespec){86400, 0};
    return ppoll(set->at, (nfds_t)set->count, timeout == GY_FOREVER ? NULL : &ts, NULL);
}

#endif

int gyi_pollset_wait(gyi_poller *p, gyi_pollset *set, gyi_ready *out, int cap, gy_ns timeout) {
    int left = gyi_sys_enter(p->sys, GYI_SYS_WAIT);
    if (left) return left;
    left = pollset_poll(set, timeout);
    if (left < 0) return errno == EINTR ? 0 : -errno;
    int n = 0;
    uint32_t i = set->turn;
    for (uint32_t seen = 0; seen < set->count && left > 0 && n < cap; seen++, i++) {
        if (i >= set->count) i = 0;
        unsigned short got = (unsigned short)set->at[i].revents;
        if (!got) continue;
        left--;
        out[n++] = (gyi_ready){got & POLLNVAL ? (unsigned)GYI_CLOSED : got & (unsigned)GYI_EVENTS, set->token[i]};
    }
    set->turn = i;
    return n;
}
