/* SPDX-License-Identifier: ISC */
/** @file fiber.h
 *  Fibers: functions that can wait. What async and await are in ECMAScript, read from top to bottom.
 *
 *      static gy_value visit(void *arg) {
 *          gy_value page = gy_await(fetch(loop, arg));
 *          if (gy_value_err(page)) return page;
 *          return gy_num(count_words(page.ptr));
 *      }
 *      gy_then(gy_fiber_start(loop, (gy_fiber_opts){.fn = visit, .arg = url}), show, NULL);
 *
 *  A fiber has a stack of its own. gy_await() leaves it and gives the thread back to the loop; when the promise is
 *  settled, a microtask goes on behind the await. So any function that a fiber calls may wait, and needs no other form
 *  than an ordinary one. All fibers of a loop share its thread: between two awaits, nothing else runs.
 *
 *  The order is ECMAScript's: the function begins inside gy_fiber_start() and runs up to its first await; an await of a
 *  settled promise takes exactly one job. A fiber is named by its promise, whose references keep the name valid.
 *
 *  A suspended fiber does not keep the loop alive by itself; what it waits for may. Neither longjmp nor a C++ exception
 *  may leave a fiber. The stack is small (64 KiB unless told otherwise): large arrays belong elsewhere, and functions
 *  of the system that need much, such as getaddrinfo(), to the pool. Loop thread only.
 */
#ifndef GYRE_FIBER_H
#define GYRE_FIBER_H

#include "gyre/emitter.h"
#include "gyre/promise.h"
#include "gyre/timer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- starting ------------------------------------------------------------------------------------------------ */

/** What a fiber does. What it returns settles the fiber's promise, as with a reaction (gy_then_fn); the value of its
 *  last gy_await() may be returned as it is. */
typedef gy_value gy_fiber_fn(void *arg);

/** How a fiber is started. A zero field is the default. */
typedef struct gy_fiber_opts {
    gy_fiber_fn *fn; /**< what it does */
    void *arg;       /**< handed to `fn` */
    size_t stack;    /**< bytes of stack at least; 0: the loop's size. Rounded up to a power of two, of which a page is
                          the guard; at most 512 MiB */
} gy_fiber_opts;

/** Calls `fn(arg)` on a stack of its own, and returns when it waits for the first time or is done. May be nested.
 *  @return the promise of what `fn` returns, held by the library (promise.h). It is rejected with -EINVAL without a
 *  function, and with -ENOMEM, without `fn` having been called, when there is no memory. NULL when the loop never had a
 *  promise and there is no memory for the first one. */
GY_API gy_promise *gy_fiber_start(gy_loop *loop, gy_fiber_opts opts);

/** The promise of the fiber that is running, lent; NULL outside of fibers. */
GY_API gy_promise *gy_fiber_self(gy_loop *loop);

/* ---- waiting ------------------------------------------------------------------------------------------------- */

/** Suspends this fiber until the promise is settled, and returns its value; gy_value_err() tells whether it is an
 *  error. The promise counts as handled. The value is lent: it is valid until this fiber calls gy_await() again or
 *  ends, and beyond that as long as the promise, for which gy_promise_ref() sees.
 *  @return the value; an error of the promise; or, as an error, GY_ECANCELED when the fiber was cancelled (see
 *  gy_fiber_cancel()); GY_ECLOSED when the promise went away and can never be settled; -EDEADLK for the fiber's own
 *  promise, -EINVAL for NULL; -EPERM, at once, when this is no fiber of the promise's loop. */
GY_API gy_value gy_await(gy_promise *promise);

/** As gy_await(), for the promise of a request (GY_PROMISE(), gy_promise_accept()): a cancellation of the fiber cancels
 *  the request, and this returns when it has let go of its memory, which therefore may lie on the fiber's stack. A
 *  request that cannot be cancelled any more is waited for, and how it ended is what is returned. Other promises are
 *  awaited as gy_await() does. */
GY_API gy_value gy_await_req(gy_promise *request);

/** As gy_await(), but a cancellation neither ends it nor prevents it: for what has to be done in any case, such as
 *  closing. */
GY_API gy_value gy_await_shielded(gy_promise *promise);

/** Suspends this fiber for a time, which keeps the loop alive. Allocates nothing.
 *  @return 0; GY_ECANCELED; -EPERM outside of fibers. */
GY_API int gy_fiber_sleep(gy_loop *loop, gy_ns after);

/** Lets the loop see to everything else that is ready, and goes on at the end of its turn, as a gy_immediate() would.
 *  @return 0; GY_ECANCELED, also after the turn; -EPERM outside of fibers. */
GY_API int gy_fiber_yield(gy_loop *loop);

/* ---- cancelling ---------------------------------------------------------------------------------------------- */

