/* SPDX-License-Identifier: ISC */
/* The pool's inside. Each lane is a small pool of its own: a queue, a lock, threads. So lanes cannot starve each other,
 * and share no lock.
 *
 *   home -> submitted (loop->submitted) -> away: queued (lane) -> running -> taken (on its way to the loop) -> home
 *                                                                    '-> lost: let go of, and no loop's any more
 *
 * A job that may hang for minutes can be let go of while it runs (gyi_pool_abandon). Its thread goes on with it and
 * then comes back to the lane; until then it counts as one of the lane's threads, so that jobs which hang cannot pile
 * up threads, but nobody waits for it, not even the end of the pool: the memory stays until the thread has come back,
 * held by the job's share in `refs`, and the last one out frees it. */
#ifndef GYI_POOL_POOL_H
#define GYI_POOL_POOL_H

#include "loop/loop.h"
#include "sys/thread.h"

enum { GYI_WORK_HOME, GYI_WORK_SUBMITTED, GYI_WORK_AWAY }; /* gy_work.priv.away, for the loop's thread */
enum { GYI_WORK_QUEUED, GYI_WORK_TAKEN, GYI_WORK_RUNNING, GYI_WORK_LOST }; /* .priv.state, under the lane's lock */

typedef struct gyi_lane gyi_lane;

/* A thread of a lane, or the place for one: kept for the next thread when one ends, freed with the lane. */
typedef struct gyi_worker gyi_worker;
struct gyi_worker {
    gyi_lane *lane;
    gyi_worker *next; /* on the lane's list of idle or of spare ones */
    gyi_cond call;    /* there is work for it, or the lane is closing */
    gyi_thread thread;
    gy_ns since;   /* when the jobs that it is timing began */
    unsigned jobs; /* how many of them are done */
    bool called; /* to work, by somebody who has taken it off the list of idle ones */
    bool ended;  /* to be joined before the place is used again */
    bool late;   /* the lane ended without this thread, which nobody joins */
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
    unsigned lost;     /* threads that are with jobs which were let go of */
    gyi_worker *idle;  /* the one that was busy last comes first: its memory is still warm */
    gyi_worker *spare; /* places without a thread */
    bool closing, closed;
    uint64_t done, cancelled;
    unsigned few;          /* as many workers as short jobs are worth */
    unsigned sure;         /* how sure it is that its jobs are short */
    const gy_loop *minder; /* the loop that sees whether few workers get on; NULL: nobody does */
    uint64_t seen;         /* what `done` was when a loop last looked, and */
    gy_ns looked;          /* when that was */
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

/* Ends the lane: cancels what is queued, waits for what runs and was not let go of, joins the threads. */
void gyi_lane_close(gyi_lane *lane);
void gyi_lane_free(gyi_lane *lane);

/* Takes over the first jobs of `list` that are for this lane, and sees that threads come to do them. A closed lane
 * cancels them. `minder` is the loop when it will mind the lane from now on, or NULL. */
void gyi_lane_hand_over(gyi_lane *lane, gyi_entry *list, gy_loop *minder);

/* A loop that minds the lane, or did, looks whether jobs were done lately. If not, nobody minds it any more. @return
 * whether this loop still does */
bool gyi_lane_look(gyi_lane *lane, const gy_loop *who, gy_ns now);

/* A loop will not look any more. Another one may have become the minder by now. */
void gyi_lane_leave(gyi_lane *lane, const gy_loop *who);

/* @return as gy_pool_cancel(), without reporting. */
int gyi_lane_cancel(gyi_lane *lane, gy_work *work);

/* @return as gyi_pool_abandon(). */
int gyi_lane_abandon(gyi_lane *lane, gy_work *work, gy_work_done_fn *ended);

/* ---- spin.c ---- */
/* Waits as gyi_loop_sleep() does, or spins and does not ask the kernel at all. */
int gyi_pool_wait(gy_loop *loop, gy_ns now, gy_ns deadline);

/* Has the loop mind the lane, if that pays and it minds no other. @return the loop if it does, else NULL */
gy_loop *gyi_pool_mind(gy_loop *loop, gyi_lane *lane);

/* ---- pool.c ---- */
/* Sends a job that is on no list back to its loop. Any thread. */
void gyi_work_report(gy_work *work, int err);

/* Gives up a share in a pool; the last one frees it. Any thread. */
void gyi_pool_unref(gy_pool *pool);

/* Lets go of a job that is at work: its loop forgets it, `done` is not called, and when its `run` returns, `ended` is
 * called instead, with GY_ECANCELED, on the same thread, and has the job's memory to itself. Loop thread.
 * @return 0; -EBUSY when it has not begun (gy_pool_cancel() it) or is about to report; -EALREADY when it is idle. */
int gyi_pool_abandon(gy_work *work, gy_work_done_fn *ended);

#endif
