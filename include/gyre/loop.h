/* SPDX-License-Identifier: ISC */
/** @file loop.h
 *  The loop: it waits for what the kernel and other threads report, and calls the program back, one callback at a
 *  time, in the order in which things were collected.
 *
 *  A loop and everything started on it belong to one thread at a time: the one that runs it. The only functions that
 *  other threads may call are gy_async_send() and gy_post() (async.h) and those of the pool (pool.h).
 */
#ifndef GYRE_LOOP_H
#define GYRE_LOOP_H

#include <stdbool.h>

#include "gyre/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A loop. Opaque: made by gy_loop_new(), freed by gy_loop_free(). */
typedef struct gy_loop gy_loop;
typedef struct gy_emitter gy_emitter;

/** Called when an "error" event found no listener (see emitter.h). `name` is the event, `payload` what was emitted. */
typedef void gy_unhandled_fn(gy_loop *loop, gy_emitter *emitter, const char *name, const void *payload);

/** How a loop is made. A zero field is the default. */
typedef struct gy_loop_opts {
    /** "epoll", "kqueue", "poll" or "sim" (virtual time, for tests). NULL: what the environment variable GYRE_BACKEND
     *  says, else the best that the system has. */
    const char *backend;
    gy_alloc alloc;      /**< where memory comes from; all zero: malloc */
    unsigned job_budget; /**< how many jobs (job.h) may run in a row before the loop polls again; default 10,000 */
    unsigned batch;      /**< how many ready descriptors one turn collects at the most; default 256, at most 4,096 */
    uint64_t seed;       /**< "sim" only: shuffles what is ready at the same time; 0: the order of registration */
    gy_unhandled_fn *unhandled; /**< what to do about an unheard "error" event; NULL: one line on standard error */
} gy_loop_opts;

/** Makes a loop and stores it in `*out` (NULL on failure). It holds at most two descriptors.
 *  @return 0; -ENOMEM; -EMFILE or -ENFILE; -ENOTSUP for a backend that this system has not; -EINVAL for an option out
 *  of range or an allocator of which only half was given. */
GY_API int gy_loop_new(gy_loop **out, gy_loop_opts opts);

/** Frees a loop. Timers, watchers, signals, hooks and jobs that are still active are forgotten; their memory was the
 *  caller's all along. NULL is ignored.
 *  @return 0; -EBUSY, and nothing is freed, from inside one of the loop's callbacks, while a stream is open, while a
 *  process is running that was not forgotten, while a job that was given to a pool has not reported back, or while a
 *  task of C++ (coro.hpp) is suspended. */
GY_API int gy_loop_free(gy_loop *loop);

/** Runs turns until nothing referenced is active any more or gy_loop_stop() is called.
 *  @return 0 when nothing is left; 1 when it was stopped; -EBUSY from inside a callback; or the error of the backend's
 *  wait, after which nothing is lost and the loop can be run again. */
GY_API int gy_loop_run(gy_loop *loop);

/** What gy_loop_step() does when nothing is ready. */
typedef enum gy_step {
    GY_STEP_POLL = 0, /**< returns at once */
    GY_STEP_WAIT = 1  /**< waits for the next event, as a turn of gy_loop_run() would */
} gy_step;

/** Runs one turn.
 *  @return 1 while something referenced is active, 0 when nothing is left, or a negative error as gy_loop_run(). */
GY_API int gy_loop_step(gy_loop *loop, gy_step how);

/** Ends gy_loop_run() or gy_loop_step() after the callback that is running; what was collected keeps its place for the
 *  next run. Outside a run, the next one ends before its first callback. Loop thread only. */
GY_API void gy_loop_stop(gy_loop *loop);

/** Whether something referenced is active or queued, that is, whether gy_loop_run() would go on. */
GY_API bool gy_loop_alive(const gy_loop *loop);

/** The time of the loop's clock (monotonic, arbitrary origin), as read once in this turn after the wait. Timers' `at`
 *  and `due` are on this clock. */
GY_API gy_ns gy_loop_now(const gy_loop *loop);

/** Reads the loop's clock anew, for a callback that has computed for long, and returns it. */
GY_API gy_ns gy_loop_update_now(gy_loop *loop);

/** The name of the backend in use. The text is static. */
GY_API const char *gy_loop_backend(const gy_loop *loop);

/** A descriptor that becomes readable when gy_loop_step() has something to do, for waiting in a foreign loop together
 *  with gy_loop_timeout(). It stays the loop's; wait for reading, nothing else. Ask anew after each step: when
 *  the loop has had to replace it, the number is another one.
 *  @return the descriptor, or -ENOTSUP with the backends "poll" and "sim", which have none. */
GY_API int gy_loop_fd(const gy_loop *loop);

/** Prepares the loop for a wait outside, and says how long that may last: nanoseconds, 0 when a step is due at once,
 *  -1 when there is no limit. Call it before each wait, and gy_loop_step(loop, GY_STEP_POLL) after it. */
GY_API gy_ns gy_loop_timeout(gy_loop *loop);

/** For the child after fork(): gives the loop kernel objects of its own, with everything registered anew. Until then
 *  the child must not run it. Of the jobs that were given to a pool, those that had been done report in the child
 *  too, those that no pool had taken yet report GY_ECANCELED, and the others never do, as there are no threads to do
 *  them; the loop makes itself a new pool when it needs one.
 *  @return 0 or a negative error, after which it may be called again. */
GY_API int gy_loop_reopen(gy_loop *loop);

#ifdef __cplusplus
}
#endif
#endif
