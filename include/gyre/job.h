/* SPDX-License-Identifier: ISC */
/** @file job.h
 *  Work for the loop itself: at once after the current callback (gy_defer, gy_microtask), or after the I/O of this turn
 *  (gy_immediate).
 *
 *  After every callback the loop runs all deferred jobs, then all microtasks, again until both are empty, first in,
 *  first out: what Node.js calls process.nextTick and queueMicrotask. At most `job_budget` of them (gy_loop_opts) run
 *  in a row; the rest keep their order and follow after a poll that does not wait, and after the next event if there
 *  is one, so that a chain of jobs cannot starve I/O. Loop thread only; for other threads there is gy_post() (async.h).
 */
#ifndef GYRE_JOB_H
#define GYRE_JOB_H

#include "gyre/loop.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_job gy_job;

/** Runs a job. The job is idle again when this is called: it may be queued anew, or its memory freed. */
typedef void gy_job_fn(gy_job *job);

/** A job. The caller's memory, valid as `{0}`; it must stay until the job has run or was cancelled. */
struct gy_job {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it was queued */
    /** @cond internal */
    struct {
        gy_job_fn *fn;
        struct gyi_entry entry;
    } priv;
    /** @endcond */
};

/** Runs `fn` after the current callback, before any microtask and any other event (Node: process.nextTick). Cannot
 *  fail. A job that is queued already keeps its place. A queued job keeps the loop alive. */
GY_API void gy_defer(gy_loop *loop, gy_job *job, gy_job_fn *fn);

/** Runs `fn` after the current callback and all deferred jobs (ECMAScript: a microtask). As gy_defer() otherwise. */
GY_API void gy_microtask(gy_loop *loop, gy_job *job, gy_job_fn *fn);

/** Runs `fn` once after the events of this turn (Node: setImmediate). Immediates queued by an immediate run in the
 *  next turn, and the loop does not wait before. As gy_defer() otherwise. */
GY_API void gy_immediate(gy_loop *loop, gy_job *job, gy_job_fn *fn);

/** Takes a job off its queue: `fn` will not run, and the memory is the caller's again.
 *  @return true if it was queued. */
GY_API bool gy_job_cancel(gy_job *job);

#ifdef __cplusplus
}
#endif
#endif
