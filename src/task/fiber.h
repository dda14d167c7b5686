/* SPDX-License-Identifier: ISC */
/* The inside of fibers, for the files of this folder.
 *
 * A fiber's record lies at the top of its own stack. What outlives the fiber, its promise, knows the record while the
 * fiber lives: that is how a fiber is named. */
#ifndef GYI_TASK_FIBER_H
#define GYI_TASK_FIBER_H

#include "gyre/fiber.h"
#include "gyre/scope.h"
#include "task/stack.h"
#include "task/switch.h"
#include "task/task.h"

typedef enum gyi_fiber_state {
    GYI_FIBER_RUNNING,
    GYI_FIBER_WAITING,   /* for a promise; a reaction on it, or queued since it is settled */
    GYI_FIBER_SHIELDED,  /* the same, whatever is cancelled */
    GYI_FIBER_RESTING,   /* until gyi_fiber_wake() */
    GYI_FIBER_GATHERING, /* the same, for the fibers of its scopes, to which a cancellation is passed on */
    GYI_FIBER_QUEUED     /* to go on */
} gyi_fiber_state;

typedef struct gyi_fiber gyi_fiber;

/* What a scope is made of. It belongs to the fiber that opened it, not to the gy_scope, which may be gone too early. */
typedef struct gyi_scope {
    gyi_task_block block;
    gyi_entry members;
    gyi_fiber *owner, *waiter;
    struct gyi_scope *next; /* the owner's */
    int err;
    bool cancelled; /* all that are started are cancelled */
    bool collect;   /* errors cancel nobody */
    bool asked;     /* by the program, so that being cancelled is no error */
} gyi_scope;

struct gyi_fiber {
    gyi_reaction wait; /* its entry is the one by which the fiber is queued */
    gyi_entry link;    /* all fibers of the loop */
    gyi_entry member;  /* those of a scope */
    gyi_task *task;
    gyi_stack *stack;
    gy_promise *promise;
    gy_promise *held;  /* whose value was lent last */
    gyi_fiber *outer;  /* who runs again when this one is left */
    gyi_context self, *back;
    gyi_scope *scope, *scopes; /* in which it is; those that it has opened */
    gy_timer *timer;   /* in which it sleeps */
    gy_events *events; /* for which it waits */
    union {
        struct {
            gy_fiber_fn *fn;
            void *arg;
        } start;
        gy_value result;
    } as;
    int err; /* what the wait returns */
    uint8_t state;
    bool cancelled, ended;
    gyi_switch_watch watch, *back_watch;
};

/* The fiber that calls this; NULL outside of fibers of this loop. */
gyi_fiber *gyi_fiber_current(const gyi_task *task);

/* Leaves the running fiber in a state. In those that can be cancelled, a cancelled fiber is left for one job only.
 * @return what it was woken with */
int gyi_fiber_park(gyi_fiber *fiber, gyi_fiber_state state);

/* Has a fiber that rests or gathers go on, by a microtask; others are ignored. */
void gyi_fiber_wake(gyi_fiber *fiber, int err);

void gyi_fiber_cancel(gyi_fiber *fiber);

/* As gy_fiber_start(), in a scope, which may be NULL. */
gy_promise *gyi_fiber_start(gyi_task *task, gyi_scope *scope, gy_fiber_opts opts);

/* ---- scope.c ---- */
/* A fiber of a scope has ended, and is not on its list any more. */
void gyi_scope_left(gyi_scope *scope, int err);

void gyi_scope_cancel(gyi_scope *scope);

/* Ends a scope that its owner has forgotten. */
void gyi_scope_abandon(gyi_scope *scope);

#endif
