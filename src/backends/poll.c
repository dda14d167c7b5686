/* SPDX-License-Identifier: ISC */
/* poll: every POSIX system. The cost of a wait grows with the number of descriptors, ready or not; up to some dozens
 * that is nothing, and the backend's other merit is that it needs no descriptor of its own. */
#include "backends/pollset.h"

static int poll_open(gyi_poller *p) {
    p->fd = -1;
    p->caps = GYI_CAP_PRIORITY;
    p->state = gyi_alloc_zero(p->alloc, sizeof(gyi_pollset));
    return p->state ? 0 : -ENOMEM;
}

static void poll_close(gyi_poller *p) {
    if (!p->state) return;
    gyi_pollset_free(p->state, p->alloc);
    gyi_free(p->alloc, p->state);
    p->state = NULL;
}

/* There is no kernel object to lose in a fork; the list begins anew, as the contract says. */
static int poll_reopen(gyi_poller *p) {
    gyi_pollset_free(p->state, p->alloc);
    return 0;
}

static int poll_set(gyi_poller *p, int fd, uint64_t token, unsigned was, unsigned want) {
    (void)was;
    return gyi_pollset_set(p, p->state, fd, token, want);
}

static int poll_wait(gyi_poller *p, gyi_ready *out, int cap, gy_ns timeout) {
    return gyi_pollset_wait(p, p->state, out, cap, timeout);
}

const gyi_backend gyi_backend_poll = {
    .name = "poll",
    .open = poll_open,
    .close = poll_close,
    .reopen = poll_reopen,
    .set = poll_set,
    .wait = poll_wait,
};
