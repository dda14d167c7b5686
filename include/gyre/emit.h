/* SPDX-License-Identifier: ISC */
/** @file emit.h
 *  Where events and promises meet: listeners that are done later, emits that wait for them, and the next event as a
 *  promise.
 *
 *      gy_on_async(loop, &shop, "order", &clerk.on_order, pack);         pack() returns a promise
 *      gy_emit(&shop, "order", &order);                                  calls now; failures later are "error" events
 *      gy_finally(gy_emit_async(loop, &shop, "order", o), free_it, o);   knows when all of them are done
 *      gy_value v = gy_await(gy_once_promise(loop, &shop, "closed", (gy_once_opts){0}));
 *
 *  The emitter (emitter.h) knows nothing of this: any listener can stand beside those that return promises, on the same
 *  event. Promises follow the rules of promise.h. Loop thread only.
 */
#ifndef GYRE_EMIT_H
#define GYRE_EMIT_H

#include "gyre/cancel.h"
#include "gyre/emitter.h"
#include "gyre/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- listeners that return promises -------------------------------------------------------------------------- */

typedef struct gy_async_listener gy_async_listener;

/** Called when the event was emitted, as a gy_listener_fn is; `payload` is valid until this returns, and longer only
 *  with gy_emit_async() and gy_emit_serial(). What it returns is the promise of what it has begun, or NULL when it is
 *  done. No reference is taken away: the promise of gy_then(), gy_fiber_start() and their like is returned as it is,
 *  and one of gy_promise_new() stays its maker's to settle and free. */
typedef gy_promise *gy_async_listener_fn(gy_async_listener *listener, const void *payload);

/** The failure of a listener that had returned a promise: the payload of the "error" event that it becomes. It begins
 *  with the number, so a program whose own "error" payloads are, or begin with, an `int` need not tell them apart. */
typedef struct gy_rejection {
    int err;             /**< the error, negative */
    const char *name;    /**< the event that it had listened to */
    gy_promise *promise; /**< its promise, lent; gy_promise_value() is the reason */
} gy_rejection;

/** Told of a rejection in place of the "error" event. Valid during the call. */
typedef void gy_rejected_fn(gy_emitter *emitter, const gy_rejection *rejection);

/** A listener that returns promises. The caller's memory, valid as `{0}`; gy_off(&listener->listener) takes it off, and
 *  then its memory is the caller's again, also when promises of it are pending. Its name has to stay until those are
 *  settled, since a gy_rejection has it. */
struct gy_async_listener {
    void *user;               /**< the program's */
    gy_rejected_fn *rejected; /**< the program's to set before it listens; NULL: rejections are emitted as "error" */
    gy_listener listener;     /**< read only: its `emitter` and `name`; to be given to gy_off() and its like */
    /** @cond internal */
    struct {
        void (*typed)(void); /* the program's function, when the listener's is the bridge of a typed event */
    } priv;
    /** @endcond */
};

/** As gy_on(), for a listener that returns promises of this loop.
 *
 *  If one of them is rejected, "error" is emitted with a gy_rejection, as a gy_defer() of the microtask that learns of
 *  it, and the promise counts as handled. Without a listener for it, that "error" is reported as any other (gy_emit()).
 *  Promises that listeners return during this "error" event are left alone: so an "error" listener that fails is not
 *  called with its own failure for ever, but is a rejection that nobody handles (gy_promise_on_unhandled()). Such is
 *  also one that comes when the emitter has been closed meanwhile, or for which there was no memory at the call.
 *
 *  A listener that has been removed still has its rejections emitted.
 *  @return as gy_on(); -ENOMEM when the loop never had a promise and there is no memory for what it needs: so a NULL
 *  that a listener returns later says that it is done, and nothing else. */
GY_API int gy_on_async(gy_loop *loop, gy_emitter *emitter, const char *name, gy_async_listener *listener,
                       gy_async_listener_fn *fn);

/** As gy_once(), for a listener that returns a promise; see gy_on_async(). */
GY_API int gy_once_async(gy_loop *loop, gy_emitter *emitter, const char *name, gy_async_listener *listener,
                         gy_async_listener_fn *fn);

/** As gy_prepend(), for a listener that returns promises; see gy_on_async(). */
GY_API int gy_prepend_async(gy_loop *loop, gy_emitter *emitter, const char *name, gy_async_listener *listener,
                            gy_async_listener_fn *fn);

/** As gy_prepend_once(), for a listener that returns a promise; see gy_on_async(). */
GY_API int gy_prepend_once_async(gy_loop *loop, gy_emitter *emitter, const char *name, gy_async_listener *listener,
                                 gy_async_listener_fn *fn);

/* ---- emits that are waited for ------------------------------------------------------------------------------- */

/** As gy_emit(): calls all listeners now. What is returned settles when the promises of all of them have: fulfilled
 *  with the number of listeners that were called, or rejected as the first promise that was. The further rejections
 *  count as handled, and none of them is emitted as "error".
 *
 *  The payload has to stay until then, and not only until the first failure: that is why the failure is told last. Who
 *  waits in a fiber and has the payload on its stack uses gy_await_shielded(). Closing the emitter ends the calls, not
 *  the waiting.
 *
 *  Monitors of an "error" event are called as by gy_emit() and not waited for.
 *  @return a promise that is held by the library (promise.h). It is rejected with GY_ECLOSED, when all others have
 *  settled, if a promise went away that nobody can settle any more, and with -EINVAL for one of another loop; with
 *  GY_EUNHANDLED for an "error" event without listener, which was reported and so counts as handled; with -EINVAL
 *  without a name; and with -ENOMEM, when nobody but monitors has been called. NULL when the loop never had a promise
 *  and there is no memory for the first one. */
