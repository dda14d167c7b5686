/* SPDX-License-Identifier: ISC */
/* Knotes: how changes are applied, and how ready ones are found. The caller holds the lock of kqueue.c.
 *
 * Each watched descriptor is registered once, edge-triggered, in the epoll that is the queue's descriptor. An edge puts
 * its knotes on the active list and decides nothing: whether a knote is ready is asked of the descriptor when it is
 * about to be reported, as the BSDs do. Those that still are go to the end of the list, which makes small calls fair.
 * While the list is not empty, a descriptor that is always readable is switched on in the epoll, so that the queue
 * itself can be polled and other threads wake up.
 *
 * Closing cannot be seen, so before a knote is reported or changed it is made sure that the descriptor still is the
 * file that was registered: epoll refuses to add that one again with EEXIST, and takes any other. An edge-triggered
 * entry which was left behind in the epoll, since a duplicate keeps the file open, costs a few wake-ups and no more;
 * its generation tells it apart.
 *
 * On the BSDs more than an edge of Linux lets an EV_CLEAR knote fire again: a reader that takes a part, a reader that
 * makes room in a pipe that was not full. For these the amount in the descriptor is compared with the one seen last,
 * for a few knotes in each call. */
#include "knote.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NODE_KNOTES = sizeof(((node *)0)->of) / sizeof(knote *) };

/* How many knotes one call looks at for a changed amount, so that thousands do not make each call slow. */
enum { KNOTE_SAMPLES = 32 };

int knote_signal = -1;

static void link_empty(knote_link *l) { l->next = l->prev = l; }

static bool link_alone(const knote_link *l) { return l->next == l; }

static void link_take(knote_link *l) {
    l->prev->next = l->next;
    l->next->prev = l->prev;
    link_empty(l);
}

static void link_append(knote_link *list, knote_link *l) {
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}

/* ---- the active list ----------------------------------------------------------------------------------------- */

static void knote_activate(knote *k) {
    if (!link_alone(&k->active) || k->disabled) return;
    link_append(&k->kq->active, &k->active);
    k->kq->active_count++;
}

static void knote_deactivate(knote *k) {
    if (link_alone(&k->active)) return;
    link_take(&k->active);
    k->kq->active_count--;
}

/* Makes the queue's descriptor readable exactly while something is active. */
static void knote_arm(kq *q) {
    bool want = !link_alone(&q->active);
    struct epoll_event e = {.events = want ? EPOLLIN : 0, .data.u64 = KNOTE_SIGNAL};
    if (want != q->armed && epoll_ctl(q->fd, EPOLL_CTL_MOD, knote_signal, &e) == 0) q->armed = want;
}

void knote_fire(knote *k) {
    knote_activate(k);
    knote_arm(k->kq);
}

static void knote_edge(kq *q, uint64_t token, unsigned events) {
    size_t fd = (uint32_t)token;
    node *n = fd < q->size ? q->nodes[fd] : NULL;
    if (!n || n->generation != token >> 32) return;
    bool both = events & (EPOLLHUP | EPOLLERR);
    if (n->of[0] && (both || (events & (EPOLLIN | EPOLLRDHUP)))) knote_activate(n->of[0]);
    if (n->of[1] && (both || (events & EPOLLOUT))) knote_activate(n->of[1]);
}

/* Takes all edges out of the epoll. */
static void knote_harvest(kq *q) {
    struct epoll_event e[64];
    int n;
    do {
        n = epoll_wait(q->fd, e, 64, 0);
        for (int i = 0; i < n; i++)
            if (e[i].data.u64 == KNOTE_VNODES) knote_vnode_harvest();
            else if (e[i].data.u64 != KNOTE_SIGNAL) knote_edge(q, e[i].data.u64, e[i].events);
    } while (n == 64);
    knote_arm(q);
}

/* ---- descriptors --------------------------------------------------------------------------------------------- */

static uint64_t node_token(const node *n) { return (uint64_t)n->generation << 32 | (uint32_t)n->fd; }

static int node_register(kq *q, const node *n) {
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = node_token(n)};
    return epoll_ctl(q->fd, EPOLL_CTL_ADD, n->fd, &e) ? errno : 0;
}

