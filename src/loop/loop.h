/* SPDX-License-Identifier: ISC */
/* The loop's inside, for the files of this floor and for the floors above that queue entries, watch descriptors and
 * hold the loop alive. Each part of the struct belongs to the file that is named above it. */
#ifndef GYI_LOOP_LOOP_H
#define GYI_LOOP_LOOP_H

#include <stdatomic.h>

#include "backends/backend.h"
#include "base/inbox.h"
#include "base/slots.h"
#include "base/wheel.h"
#include "gyre/gyre.h"
#include "loop/queue.h"
#include "sys/wake.h"

/* What a watcher finds in `got` beyond the bits of gy_io_events: edge-triggered, the peer has closed; or the kernel
 * would not watch, and `fd` is the error. */
enum { GYI_GOT_EOF = 0x20, GYI_GOT_REFUSED = 0x40 };

/* Flags of gyi_watch.want beyond those of gy_io_events. */
enum {
    GYI_WATCH_UNREF  = 0x80,
    GYI_WATCH_ACTIVE = 0x100,
    GYI_WATCH_KEPT   = GYI_WATCH_UNREF, /* what survives stopping */
    GYI_WATCH_ASKED  = GYI_INTEREST | GY_EDGE | GY_ONESHOT
};

/* `flags` of hooks, signals and asyncs. */
enum { GYI_HANDLE_ACTIVE = 1, GYI_HANDLE_UNREF = 2 };

enum { GYI_HOOK_KINDS = 3 };

typedef struct gyi_stats {
    uint64_t turns, io, timers, posts, hooks, signals, stale;
    gy_ns waiting, busy;
    gy_ns mark; /* up to where time is accounted for; 0: nothing yet in this run */
    gy_histogram lag, lateness;
    unsigned queued_max;
} gyi_stats;

struct gy_loop {
    /* loop.c */
    gyi_poller poller;
    gyi_sys sys;
    gy_alloc alloc;
    gy_ns now;
    gy_ns asked; /* when the kernel was asked last, by a turn that might wait */
    unsigned active; /* referenced handles */
    bool running;
    int batch;
    gyi_ready *ready; /* `batch` of them, behind the struct */

    /* queue.c */
    gyi_queue queue;

    /* io.c */
    gyi_slots slots;
    unsigned always;     /* slots that are always ready */
    bool rebuild;        /* the kernel reports what cannot be unregistered: begin anew */

    /* timer.c, alarm.c */
    gyi_wheel wheel;
    gy_timer *firing;    /* the repeating timer whose callback runs; NULL once it was stopped or started */
    gyi_entry alarms;
    gy_ns wall;          /* wall clock minus loop clock, when last looked at */
    gy_ns wall_shift;    /* what tests add to the wall clock */
    void (*alarms_free)(gy_loop *);
    int (*alarms_reopen)(gy_loop *); /* for the child after a fork */
    gyi_watch clock;     /* tells when the wall clock is set */
    int clock_fd;
    bool clock_open;
    gy_timer look;       /* looks, where the kernel does not tell */

    /* async.c */
    gyi_inbox inbox;
    _Atomic int asleep;  /* the loop waits, or is about to: who posts must wake it */
    _Atomic unsigned wakeups; /* no wider: it is counted in signal handlers, where an emulated atomic would lock */
    gyi_wake wake;
    gyi_watch woken;

    /* hook.c */
    gyi_entry hooks[GYI_HOOK_KINDS];

    /* signal.c. What ends it is known by pointer, so that programs without signals do not link it; likewise alarm.c and
     * the pool. */
    struct {
        void (*free)(gy_loop *);
        gyi_entry list;
        _Atomic(gy_loop *) next; /* on the process's list of loops that watch signals */
        gyi_entry collect;       /* comes through the inbox when one was raised */
        _Atomic int raised;      /* it is on its way */
    } signals;

    /* stats.c */
    gyi_stats stats;

    /* what the floors above hang on to the loop */
    gy_unhandled_fn *unhandled;
    struct gyi_member *member; /* of a group; set before the loop runs */
    _Atomic unsigned open; /* streams and processes, which keep the loop from being freed; others have a glance */
    const struct gyi_fds_ops *fds; /* of streams with descriptors (net/fds.c); NULL: there was none */
    gyi_entry paused; /* listeners that found no descriptor for a connection */
    gy_timer resume;  /* has them try again */
    void (*listener_closed)(gy_stream *); /* tells the promise that waits for a connection; NULL: there was none */
    unsigned working; /* pool jobs that have not reported back */
    struct { /* pool/spin.c; the functions are set before `working` and `minded` are */
        int (*wait)(gy_loop *, gy_ns now, gy_ns deadline);
        unsigned vain; /* how often in a row nothing came while the loop spun */
        unsigned good; /* how often in a row something did, up to some number */
        unsigned off;  /* how many waits will do without */
        struct gyi_lane *minded; /* a lane that does with few workers as long as the loop is awake, or NULL */
        unsigned jobs; /* those which that lane got while the loop minded it, and which have not come home */
        uint8_t time;  /* which time of minding this is, for telling them from others; not 0 */
        void (*look)(gy_loop *, gy_ns now); /* whether they get on */
        void (*leave)(gy_loop *);
        gy_ns looked;
    } spin;
    _Atomic unsigned reporting; /* pool threads that are doing so at this moment, and touch the loop */
    gyi_entry submitted; /* pool jobs that have not been handed over */
    gyi_entry submit;    /* hands them over */
    gy_pool *pool;       /* the loop's own */
    gyi_entry children;  /* processes that nobody has waited for */
    unsigned outside;    /* those of them with a handle: virtual time waits for them ("sim") */
    void (*children_free)(gy_loop *);
    void *task;          /* promises: the floor's own state */
    void (*task_free)(gy_loop *);
    void *stacks;        /* of its fibers, which hold handles of the program, and so go last */
    void (*stacks_free)(gy_loop *);
    void (*pool_free)(gy_pool *);
    void (*pool_forked)(gy_loop *);
};

