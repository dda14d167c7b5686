/* SPDX-License-Identifier: ISC */
/* The contract between the loop and what asks the kernel "which descriptors became ready?".
 *
 * A backend states facts: it never calls user code, knows no watchers and no loop, and keeps nothing but the kernel's
 * object and what it needs to talk to it. The loop works out who is told.
 *
 * Readiness is in the bits of gy_io_events; the values are those of poll() on every system, so for most backends there
 * is nothing to translate. */
#ifndef GYI_BACKENDS_BACKEND_H
#define GYI_BACKENDS_BACKEND_H

#include "base/alloc.h"
#include "gyre/io.h"
#include "sys/sys.h"

/* What can be asked of a backend, and what it tells. */
enum {
    GYI_INTEREST = GY_READABLE | GY_PRIORITY | GY_WRITABLE,
    GYI_TROUBLE  = GY_ERROR | GY_HANGUP,
    GYI_EVENTS   = GYI_INTEREST | GYI_TROUBLE
};

enum {
    GYI_CAP_EDGE = 1, /* GY_EDGE is honoured; without it, readiness is reported again until it is gone */
    GYI_CAP_FD   = 2, /* `fd` can be waited for in another poller */
    GYI_CAP_CLOSE = 4, /* closing a descriptor forgets it */
    GYI_CAP_OWN   = 8, /* `fd` is not inherited by a child: its number is somebody else's there */
    GYI_CAP_PRIORITY = 16 /* GY_PRIORITY can be asked for */
};

/* Told only: the descriptor was closed while it was watched; edge-triggered, the peer will send no more (without this,
 * who stops reading at a short read would wait for an edge that has been). Likewise, GY_PRIORITY may be told without
 * being asked for. */
enum { GYI_CLOSED = 0x80, GYI_EOF = 0x2000 };

/* The token of a backend's own wake-up: no slot has generation 0. */
#define GYI_TOKEN_WAKE UINT64_C(0)

/* Something is ready. The layout is that of struct epoll_event, so that the commonest backend translates nothing. */
#ifdef __x86_64__
#define GYI_READY_LAYOUT __attribute__((packed))
#else
#define GYI_READY_LAYOUT
#endif
typedef struct GYI_READY_LAYOUT gyi_ready {
    uint32_t events;
    uint64_t token;
} gyi_ready;

typedef struct gyi_backend gyi_backend;

/* An open backend. */
typedef struct gyi_poller {
    const gyi_backend *ops;
    gyi_sys *sys;
    const gy_alloc *alloc;
    int fd;         /* the kernel's object; -1 when there is none */
    unsigned caps;
    uint64_t seed;  /* "sim" */
    unsigned outside; /* set by the loop before a wait: things that will report from outside virtual time ("sim") */
    void *state;    /* the backend's */
} gyi_poller;

struct gyi_backend {
    const char *name;
    /* Opens the poller, of which ops, sys, alloc and seed are set. @return 0 or -errno, leaving nothing behind. */
    int (*open)(gyi_poller *);
    void (*close)(gyi_poller *);
    /* Begins anew with nothing registered, in a new kernel object; the clock goes on. @return 0 or -errno, after which
     * it may be called again. */
    int (*reopen)(gyi_poller *);
    /* Changes what is watched of a descriptor from `was` to `want` (interest and GY_EDGE). was 0: it is not registered;
     * want 0: it is to be forgotten, and whatever the kernel says to that is ignored. @return 0 or -errno: -EPERM for a
     * file that the kernel does not watch because it is always ready, -ENOENT when `was` is wrong. */
    int (*set)(gyi_poller *, int fd, uint64_t token, unsigned was, unsigned want);
    /* Waits for at most `timeout` nanoseconds (GY_FOREVER: without limit), never less, and stores up to `cap` ready
     * descriptors. One descriptor may come twice, with different events. @return a count, 0 after EINTR, or -errno. */
    int (*wait)(gyi_poller *, gyi_ready *out, int cap, gy_ns timeout);
    /* Ends a wait from another thread or a signal handler. NULL: the loop registers a wake-up of its own. */
    int (*wake)(const gyi_poller *);
    /* The backend's own clock. NULL: the monotonic clock of the system. */
    gy_ns (*now)(const gyi_poller *);
};

/* The backend of that name; NULL: the one that GYRE_BACKEND names, else the best. NULL when there is none. */
const gyi_backend *gyi_backend_find(const char *name);

/* The backends of this system, the best first, ending in NULL. */
extern const gyi_backend *const gyi_backends[];

extern const gyi_backend gyi_backend_epoll, gyi_backend_kqueue, gyi_backend_poll, gyi_backend_sim;

#endif
