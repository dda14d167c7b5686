/* SPDX-License-Identifier: ISC */
/* The group's inside.
 *
 * What belongs to whom: a member's loop, listeners and `stopping` are its thread's; `tasks` and `closed` are
 * everybody's and atomic; the gate and the answers of the start are under the group's lock. The rest is set before
 * there are threads, and is not written while they run.
 *
 *   a member: waits at the gate -> start -> runs -> stopping (stop, grace) -> closed (takes no more tasks) -> ended */
#ifndef GYI_GROUP_GROUP_H
#define GYI_GROUP_GROUP_H

#include "loop/loop.h"
#include "net/stream.h"
#include "sys/thread.h"

typedef struct gyi_member gyi_member;
typedef struct gyi_listener gyi_listener;

/* One of the listeners that a gy_group_listen() has opened; `call` tells them from those of others. */
struct gyi_listener {
    gy_stream stream;
    gyi_member *member;
    gyi_listener *next;
    uint64_t call;
};

struct gyi_member {
    gy_group *group;
    gy_loop *loop;
    unsigned index;
    gyi_thread thread;
    gyi_entry stop; /* comes through the loop's inbox */
    gy_timer grace;
    gy_hook late; /* when the grace is over */
    gyi_listener *listeners;
    int failed;    /* waits that went wrong */
    bool started;  /* `start` has succeeded */
    bool stopping; /* the stop has arrived */
    bool cut;      /* the grace is over */
    bool over;     /* and so is what comes after it */
    /* What other threads write is kept away from what this one does. */
    char apart[64];
    _Atomic unsigned tasks;  /* on their way to the loop */
    _Atomic unsigned closed; /* no more of them are taken */
    char apart_too[64];
};

enum { GYI_GATE_SHUT, GYI_GATE_OPEN, GYI_GATE_GIVEN_UP };

struct gy_group {
    gy_alloc alloc;
    gy_group_start_fn *start;
    gy_group_stop_fn *stop;
    void *user;
    gy_ns grace;
    gyi_sys sys; /* the owner's: starting threads */
    _Atomic unsigned stopping;
    _Atomic unsigned turn; /* where GY_GROUP_ANY begins to look */
    _Atomic int err;       /* the first error of a loop */
    gyi_mutex listening;   /* held through a gy_group_listen(): one at a time */
    uint64_t calls;        /* under `listening` */
    gyi_mutex lock;        /* guards the gate, `starting`, `start_err` and the answer to a gy_group_listen() */
    gyi_cond gate_moved, answered;
    int gate;
    unsigned starting; /* members whose `start` has not returned */
    int start_err;
    unsigned threads; /* that were started; 0 when they have been joined */
    unsigned count;
    gyi_member member[];
};

/* ---- group.c ---- */

/* Whether the calling thread is one of the group's. */
bool gyi_group_inside(const gy_group *group);

/* ---- hand.c ---- */

/* Counts a task to come, and finds the member for it. @return the member; NULL, with `*err`, when there is none */
gyi_member *gyi_hand_reserve(gy_group *group, int index, int *err);

/* Nothing will come after all. */
void gyi_hand_release(gyi_member *member);

/* Sends a message that is reserved, and marked as sent. */
void gyi_hand_send(gyi_member *member, gy_message *message, gy_message_fn *fn);

/* ---- spread.c ---- */

/* Closes the member's listeners that belong to `call`; 0: all of them. The member's thread. */
void gyi_spread_close(gyi_member *member, uint64_t call);

#endif
