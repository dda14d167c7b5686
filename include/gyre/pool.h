/* SPDX-License-Identifier: ISC */
/** @file pool.h
 *  A pool of threads for work that would block or compute for long; the answers come back through the loop.
 *
 *  A pool is an object, not a fact of the process: loops may share one or have their own. Threads start when there is
 *  work for them and end when there has been none for a while. Each job has a lane, and no lane can take all threads:
 *  a hundred name look-ups that hang leave the files alone.
 *
 *  While jobs are out, a loop looks for answers for 5 microseconds before it sleeps, as to sleep and to be woken takes
 *  longer than a short job; when none come, its next waits do without.
 */
#ifndef GYRE_POOL_H
#define GYRE_POOL_H

#include "gyre/loop.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A pool. Opaque: made by gy_pool_new(), freed by gy_pool_free(). */
typedef struct gy_pool gy_pool;
typedef struct gy_work gy_work;

/** Kinds of work. */
typedef enum gy_lane {
    GY_LANE_IO,   /**< file operations: short waits */
    GY_LANE_CPU,  /**< computing */
    GY_LANE_SLOW, /**< waits of unknown length, such as name look-ups */
    GY_LANE_COUNT /**< how many lanes there are */
} gy_lane;

/** How a pool is made. A zero field is the default. */
typedef struct gy_pool_opts {
    unsigned threads[GY_LANE_COUNT]; /**< the most threads that each lane may have at work; default: 4 for I/O, one per
                                          processor that may be used for CPU, 4 for slow; at most 1,024 each */
    gy_ns idle;                      /**< an idle thread ends after this long; default 10 s; GY_FOREVER: never */
    size_t stack;                    /**< bytes of stack for each thread; 0: as the system has it */
    gy_alloc alloc;                  /**< where memory comes from; all zero: malloc. Called from any thread */
} gy_pool_opts;

/** Makes a pool and stores it in `*out` (NULL on failure). No thread is started yet. Any thread.
 *  @return 0; -ENOMEM; -EINVAL for an option out of range. */
GY_API int gy_pool_new(gy_pool **out, gy_pool_opts opts);

/** Ends a pool: jobs that have not begun report GY_ECANCELED to their loops, those at work are waited for, and the
 *  threads end. The completions still come through the loops, which must run to hear them. Any thread but the pool's
 *  own, while no other one submits to it. NULL is ignored. */
GY_API void gy_pool_free(gy_pool *pool);

/** Runs on a thread of the pool. It must not touch the loop. */
typedef void gy_work_run_fn(gy_work *work);

/** Runs on the loop's thread when the work is done (`err` 0), was cancelled before it began (GY_ECANCELED), or found no
 *  thread because none could be started (-EAGAIN, -ENOMEM). The memory is the caller's again. */
typedef void gy_work_done_fn(gy_work *work, int err);

/** A job for a pool. The caller's memory, valid as `{0}`; it must stay until `done`. */
struct gy_work {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where `done` is called */
    /** @cond internal */
    struct {
        gy_work_run_fn *run;
        gy_work_done_fn *done;
        struct gyi_entry entry; /* on its lane, then on its way to the loop */
        gy_pool *pool;
        int32_t err;
        uint8_t lane;
        uint8_t away;   /* the loop's: not idle, and whether a lane has it */
        uint8_t state;  /* the lane's: guarded by its lock */
        uint8_t minded; /* the loop's: the time of minding in which a lane got it, or 0 */
    } priv;
    /** @endcond */
};

/** What to do. */
typedef struct gy_work_opts {
    gy_work_run_fn *run;   /**< never NULL */
    gy_work_done_fn *done; /**< may be NULL: nobody is told */
    gy_lane lane;          /**< default GY_LANE_IO */
    gy_pool *pool;         /**< NULL: the loop's own, made at its first use and freed with the loop */
} gy_work_opts;

/** Gives a job to a pool. Until `done` has been called it keeps the loop alive. Jobs submitted by one callback are
 *  handed over together when it returns, or, if it stopped the loop, when that runs again. Loop thread.
 *  @return 0; -EINVAL without `run` or for another lane; -EALREADY when the job is on its way; -ENOMEM when the loop's
 *  own pool cannot be made. */
GY_API int gy_pool_submit(gy_loop *loop, gy_work *work, gy_work_opts opts);

/** Cancels a job that has not begun; `done` is called with GY_ECANCELED, from the loop. Loop thread.
 *  @return 0; -EBUSY when it is at work, or done and about to report; -EALREADY when it is idle. */
GY_API int gy_pool_cancel(gy_work *work);

/** The loop's own pool, made now if need be, for sharing it or looking at it. Loop thread.
 *  @return 0 or -ENOMEM, with `*out` NULL. */
GY_API int gy_loop_pool(gy_loop *loop, gy_pool **out);

/** Counts of a pool, for graphs. */
typedef struct gy_pool_stats {
    unsigned threads; /**< running now */
    unsigned idle;    /**< of these, without work */
    struct {
        unsigned queued, running; /**< jobs now */
        uint64_t done, cancelled; /**< jobs since the pool was made */
    } lane[GY_LANE_COUNT];        /**< by kind */
} gy_pool_stats;

/** Any thread. */
GY_API void gy_pool_stats_get(gy_pool *pool, gy_pool_stats *out);

#ifdef __cplusplus
}
#endif
#endif
