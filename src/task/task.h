/* SPDX-License-Identifier: ISC */
/* The inside of promises, for the files of this folder.
 *
 * A promise that waits for another one is its own reaction: the entry, the functions and the context of a gy_then() are
 * fields of the promise that gy_then() returns. They are needed until that promise is settled, and its value is needed
 * from then on, so the two share their place, and a promise with its reaction has 64 bytes. Promises are cells of slabs
 * and know their place in it, which leads to the slab's head and so to the task without a pointer in each.
 *
 *     source --reactions--> ring of entries: [derived] [derived] [element of gy_all] ...
 *
 * Whoever is on such a ring, or queued as a microtask, is held by that: one reference on the derived promise. What is
 * queued also holds its source; what is on the ring does not, so that no circle of references comes about. */
#ifndef GYI_TASK_TASK_H
#define GYI_TASK_TASK_H

#include "gyre/cancel.h"
#include "gyre/promise.h"
#include "loop/loop.h"

/* Freed cells are poisoned when the address sanitizer watches, which knows nothing of cells otherwise. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GYI_TASK_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define GYI_TASK_ASAN 1
#endif
#if defined(GYI_TASK_ASAN)
#include <sanitizer/asan_interface.h>
#define GYI_TASK_POISON(ptr, size)   ASAN_POISON_MEMORY_REGION((ptr), (size))
#define GYI_TASK_UNPOISON(ptr, size) ASAN_UNPOISON_MEMORY_REGION((ptr), (size))
#else
#define GYI_TASK_POISON(ptr, size)   ((void)0)
#define GYI_TASK_UNPOISON(ptr, size) ((void)0)
#endif

enum {
    GYI_PROMISE_SETTLED = GY_FULFILLED | GY_REJECTED,
    GYI_PROMISE_LOCKED  = 4,  /* its outcome is decided, or another's to decide */
    GYI_PROMISE_HANDLED = 8,  /* somebody reacts, or did */
    GYI_PROMISE_TOLD    = 16, /* reported as unhandled */
    GYI_PROMISE_LATE    = 32, /* on the list of those to be looked at after the jobs, which holds a reference */
    GYI_PROMISE_PLAIN   = 64  /* settled, with a value that nobody has to destroy */
};

enum { GYI_TASK_CELLS = 63 }; /* with its head, a slab has 4 KiB */

struct gy_promise {
    gyi_entry entry;      /* pending: on the ring of the source, or a microtask. Settled: on the late list */
    uint32_t refs;
    uint16_t flags;
    uint16_t index;       /* the place in the slab */
    gyi_entry *reactions; /* the first of a ring, in the order of registration */
    union {
        struct {
            union {
                gy_then_fn *fn; /* for a value; once queued, whatever is to be called */
                gy_finally_fn *last;
                gy_promise *inner; /* what the function of gy_finally() returned */
            };
            union {
                gy_then_fn *rejected;
                gy_promise *source; /* once queued */
            };
            void *ctx;
        } wait;
        struct {
            gy_value value;
            gy_promise *owner; /* holds what the value points to; NULL: this promise, or nobody needs to */
        } done;
        gy_promise *next; /* a free cell */
    } as;
};

typedef struct gyi_task_slab {
    struct gyi_task *task;
    struct gyi_task_slab *next;
    gy_promise cell[]; /* GYI_TASK_CELLS of them */
} gyi_task_slab;

/* What lives until something happens, in one allocation of its own: gy_all() and its like, timers. */
typedef struct gyi_task_block {
    gyi_entry link; /* all of a loop, to be freed with it */
    gy_loop *loop;
    void (*end)(struct gyi_task_block *); /* the loop is being freed, and then the block; NULL: nothing to be done */
} gyi_task_block;

/* A reaction that is no promise (promise.h, since handles embed it). */
typedef struct gyi_reaction gyi_reaction;

/* The state of a loop that has promises. */
typedef struct gyi_task {
    gy_loop *loop;
    gy_promise *free;
    gyi_entry *dying; /* linked by `next` */
    bool reaping;
    unsigned fresh; /* cells of the newest slab that were never used */
    gyi_task_slab *slabs;
    gyi_entry blocks;
    gyi_entry late;  /* promises to be looked at when all jobs are done */
    gyi_entry check; /* looks at them */
    gy_promise_hook_fn *unhandled, *handled;
    struct gyi_fiber *fiber;  /* the one that runs now */
    gyi_entry fibers;         /* all that have not ended */
    gyi_entry listening;      /* gy_events that are open */
    void (*fibers_end)(struct gyi_task *);
    void (*listening_end)(struct gyi_task *);
    gyi_task_slab *emergency; /* one cell, for the promise that is returned when there is no memory */
    struct gyi_request *requests, *begun; /* request.c: nodes that are idle, and that are being started */
    struct gyi_capture *captures; /* capture.c: those that are idle */
    int refusal;              /* why the last request was not begun */
    gyi_entry accepts;        /* settle_accept.c: those who wait for a connection */
} gyi_task;

