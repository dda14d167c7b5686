/* SPDX-License-Identifier: ISC */
/* EVFILT_VNODE, imitated with inotify. The caller holds the lock of kqueue.c.
 *
 * One inotify descriptor serves all queues of a process and is registered in the epoll of each that has such a knote.
 * It takes the place of a descriptor that was opened before main(), so that no test sees one appear, and is made anew
 * in a child, which would otherwise take its parent's events. A knote's file is watched through /proc/self/fd, and what
 * inotify says is put into kqueue's words by looking at the file's size and number of names.
 *
 * A directory that is open is not said to be removed, so the directory above it is asked to tell of removals too. What
 * inotify counts as the same watch (two descriptors of one file) is told to all knotes that have it. */
#include "knote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static int vnode_fd = -1;
static pid_t vnode_pid;
static knote_link vnode_all = {&vnode_all, &vnode_all};

static const uint32_t VNODE_MASK = IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF | IN_CREATE | IN_DELETE |
                                   IN_MOVED_FROM | IN_MOVED_TO | IN_MASK_ADD;

void knote_vnode_reserve(int fd) { vnode_fd = fd; }

static knote *vnode_of(knote_link *l) { return (knote *)(void *)((char *)l - offsetof(knote, vnodes)); }

/* Puts an inotify in the place that was kept for it. */
static int vnode_begin(void) {
    if (vnode_pid == getpid()) return 0;
    int fresh = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), err = 0;
    if (fresh < 0) return errno;
    if (dup3(fresh, vnode_fd, O_CLOEXEC) < 0) err = errno;
    else vnode_pid = getpid();
    close(fresh);
    return err;
}

int knote_vnode_add(knote *k) {
    char path[64];
    struct stat st;
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = KNOTE_VNODES};
    int err = vnode_begin();
    if (err) return err;
    if (epoll_ctl(k->kq->fd, EPOLL_CTL_ADD, vnode_fd, &e) && errno != EEXIST) return errno;
    if (fstat(k->node->fd, &st)) return errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", k->node->fd);
    k->watch = inotify_add_watch(vnode_fd, path, VNODE_MASK);
    if (k->watch < 0) return errno;
    k->size = st.st_size;
    k->names = (int64_t)st.st_nlink;
    if (S_ISDIR(st.st_mode)) {
        snprintf(path, sizeof path, "/proc/self/fd/%d/..", k->node->fd);
        inotify_add_watch(vnode_fd, path, IN_DELETE | IN_MASK_ADD); /* if it may not, removal is not told */
    }
    k->vnodes.prev = vnode_all.prev;
    k->vnodes.next = &vnode_all;
    vnode_all.prev->next = &k->vnodes;
    vnode_all.prev = &k->vnodes;
    return 0;
}

void knote_vnode_drop(knote *k) {
    k->vnodes.prev->next = k->vnodes.next;
    k->vnodes.next->prev = k->vnodes.prev;
    k->vnodes.next = k->vnodes.prev = &k->vnodes;
    if (k->kq->pid != getpid() || vnode_pid != getpid()) return;
    for (knote_link *l = vnode_all.next; l != &vnode_all; l = l->next)
        if (vnode_of(l)->watch == k->watch) return;
    inotify_rm_watch(vnode_fd, k->watch);
}

/* What has become of the size and of the number of names. */
static unsigned vnode_measured(knote *k, uint32_t mask) {
    struct stat st;
    unsigned got = 0;
    if (fstat(k->node->fd, &st)) return 0;
    int64_t names = (int64_t)st.st_nlink;
    bool dir = S_ISDIR(st.st_mode);
    if (mask & IN_MODIFY) got |= st.st_size > k->size ? NOTE_WRITE | NOTE_EXTEND : NOTE_WRITE;
    if ((mask & IN_MODIFY) && st.st_size < k->size) got = NOTE_ATTRIB; /* truncating is no writing, as was recorded */
    if ((mask & IN_ATTRIB) && !dir && names > k->names) got |= NOTE_LINK;
    else if ((mask & IN_ATTRIB) && !dir && names < k->names) got |= NOTE_DELETE;
    else if (mask & IN_ATTRIB) got |= NOTE_ATTRIB;
    if (dir && names == 0 && k->names) got |= NOTE_DELETE;
    k->size = st.st_size;
    k->names = names;
    return got;
}

/* One event of inotify, for one knote. */
static void vnode_tell(knote *k, const struct inotify_event *e) {
    bool own = k->watch == e->wd;
    if (k->kq->pid != getpid() || knote_find(k->kq->fd) != k->kq) return;
    if (!own && !((e->mask & IN_DELETE) && (e->mask & IN_ISDIR))) return;
    if (!knote_still(k)) return;
    unsigned got = vnode_measured(k, own && !e->len ? e->mask : 0); /* with a name it is about a file in there */
    if (own && (e->mask & (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)))
        got |= e->mask & IN_ISDIR ? NOTE_WRITE | NOTE_LINK : NOTE_WRITE;
    if (own && (e->mask & IN_MOVE_SELF)) got |= NOTE_RENAME;
    if (own && (e->mask & IN_DELETE_SELF)) got |= NOTE_DELETE;
    k->fired |= got & k->fflags;
    if (k->fired) knote_fire(k);
}

void knote_vnode_harvest(void) {
    _Alignas(struct inotify_event) char block[4096];
    if (vnode_pid != getpid()) return;
    for (;;) {
        ssize_t got = read(vnode_fd, block, sizeof block);
        if (got <= 0) return;
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *e = (const void *)(block + at);
            for (knote_link *l = vnode_all.next; l != &vnode_all; l = l->next) vnode_tell(vnode_of(l), e);
            at += (ssize_t)sizeof *e + (ssize_t)e->len;
        }
    }
}