/* Whether the number still means the file that was registered. */
static bool node_same(kq *q, const node *n) {
    struct stat st;
    if (n->kind == KIND_FILE) return fstat(n->fd, &st) == 0 && st.st_dev == n->dev && st.st_ino == n->ino;
    int err = node_register(q, n);
    if (err == 0) epoll_ctl(q->fd, EPOLL_CTL_DEL, n->fd, NULL);
    return err == EEXIST;
}

bool knote_still(knote *k) { return node_same(k->kq, k->node); }

/* Where a descriptor has the knote of a filter. */
static int node_index(short filter) { return filter == EVFILT_READ ? 0 : filter == EVFILT_WRITE ? 1 : 2; }

static void knote_drop(knote *k) {
    knote_deactivate(k);
    link_take(&k->sampled);
    if (!link_alone(&k->vnodes)) knote_vnode_drop(k);
    if (k->node) k->node->of[node_index(k->event.filter)] = NULL;
    free(k);
}

/* Forgets a descriptor together with its knotes. */
static void node_drop(kq *q, node *n) {
    for (int i = 0; i < NODE_KNOTES; i++)
        if (n->of[i]) knote_drop(n->of[i]);
    q->nodes[n->fd] = NULL;
    free(n);
}

/* Removes a knote and, with the last one, the registration. */
static void knote_delete(knote *k) {
    kq *q = k->kq;
    node *n = k->node;
    if (!n) {
        knote **at = &q->users;
        while (*at != k) at = &(*at)->next;
        *at = k->next;
    }
    knote_drop(k);
    if (!n || n->of[0] || n->of[1] || n->of[2]) return;
    if (n->kind != KIND_FILE) epoll_ctl(q->fd, EPOLL_CTL_DEL, n->fd, NULL);
    node_drop(q, n);
}

static int node_room(kq *q, int fd) {
    size_t size = q->size ? q->size : 64;
    while (size <= (size_t)fd) size *= 2;
    if (size == q->size) return 0;
    node **nodes = realloc(q->nodes, size * sizeof *nodes);
    if (!nodes) return ENOMEM;
    memset(nodes + q->size, 0, (size - q->size) * sizeof *nodes);
    q->nodes = nodes;
    q->size = size;
    return 0;
}

/* The errors of the kernel's own devices: those that epoll does not take cannot be watched on the BSDs either. */
static int node_add(kq *q, int fd, node **out) {
    struct stat st;
    int kind = measure_kind(fd), err = kind < 0 ? -kind : node_room(q, fd);
    if (!err && fstat(fd, &st)) err = errno;
    node *n = err ? NULL : calloc(1, sizeof *n);
    if (!n) return err ? err : ENOMEM;
    *n = (node){.fd = fd, .generation = q->generation++ & INT32_MAX, .dev = st.st_dev, .ino = st.st_ino};
    n->kind = (fd_kind)kind;
    if (n->kind != KIND_FILE) err = node_register(q, n);
    if (err) {
        free(n);
        return err == EPERM ? ENODEV : err;
    }
    q->nodes[fd] = *out = n;
    return 0;
}

/* ---- readiness ----------------------------------------------------------------------------------------------- */

static fact knote_fact(knote *k) {
    node *n = k->node;
    if (k->event.filter == EVFILT_VNODE) return (fact){.ready = k->fired != 0};
    kq *inner = n->kind == KIND_OTHER && k->event.filter == EVFILT_READ ? knote_find(n->fd) : NULL;
    if (inner) {
        knote_harvest(inner);
        return (fact){.ready = inner->active_count > 0, .data = inner->active_count};
    }
    fact f = measure_fact(n->fd, n->kind, k->event.filter);
    if ((k->fflags & NOTE_LOWAT) && f.data < k->data && !f.eof && !f.error) f.ready = false;
    if (!measure_amount(n->fd, n->kind, k->event.filter, &k->seen)) k->seen = 0;
    return f;
}

