/* SPDX-License-Identifier: ISC */
/** @file async.h
 *  The two doors through which other threads reach a loop: a signal that coalesces (gy_async), and a function that the
 *  loop is to run (gy_post). Both are lock-free for the sender, allocate nothing, and cost at most one write to the
 *  kernel however many were sent while the loop was busy or waking up.
 */
#ifndef GYRE_ASYNC_H
#define GYRE_ASYNC_H

#include "gyre/loop.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_async gy_async;
typedef struct gy_message gy_message;

/** Called on the loop's thread, at least once after the last gy_async_send(). */
typedef void gy_async_fn(gy_async *async);

/** A wake-up signal. The caller's memory, valid as `{0}`. */
struct gy_async {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it was started last */
    /** @cond internal */
    struct {
        gy_async_fn *fn;
        struct gyi_entry entry;
        uint32_t flags;
        int32_t sent; /* accessed atomically */
    } priv;
    /** @endcond */
};

/** Makes `async` ready to be sent. Loop thread. It keeps the loop alive until it is stopped, unless unreferenced.
 *  @return 0; -EINVAL without a function; -EALREADY when it is active. */
GY_API int gy_async_start(gy_loop *loop, gy_async *async, gy_async_fn *fn);

/** Has the callback run soon on the loop's thread. Any thread, and signal handlers. Sends before the callback has begun
 *  coalesce. Of an idle `async` it is ignored; it must not run at the same time as gy_async_stop(). */
GY_API void gy_async_send(gy_async *async);

/** Ends it: the callback will not run any more and the memory is the caller's again. Loop thread; no other thread may
 *  be inside gy_async_send() or call it later. */
GY_API void gy_async_stop(gy_async *async);

GY_API bool gy_async_active(const gy_async *async); /**< whether it was started and not stopped */
GY_API void gy_async_ref(gy_async *async);          /**< keeps the loop alive while active (the default) */
GY_API void gy_async_unref(gy_async *async);        /**< does not keep the loop alive */

/** Runs on the loop's thread. The message is idle again: it may be posted anew, or its memory freed. */
typedef void gy_message_fn(gy_message *message);

/** One function call on its way to a loop. The sender's memory, valid as `{0}`; it must stay until the call. */
struct gy_message {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it was posted */
    /** @cond internal */
    struct {
        gy_message_fn *fn;
        struct gyi_entry entry;
        int32_t sent; /* accessed atomically */
    } priv;
    /** @endcond */
};

/** Has `fn(message)` run on the loop's thread. Any thread; the messages of one thread arrive in its order. A message on
 *  its way keeps its place. The loop must not be freed meanwhile; a message on its way does not keep it running by
 *  itself until it has arrived, so a loop that only waits for messages needs a gy_async or a timer to stay.
 *  @return 0; -EINVAL without a function; -EALREADY when the message is on its way. */
GY_API int gy_post(gy_loop *loop, gy_message *message, gy_message_fn *fn);

#ifdef __cplusplus
}
#endif
#endif