/* ---- task.c ---- */
/* The state of a loop, made at first use; NULL when there is no memory. */
gyi_task *gyi_task_make(gy_loop *loop);

static inline gyi_task *gyi_task_of(gy_loop *loop) {
    return loop->task ? (gyi_task *)loop->task : gyi_task_make(loop);
}

/* A cell from a new slab; NULL when there is no memory. */
gy_promise *gyi_task_grow(gyi_task *task);

/* A zeroed block of `size` bytes, which begins with a gyi_task_block; NULL when there is no memory. */
void *gyi_task_block_new(gy_loop *loop, size_t size);
void gyi_task_block_free(gyi_task_block *block);

static inline gyi_task *gyi_promise_task(const gy_promise *promise) {
    const gy_promise *first = promise - promise->index;
    const char *slab = (const char *)(const void *)first - offsetof(gyi_task_slab, cell);
    return ((const gyi_task_slab *)(const void *)slab)->task;
}

static inline gy_loop *gyi_promise_loop(const gy_promise *promise) { return gyi_promise_task(promise)->loop; }

/* Queues a microtask whose `run` is set. */
static inline void gyi_task_micro(gyi_task *task, gyi_entry *entry) { gyi_queue_micro(&task->loop->queue, entry); }

/* ---- promise.c ---- */
/* A pending promise with one reference; NULL when there is no memory. */
gy_promise *gyi_promise_make(gyi_task *task, unsigned flags);

/* The flags stay: those of a plain promise say that there is nothing to destroy, and others are cleared before. */
static inline void gyi_promise_cell_free(gyi_task *task, gy_promise *promise) {
    promise->as.next = task->free;
    task->free = promise;
    GYI_TASK_POISON(promise, sizeof *promise);
}

/* `run` of a pending promise that is the outcome of something that can be called off: `ctx` is the gy_cancel_hook of
 * who will settle it, with its function set, whether it is on a token or not. */
void gyi_promise_cancellable(gyi_entry *entry);

static inline void gyi_promise_set_cancel(gy_promise *promise, gy_cancel_hook *hook, gy_cancel_fn *fn) {
    hook->priv.fn = fn;
    promise->entry.run = gyi_promise_cancellable;
    promise->as.wait.ctx = hook;
}

/* Ends a promise that has no reference left. */
void gyi_promise_reap(gyi_task *task, gy_promise *promise);

/* Most promises are settled and hold nothing when their last reference goes. */
static inline void gyi_promise_release(gyi_task *task, gy_promise *promise) {
    if (--promise->refs) return;
    if (promise->flags & GYI_PROMISE_PLAIN) gyi_promise_cell_free(task, promise);
    else gyi_promise_reap(task, promise);
}

/* Settles a pending promise with an outcome: a value that `owner` holds, which may be NULL. */
void gyi_promise_settle(gyi_task *task, gy_promise *promise, unsigned state, gy_value value, gy_promise *owner);

/* Settles a pending promise exactly as a settled one. */
void gyi_promise_follow(gyi_task *task, gy_promise *promise, gy_promise *settled);

/* Resolves a pending promise that only its maker settles, as the return value of a reaction on `source` would, and
 * gives the maker's reference back. `source` may be NULL. */
void gyi_promise_conclude(gyi_task *task, gy_promise *promise, gy_value value, gy_promise *source);

/* Has a reaction queued when the promise is settled, or now if it is. `run` is set, and `abandon` of a gyi_reaction. */
void gyi_promise_react(gyi_task *task, gy_promise *promise, gyi_entry *entry);

/* Adds a reaction that is no promise, and takes it away, wherever it is; one that is on no list is ignored. */
void gyi_reaction_add(gyi_task *task, gy_promise *promise, gyi_reaction *reaction);
void gyi_reaction_remove(gyi_task *task, gyi_reaction *reaction);

/* A value as it is lent out: without its destructor. */
static inline gy_value gyi_promise_lend(const gy_promise *settled) {
    gy_value v = settled->as.done.value;
    if (v.drop && v.drop != gyi_value_error && v.drop != gyi_value_errors) v.drop = gyi_value_borrowed;
    return v;
}

/* ---- reject.c ---- */
void gyi_reject_init(gyi_task *task);

/* Has a settled promise held, and looked at, when all jobs are done. */
void gyi_reject_late(gyi_task *task, gy_promise *promise);

/* A promise that is rejected with `err`, held until all jobs are done. Never NULL. */
gy_promise *gyi_reject_failed(gyi_task *task, int err);

/* Somebody looks after the promise from now on. */
static inline void gyi_promise_handle(gyi_task *task, gy_promise *promise) {
    if (promise->flags & GYI_PROMISE_HANDLED) return;
    promise->flags |= GYI_PROMISE_HANDLED;
    if (promise->flags & GYI_PROMISE_TOLD) gyi_reject_late(task, promise);
}

#endif
