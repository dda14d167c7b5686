/* SPDX-License-Identifier: ISC */
/* The inside of coroutines, for the two files that have them: coro.c, and coro_promise.c for what needs promises. */
#ifndef GYI_TASK_CORO_H
#define GYI_TASK_CORO_H

#include "gyre/coro.h"

typedef enum gyi_coro_state {
    GYI_CORO_IDLE = 0,  /* never started, or told of its end */
    GYI_CORO_RUNNING,   /* its function is on the thread's stack, or is about to begin an await */
    GYI_CORO_WAITING,   /* and `cancel` ends that */
    GYI_CORO_QUEUED,    /* its entry is queued, and its function will be called */
    GYI_CORO_REPORTING, /* it has ended; its entry is queued, for `done` or for who asked late */
    GYI_CORO_ENDED      /* `value` is there for who asks */
} gyi_coro_state;

/* The value of the last await is not needed any more. Its destructor may do anything. */
void gyi_coro_let_go(gy_coro *co);

/* The wait has begun: the token is heard, and a cancellation that came in between. */
void gyi_coro_park(gy_coro *co, void (*cancel)(gy_coro *));

/* The wait is over: the function is called by a microtask. */
void gyi_coro_wake(gy_coro *co, gy_value value);

/* Calls the function, from an entry of the queue. */
void gyi_coro_enter(gy_coro *co);

/* Whether awaits are refused. */
static inline bool gyi_coro_refuses(const gy_coro *co) {
    return !co->shielded && (co->cancelled || (co->token && co->token->reason));
}

#endif
