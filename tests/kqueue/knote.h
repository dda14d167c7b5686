/* SPDX-License-Identifier: ISC */
/* The inside of the imitated kqueue: queues, watched descriptors and knotes. See knote.c. */
#ifndef GY_TESTS_KQUEUE_KNOTE_H
#define GY_TESTS_KQUEUE_KNOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "measure.h"
#include "sys/event.h"

/* A circular list; an element that is on none points at itself. */
typedef struct knote_link {
    struct knote_link *next, *prev;
} knote_link;

typedef struct knote knote;
typedef struct node node;
typedef struct kq kq;

/* An (ident, filter) pair that is watched. `active` is first, so that a link is its knote. */
struct knote {
    knote_link active;  /* on the queue's list of what is perhaps ready */
    knote_link sampled; /* on the list of what is looked at now and then: see knote_sample() */
    knote_link vnodes;  /* of EVFILT_VNODE: on the list of all such ones */
    kq *kq;
    node *node;          /* NULL for EVFILT_USER */
    struct kevent event; /* ident, filter, udata, and those flags that stay */
    unsigned fflags;     /* as the program set them */
    int64_t data;        /* as the program set it */
    int64_t seen;        /* the amount at the last look */
    int64_t size, names; /* of EVFILT_VNODE: at the last look */
    unsigned fired;      /* and what has happened since the last report */
    int watch;           /* and its number for inotify */
    bool disabled, triggered;
    knote *next; /* among the EVFILT_USER ones */
};

/* A watched descriptor, registered once with epoll. */
struct node {
    int fd;
    uint32_t generation;
    fd_kind kind;
    dev_t dev; /* of KIND_FILE, which epoll does not take */
    ino_t ino;
    knote *of[3]; /* EVFILT_READ, EVFILT_WRITE, EVFILT_VNODE */
};

struct kq {
    kq *next;
    int fd; /* an epoll */
    pid_t pid;
    int waiting;        /* threads inside kevent() that have let go of the lock */
    bool dead, armed;   /* dead: the number is somebody else's, the last waiter frees it; armed: reads as readable */
    uint32_t generation;
    node **nodes;
    size_t size;
    knote_link active, sampled;
    int64_t active_count;
    knote *users;
};

/* The token of the inotify behind EVFILT_VNODE, as KNOTE_SIGNAL is that of the always readable descriptor; no
 * generation gets that far. */
#define KNOTE_SIGNAL UINT64_MAX
#define KNOTE_VNODES (UINT64_MAX - 1)

/* An always readable descriptor, for making a queue readable. Opened before main(). */
extern int knote_signal;

/* The queue with that descriptor, or NULL. Lock held. */
kq *knote_find(int fd);

kq *knote_open(int fd); /* NULL and errno */
void knote_free(kq *q); /* touches no descriptor */

/* vnode.c: a descriptor whose number it may use; a knote of EVFILT_VNODE begins (0 or an errno) and ends; taking what
 * has happened. */
void knote_vnode_reserve(int fd);
int knote_vnode_add(knote *k);
void knote_vnode_drop(knote *k);
void knote_vnode_harvest(void);

/* For vnode.c: something has happened to a knote, which is put on its queue's list; whether its descriptor still is the
 * file that was added. */
void knote_fire(knote *k);
bool knote_still(knote *k);

/* Applies one change. @return 0 or an errno */
int knote_change(kq *q, const struct kevent *change);

/* Reports up to `room` ready knotes, without waiting. */
int knote_scan(kq *q, struct kevent *out, int room);

#endif