/* Activates what an edge does not tell: see the head of this file. */
static void knote_sample(kq *q) {
    knote_link *first = NULL;
    for (int i = 0; i < KNOTE_SAMPLES && !link_alone(&q->sampled) && q->sampled.next != first; i++) {
        knote_link *l = q->sampled.next;
        knote *k = (knote *)(void *)((char *)l - offsetof(knote, sampled));
        int64_t now = 0;
        if (!first) first = l;
        link_take(l);
        link_append(&q->sampled, l);
        if (k->disabled || !measure_amount(k->node->fd, k->node->kind, k->event.filter, &now)) continue;
        if (k->event.filter == EVFILT_READ ? now != k->seen : now < k->seen) knote_activate(k);
        k->seen = now;
    }
}

/* Fills in the event of a knote if it is ready. A knote whose descriptor is gone goes, with its sibling. */
static bool knote_report(knote *k, struct kevent *out) {
    *out = k->event;
    if (!k->node) {
        out->fflags = k->fflags;
        out->data = k->data;
        if (k->event.flags & EV_CLEAR) k->triggered = false;
        return true;
    }
    if (!node_same(k->kq, k->node)) {
        node_drop(k->kq, k->node);
        return false;
    }
    fact f = knote_fact(k);
    if (!f.ready) {
        knote_deactivate(k);
        return false;
    }
    if (f.eof) out->flags |= EV_EOF;
    out->fflags = f.eof ? f.error : k->fired;
    out->data = f.data;
    if (k->event.flags & EV_CLEAR) k->fired = 0;
    return true;
}

/* What becomes of a knote that was reported. */
static void knote_reported(knote *k) {
    unsigned flags = k->event.flags;
    if (flags & EV_ONESHOT) {
        knote_delete(k);
        return;
    }
    knote_deactivate(k);
    if (flags & EV_DISPATCH) k->disabled = true;
    else if (!(flags & EV_CLEAR)) knote_activate(k);
}

int knote_scan(kq *q, struct kevent *out, int room) {
    int count = 0;
    knote_harvest(q);
    knote_sample(q);
    int64_t left = q->active_count;
    while (left-- > 0 && count < room && !link_alone(&q->active)) {
        knote *k = (knote *)(void *)q->active.next;
        if (!knote_report(k, &out[count])) continue;
        count++;
        knote_reported(k);
    }
    knote_arm(q);
    return count;
}

/* ---- changes ------------------------------------------------------------------------------------------------- */

static knote *knote_new(kq *q, const struct kevent *change) {
    knote *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    k->kq = q;
    k->event = *change;
    k->event.flags &= (unsigned short)~(EV_ADD | EV_DELETE | EV_ENABLE | EV_DISABLE);
    k->event.fflags = 0;
    k->event.data = 0;
    link_empty(&k->active);
    link_empty(&k->sampled);
    link_empty(&k->vnodes);
    return k;
}

/* EVFILT_USER. NOTE_TRIGGER in the change that adds the knote triggers nothing, as was recorded. */
static int knote_user(kq *q, const struct kevent *change) {
    knote *k = q->users;
    while (k && k->event.ident != change->ident) k = k->next;
    bool fresh = !k;
    if (fresh) {
        if (!(change->flags & EV_ADD)) return ENOENT;
        k = knote_new(q, change);
        if (!k) return ENOMEM;
        k->next = q->users;
        q->users = k;
        k->fflags = change->fflags & NOTE_FFLAGSMASK;
        k->data = change->data;
    }
    if (change->flags & EV_DELETE) {
        knote_delete(k);
        return 0;
    }
    k->event.udata = change->udata;
    unsigned control = change->fflags & NOTE_FFCTRLMASK, bits = change->fflags & NOTE_FFLAGSMASK;
    if (!fresh) {
        if (change->fflags & NOTE_TRIGGER) k->triggered = true;
        if (control == NOTE_FFAND) k->fflags &= bits;
        else if (control == NOTE_FFOR) k->fflags |= bits;
        else if (control == NOTE_FFCOPY) k->fflags = bits;
        k->data = change->data;
        if (change->flags & EV_CLEAR) k->triggered = false;
    }
    if (change->flags & EV_ENABLE) k->disabled = false;
    else if (change->flags & EV_DISABLE) k->disabled = true;
    if (k->disabled) knote_deactivate(k);
    else if (k->triggered) knote_activate(k);
    return 0;
}