/** Asks a fiber to end. The await, sleep or wait for an event in which it is suspended returns GY_ECANCELED, one
 *  microtask later, and so does every one after it, but for gy_await_shielded(): the fiber cleans up on its own stack
 *  and returns what it wants to. A promise that is settled already is still delivered. What was waited for goes on by
 *  itself.
 *  @return true when it will; false, and nothing happens, when the promise is no fiber's or the fiber has ended or was
 *  cancelled already. */
GY_API bool gy_fiber_cancel(gy_promise *fiber);

/** Whether a fiber was cancelled and has not ended, for one that computes for long: `gy_fiber_cancelled(
 *  gy_fiber_self(loop))`. False for NULL. */
GY_API bool gy_fiber_cancelled(const gy_promise *fiber);

/* ---- stacks -------------------------------------------------------------------------------------------------- */

/** What a loop does about stacks. A zero field is the default. */
typedef struct gy_fiber_tuning {
    size_t stack;  /**< bytes of stack for fibers that ask for nothing else; default 64 KiB */
    unsigned keep; /**< of how many unused stacks the memory is kept; default 1,024. The others give it back, and keep
                        their addresses */
} gy_fiber_tuning;

/** Sets it for the fibers to come.
 *  @return 0; -EINVAL for a size above 512 MiB; -ENOMEM. */
GY_API int gy_fiber_tune(gy_loop *loop, gy_fiber_tuning tuning);

/** How the stacks of a loop are doing. */
typedef struct gy_fiber_stats {
    size_t fibers;    /**< that have not ended */
    size_t kept;      /**< unused stacks that keep their memory */
    size_t unguarded; /**< stacks without a guard page: beyond 16,384, or when the system allows no more mappings */
    size_t deepest;   /**< the most bytes of a stack that were used, in pages; 0 where the system does not tell */
} gy_fiber_stats;

/** Counts. Costs a system call for each stack. */
GY_API void gy_fiber_stats_get(gy_loop *loop, gy_fiber_stats *out);

/** Has an overflow of a stack of this loop end the process with one clear line on standard error, before it dies of the
 *  signal as it would anyway. For debugging: it installs handlers for SIGSEGV and SIGBUS in the whole process, and a
 *  stack for them on the calling thread, which must be the loop's, and both stay.
 *  @return 0; -ENOMEM; -EMFILE for more than 16 loops; the error of the system. */
GY_API int gy_fiber_debug_overflow(gy_loop *loop);

/* ---- events -------------------------------------------------------------------------------------------------- */

typedef struct gy_events gy_events;

/** How events are collected. A zero field is the default. */
typedef struct gy_events_opts {
    const char *name; /**< the event; kept by pointer, as with gy_on() */
    size_t size;      /**< bytes of payload to be copied, since a payload is valid during its emit only; 0: only the
                           pointer is kept, for payloads that live longer */
    unsigned most;    /**< how many may wait; default 1,024 */
} gy_events_opts;

/** Events of an emitter that wait for a fiber. The caller's memory, valid as `{0}`; gy_events_close() it before it is
 *  freed. Nothing that was emitted between opening and closing is missed. */
struct gy_events {
    void *user; /**< the program's */
    /** @cond internal */
    struct {
        gy_listener listener;
        struct gyi_tie tie;
        gy_loop *loop;
        struct gyi_entry link;
        struct gyi_fiber *waiter;
        char *ring;
        size_t size;
        unsigned first, count, room, most;
        int err;
    } priv;
    /** @endcond */
};

/** Begins to collect. Fibers or not, whoever is on the loop's thread may call this.
 *  @return 0; -EINVAL without a name; -EALREADY when it is open; -ENOMEM; errors of gy_on(). */
GY_API int gy_events_open(gy_loop *loop, gy_events *events, gy_emitter *emitter, gy_events_opts opts);

/** Takes the next event, waiting for it if there is none. `payload`, which may be NULL, receives a copy of `size`
 *  bytes, or without `size` the pointer (so it is a `const void **` then). Emits without payload leave zeroes.
 *  @return 0; GY_ECANCELED; GY_EBACKLOG or -ENOMEM, in place of the first event that there was no room for and from
 *  then on; GY_ECLOSED when it is not open, or when there are no events left and none will come, because the emitter
 *  was closed or its listeners were taken away (gy_off_all()), before this call or during it; -EBUSY when another
 *  fiber waits; -EPERM outside of fibers. */
GY_API int gy_await_event(gy_events *events, void *payload);

/** Ends collecting; what waits is dropped, and a fiber that waits gets GY_ECLOSED. Idle ones are ignored. */
GY_API void gy_events_close(gy_events *events);

#ifdef __cplusplus
}
#endif
#endif