/* ---- loop.c ---- */
static inline void gyi_loop_ref(gy_loop *loop) { loop->active++; }
static inline void gyi_loop_unref(gy_loop *loop) { loop->active--; }

/* The time now, from the clock of this loop. */
gy_ns gyi_loop_clock(const gy_loop *loop);

/* Waits in the kernel for events until `deadline`, not at all if something is in the inbox. `now` is the time. @return
 * how many are in `ready`, or -errno. */
int gyi_loop_sleep(gy_loop *loop, gy_ns now, gy_ns deadline);

/* The report of an "error" event that nobody listens to. */
void gyi_loop_unhandled(gy_loop *loop, gy_emitter *emitter, const char *name, const void *payload);

/* ---- io.c ---- */
int gyi_io_init(gy_loop *loop);
void gyi_io_free(gy_loop *loop);

/* Starts a watcher whose entry.run is set: queued with `got` when it is ready, or with a negative `fd` and stopped when
 * the kernel will not watch. `want` is GYI_WATCH_ASKED bits. @return 0 or -ENOMEM. */
int gyi_watch_start(gy_loop *loop, gyi_watch *watch, int fd, unsigned want);

/* Stops a watcher and takes it off the queue. Idle ones are ignored. */
void gyi_watch_stop(gy_loop *loop, gyi_watch *watch);

/* Stops a watcher whose descriptor is about to be closed, which spares the kernel a call. */
void gyi_watch_forget(gy_loop *loop, gyi_watch *watch);

/* Changes what an active watcher waits for; 0 is possible here, and means to wait for nothing. */
void gyi_watch_change(gy_loop *loop, gyi_watch *watch, unsigned want);

static inline bool gyi_watch_active(const gyi_watch *watch) { return watch->want & GYI_WATCH_ACTIVE; }

/* Queues a watcher's entry, whose owner has something to run, without an event. */
void gyi_watch_push(gy_loop *loop, gyi_watch *watch);

void gyi_watch_ref(gy_loop *loop, gyi_watch *watch);
void gyi_watch_unref(gy_loop *loop, gyi_watch *watch);

/* Tells the kernel what has changed. @return 0, or the error of a rebuild that did not work, to be tried again. */
int gyi_io_apply(gy_loop *loop);

/* Queues the watchers of `count` answers in loop->ready. */
void gyi_io_collect(gy_loop *loop, unsigned count);

/* Queues the watchers of files that are always ready. */
void gyi_io_collect_always(gy_loop *loop);

/* Forgets that anything was registered: after fork. */
void gyi_io_forget(gy_loop *loop);

/* ---- timer.c ---- */
void gyi_timer_collect(gy_loop *loop);

/* ---- alarm.c ---- */
/* The wall clock of this loop; virtual when its time is. */
gy_ns gyi_alarm_wall(const gy_loop *loop);

/* Looks whether the wall clock was set, and moves the alarms if so. */
void gyi_alarm_look(gy_loop *loop);

/* ---- async.c ---- */
int gyi_async_init(gy_loop *loop);
void gyi_async_free(gy_loop *loop);
int gyi_async_reopen(gy_loop *loop);
void gyi_async_collect(gy_loop *loop);

/* Sends an entry, which is on no list, to be run by the loop. Any thread. */
void gyi_async_push(gy_loop *loop, gyi_entry *entry);

/* Ends the loop's wait if it waits. Any thread, and signal handlers. */
void gyi_async_wake(gy_loop *loop);

/* ---- hook.c ---- */
void gyi_hook_init(gy_loop *loop);
void gyi_hook_queue(gy_loop *loop, gy_hook_when when);


/* ---- stats.c ---- */
static inline void gyi_stats_add(gy_histogram *histogram, gy_ns duration) {
    unsigned i = gyi_bit_high((uint64_t)duration >> 9 | 1);
    histogram->bucket[i < 23 ? i : 23]++;
}

/* So many entries were collected at once. As many may follow in the same turn (gyi_queue_again). */
static inline void gyi_collected(gy_loop *loop, unsigned count) {
    loop->queue.again += count;
    if (count > loop->stats.queued_max) loop->stats.queued_max = count;
}

#endif