/* Adds a knote for a descriptor, and the descriptor if it is new. */
static int knote_add(kq *q, const struct kevent *change, node *n, knote **out) {
    bool fresh = !n;
    int err = fresh ? node_add(q, (int)change->ident, &n) : 0;
    if (err) return err;
    knote *k = knote_new(q, change);
    if (!k) {
        if (fresh) {
            if (n->kind != KIND_FILE) epoll_ctl(q->fd, EPOLL_CTL_DEL, n->fd, NULL);
            node_drop(q, n);
        }
        return ENOMEM;
    }
    k->node = n;
    n->of[node_index(change->filter)] = k;
    if (change->filter == EVFILT_VNODE) {
        err = knote_vnode_add(k);
        if (err) knote_delete(k);
        *out = k;
        return err;
    }
    bool clear = (change->flags & EV_CLEAR) && measure_amount(n->fd, n->kind, change->filter, &k->seen);
    if (clear || (n->kind == KIND_FILE && change->filter == EVFILT_READ)) link_append(&q->sampled, &k->sampled);
    knote_harvest(q); /* the first edge says what is asked below anyway */
    *out = k;
    return 0;
}

/* What a change does to a knote that exists. The flags that say how it reports stay as they were when it was added. */
static void knote_update(knote *k, const struct kevent *change) {
    k->event.udata = change->udata;
    k->fflags = change->fflags;
    k->data = change->data;
    if (change->flags & EV_ENABLE) k->disabled = false;
    else if (change->flags & EV_DISABLE) k->disabled = true;
    if (k->disabled) knote_deactivate(k);
    else if (knote_fact(k).ready) knote_activate(k);
}

static int knote_descriptor(kq *q, const struct kevent *change) {
    if (change->ident > INT_MAX || fcntl((int)change->ident, F_GETFD) < 0) return EBADF;
    int fd = (int)change->ident, which = node_index(change->filter);
    bool adds = change->flags & EV_ADD;
    if (which == 2 && measure_kind(fd) != KIND_FILE) return EINVAL;
    node *n = (size_t)fd < q->size ? q->nodes[fd] : NULL;
    if (n && (!node_same(q, n) || (which == 2 && adds))) { /* a removed file's number may be a new one's at once */
        node_drop(q, n);
        n = NULL;
    }
    knote *k = n ? n->of[which] : NULL;
    if (!k && !adds) return ENOENT;
    /* Nobody will ever read this pipe, which the BSDs say at once. */
    bool pipe = adds && which == 1 && measure_kind(fd) == KIND_PIPE;
    if (pipe && measure_fact(fd, KIND_PIPE, EVFILT_WRITE).eof) return EPIPE;
    int err = k ? 0 : knote_add(q, change, n, &k);
    if (err) return err;
    if (change->flags & EV_DELETE) knote_delete(k);
    else knote_update(k, change);
    return 0;
}

int knote_change(kq *q, const struct kevent *change) {
    int err = EINVAL;
    if (change->filter == EVFILT_USER) err = knote_user(q, change);
    else if (change->filter == EVFILT_READ || change->filter == EVFILT_WRITE || change->filter == EVFILT_VNODE)
        err = knote_descriptor(q, change);
    knote_arm(q);
    return err;
}

/* ---- queues -------------------------------------------------------------------------------------------------- */

kq *knote_open(int fd) {
    kq *q = calloc(1, sizeof *q);
    struct epoll_event e = {.events = 0, .data.u64 = KNOTE_SIGNAL};
    if (!q) return NULL;
    if (epoll_ctl(fd, EPOLL_CTL_ADD, knote_signal, &e)) {
        free(q);
        return NULL;
    }
    q->fd = fd;
    q->pid = getpid();
    link_empty(&q->active);
    link_empty(&q->sampled);
    return q;
}

void knote_free(kq *q) {
    for (size_t i = 0; i < q->size; i++)
        if (q->nodes[i]) node_drop(q, q->nodes[i]);
    while (q->users) {
        knote *k = q->users;
        q->users = k->next;
        knote_drop(k);
    }
    free(q->nodes);
    free(q);
}