GY_API gy_promise *gy_emit_async(gy_loop *loop, gy_emitter *emitter, const char *name, const void *payload);

/** As gy_emit_async(), one listener after the other: the next one is called when the promise of the last is fulfilled.
 *  After the first rejection no further one is called. Listeners that are added meanwhile are not called, those that
 *  are removed before their turn are not either, and when the emitter is closed the listener that is at work is the
 *  last.
 *
 *  While it goes on, each removal of a listener of this emitter costs one step more. */
GY_API gy_promise *gy_emit_serial(gy_loop *loop, gy_emitter *emitter, const char *name, const void *payload);

/* ---- the next event ------------------------------------------------------------------------------------------ */

/** Says which error the payload of an "error" event means: a negative number. */
typedef int gy_payload_error_fn(const void *payload);

/** For programs whose "error" payloads are, or begin with, an `int` that is the error, as a gy_rejection does.
 *  @return it; GY_EEMITTED when it is not negative, or there is no payload. */
GY_API int gy_payload_error(const void *payload);

/** How the next event is waited for. A zero field is the default. */
typedef struct gy_once_opts {
    size_t size;                /**< bytes of payload to be copied, since a payload is valid during its emit only; 0:
                                     only the pointer is kept, for payloads that live longer */
    gy_payload_error_fn *error; /**< which error an "error" event means, gy_payload_error() for instance; NULL: each is
                                     GY_EEMITTED */
    gy_cancel *token;           /**< calls it off; may be NULL */
} gy_once_opts;

/** The next event of this name, as a promise: fulfilled with the payload as `ptr`, which is a copy of `size` bytes that
 *  the promise owns (zeroes when there was no payload), or without `size` the pointer that was emitted. It does not
 *  keep the loop alive.
 *
 *  It is rejected when "error" is emitted first, unless that is the event asked for; with GY_ECANCELED when the token
 *  is cancelled; with GY_ECLOSED when the emitter is closed, or gy_off_all() has removed its listener. In every case
 *  its listeners are gone by then. As long as it waits it counts as a listener of "error", which is then not unhandled.
 *
 *  Two events that are emitted in one go are seen by two promises only if both were asked for before: the reaction to
 *  the first one runs later, when the second is over. For all events of a name there are gy_events (fiber.h).
 *  @return a promise that is held by the library. It is rejected with -EINVAL without a name, and with -ENOMEM, or an
 *  error of gy_on(). NULL when the loop never had a promise and there is no memory for the first one. */
GY_API gy_promise *gy_once_promise(gy_loop *loop, gy_emitter *emitter, const char *name, gy_once_opts opts);

/* ---- typed events -------------------------------------------------------------------------------------------- */

/** @cond internal */
/* As gy_on_async(); `call` is the bridge that knows the type of `typed`. */
GY_API int gyi_listen_async(gy_loop *loop, gy_emitter *emitter, const char *name, gy_async_listener *listener,
                            gy_async_listener_fn *call, void (*typed)(void), unsigned how);

#define GYI_EVENT_ON_ASYNC(event, text, verb, how)                                                                    \
    GYI_INLINE int event##_##verb(gy_loop *loop, gy_emitter *emitter, gy_async_listener *listener,                    \
                                  event##_async_fn *fn) {                                                             \
        return gyi_listen_async(loop, emitter, text, listener, gyi_##event##_async_call, GYI_FN(void (*)(void), fn),  \
                                how);                                                                                 \
    }

#define GYI_EVENT_EMIT_ASYNC(event, text, type, verb)                                                                 \
    GYI_INLINE gy_promise *event##_##verb(gy_loop *loop, gy_emitter *emitter, type const *payload) {                  \
        return gy_##verb(loop, emitter, text, payload);                                                               \
    }
/** @endcond */

/** As GY_EVENT(), for what this header adds, beside it or alone: defines the type `message_async_fn` and the inline
 *  functions message_on_async(), message_once_async(), message_prepend_async(), message_prepend_once_async(loop,
 *  emitter, listener, fn), message_emit_async() and message_emit_serial(loop, emitter, payload):
 *
 *      GY_EVENT_ASYNC(message, struct message);
 *      static gy_promise *store(gy_async_listener *listener, const struct message *m); */
#define GY_EVENT_ASYNC(event, type) GY_EVENT_ASYNC_NAMED(event, #event, type)

/** As GY_EVENT_ASYNC(), where the functions are called otherwise than the event. */
#define GY_EVENT_ASYNC_NAMED(event, text, type)                                                                       \
    typedef gy_promise *event##_async_fn(gy_async_listener *listener, type const *payload);                           \
    GYI_INLINE gy_promise *gyi_##event##_async_call(gy_async_listener *listener, const void *payload) {               \
        return GYI_FN(event##_async_fn *, listener->priv.typed)(listener, GYI_PAYLOAD(type, payload));                \
    }                                                                                                                 \
    GYI_EVENT_ON_ASYNC(event, text, on_async, 0)                                                                      \
    GYI_EVENT_ON_ASYNC(event, text, once_async, GYI_LISTEN_ONCE)                                                      \
    GYI_EVENT_ON_ASYNC(event, text, prepend_async, GYI_LISTEN_FIRST)                                                  \
    GYI_EVENT_ON_ASYNC(event, text, prepend_once_async, GYI_LISTEN_ONCE | GYI_LISTEN_FIRST)                           \
    GYI_EVENT_EMIT_ASYNC(event, text, type, emit_async)                                                               \
    GYI_EVENT_EMIT_ASYNC(event, text, type, emit_serial)                                                              \
    struct event##_async_event_is_declared

#ifdef __cplusplus
}
#endif
#endif
