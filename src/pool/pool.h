/* SPDX-License-Identifier: ISC */
/* The pool's inside. Each lane is a small pool of its own: a queue, a lock, threads. So lanes cannot starve each other,
 * and share no lock.
 *
 *   home -> submitted (loop->submitted) -> away: queued (lane) -> taken (running, or on its way to the loop) -> home */
#ifndef GYI_POOL_POOL_H
#define GYI_POOL_POOL_H

#include "loop/loop.h"
#include "sys/thread.h"

enum { GYI_WORK_HOME, GYI_WORK_SUBMITTED, GYI_WORK_AWAY }; /* gy_work.priv.away, for the loop's thread */
enum { GYI_WORK_QUEUED, GYI_WORK_TAKEN };                  /* gy_work.priv.state, under the lane's lock */

typedef struct gyi_lane gyi_lane;

/* A thread of a lane, or the place for one: kept for the next thread when one ends, freed with the lane. */
typedef struct gyi_worker gyi_worker;
struct gyi_worker {
    gyi_lane *lane;
    gyi_worker *next; /* on the lane's list of idle or of spare ones */
    gyi_cond call;    /* there is work for it, or the lane is closing */
    gyi_thread thread;
    bool called; /* to work, by somebody who has taken it off the list of idle ones */
    bool ended;  /* to be joined before the place is used again */
};

struct gyi_lane {
    gy_pool *pool;
    gyi_mutex lock; /* guards all below, and the state of the jobs queued here */
    gyi_cond ended; /* the last thread has gone */
    gyi_entry queue;
    unsigned queued, running;
    unsigned threads, most;
    unsigned coming;   /* workers that were called or started and have not looked yet */
    unsigned resting;  /* workers on `idle` */
    gyi_worker *idle;  /* the one that was busy last comes first: its memory is still warm */
    gyi_worker *spare; /* places without a thread */
    bool closing;
    uint64_t done, cancelled;
    gyi_sys sys;
};

struct gy_pool {
    gy_alloc alloc;
    gy_ns idle;
    size_t stack;
    _Atomic unsigned refs; /* the owner's, and one for each job that has not come home */
    gyi_lane lane[GY_LANE_COUNT];
};

/* ---- lane.c ---- */
int gyi_lane_init(gyi_lane *lane, gy_pool *pool, unsigned most);

/* Ends the lane: cancels what is queued, waits for what runs, joins the threads. */
void gyi_lane_close(gyi_lane *lane);
void gyi_lane_free(gyi_lane *lane);

/* Takes over the first jobs of `list` that are for this lane, and sees that threads come to do them. A closed lane
 * cancels them. */
void gyi_lane_hand_over(gyi_lane *lane, gyi_entry *list);

/* @return as gy_pool_cancel(), without reporting. */
int gyi_lane_cancel(gyi_lane *lane, gy_work *work);

/* ---- pool.c ---- */
/* Sends a job that is on no list back to its loop. Any thread. */
void gyi_work_report(gy_work *work, int err);

#endif
