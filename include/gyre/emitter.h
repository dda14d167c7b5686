/* SPDX-License-Identifier: ISC */
/** @file emitter.h
 *  The EventEmitter: objects that announce things by name, and listeners who asked to be told.
 *
 *      gy_on(&room, "message", &ann.on_message, hear);
 *      gy_emit(&room, "message", "hi");
 *
 *  The rules are those of Node.js, with two differences that C asks for. A listener is a piece of the caller's memory,
 *  so nothing here allocates and nothing can run out of memory. And removal is final: once gy_off() has returned, the
 *  listener is not called any more, not even by an emit that is already running, so its memory may be freed.
 *
 *  Names are compared as text; a name that is the same pointer as the one that was registered is found fastest. They
 *  are kept by pointer: the name given with a listener must stay while the listener is there (a string literal does).
 *  Every text is an ordinary name, the empty one included. Four names mean something: "error" (below at gy_emit()),
 *  "newListener" and "removeListener" (gy_listener_event), and gy_error_monitor.
 *
 *  Adding, removing, emitting, and closing the emitter are all allowed inside listeners. A listener must return: no
 *  longjmp and no C++ exception may leave it. Loop thread only; without a loop, one thread at a time.
 */
#ifndef GYRE_EMITTER_H
#define GYRE_EMITTER_H

#include "gyre/job.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_listener gy_listener;
typedef struct gy_emission gy_emission;

/** Called when the event was emitted. `listener->emitter` and `listener->name` say where, GY_OF() finds the struct
 *  around the listener, and `payload` is what was emitted, valid until this returns. A listener of gy_once() is idle
 *  by now: it may be put on an event again, or its memory freed. Any other has to be removed before it is freed. */
typedef void gy_listener_fn(gy_listener *listener, const void *payload);

/** A listener. The caller's memory, valid as `{0}`; it must stay while it is on an event, and it can be on one event
 *  of one emitter at a time. To hear something twice, put two listeners there. */
struct gy_listener {
    void *user;          /**< the program's */
    gy_emitter *emitter; /**< read only: where it was put last */
    const char *name;    /**< read only: the event on which it was put last */
    bool once;           /**< read only: whether its first call removes it */
    /** @cond internal */
    struct {
        gy_listener_fn *fn;
        void (*typed)(void);                  /* the program's function, when `fn` is the bridge of a typed event */
        gy_listener *next, *prev;             /* the ring of one event's listeners; NULL when on none */
        gy_listener *event_next, *event_prev; /* the emitter's events; used by the first listener of each */
        uint32_t flags;
    } priv;
    /** @endcond */
};

/** What is emitted as "newListener", before a listener is added, and as "removeListener", after one was removed.
 *
 *  A listener of gy_once() whose event has come is removed, "removeListener" is emitted, and then it is called. In
 *  between it is not idle yet: its call is still to come, and gy_off() takes that call away. So who frees listeners in
 *  a "removeListener" handler calls gy_off() first, which harms in no case. */
typedef struct gy_listener_event {
    const char *name;      /**< the event */
    gy_listener *listener; /**< who was or will be on it */
} gy_listener_event;

/** What a leak hook is told. Valid during the call. */
typedef struct gy_leak {
    const char *name;      /**< the event that has so many listeners */
    gy_listener *listener; /**< the one that was added now */
    size_t count;          /**< how many there are */
    size_t limit;          /**< how many were thought to be enough */
} gy_leak;

/** Called when an event has more listeners than the limit: most often, somebody adds one each time round and never
 *  removes any. The listener has been added; this is only a warning. It is given once for each name, and again only
 *  after its listeners have gone down to one or none. */
typedef void gy_leak_fn(gy_emitter *emitter, const gy_leak *leak);

/** @cond internal */
struct gyi_emit; /* an emit that is running: a frame, mostly on its own stack */

/* What has to know when listeners are taken away from an emitter: on the emitter's list, `prev` is NULL when on none.
 *  */
struct gyi_tie {
    struct gyi_tie *next, **prev;
    bool (*told)(struct gyi_tie *, int how); /* emitter/emitter.h */
};
/** @endcond */

/** An emitter. The caller's memory, valid as `{0}`; gy_emitter_close() it before it is freed or moved. The fields
 *  before `priv` are the program's to set, and all may stay zero. */
struct gy_emitter {
    void *user;                 /**< the program's */
    gy_loop *loop;              /**< asked about "error" events without listener, if there is no hook below */
    gy_unhandled_fn *unhandled; /**< called for "error" events without listener, with `loop` as it stands here. It may
                                     close the emitter */
    gy_leak_fn *leak;           /**< called when an event has too many listeners. NULL: nobody counts, and nothing is
                                     said */
    /** @cond internal */
    struct {
        gy_listener *events; /* the first listener of the first event */
        struct gyi_emit *emits;
        struct gyi_tie *ties;
        uint32_t flags;
        uint32_t limit; /* 0: the default */
    } priv;
    /** @endcond */
};

/** The event that is emitted before each "error" event, to those who want to know of errors without handling them.
 *  It is known by its address, not by its text, so that no other name can collide with it. */
GY_API extern const char gy_error_monitor[];

/* ---- listening ----------------------------------------------------------------------------------------------- */

/** Has `fn(listener, payload)` called at each emit of `name`, after the listeners that are there. An emit that is
 *  running does not call it yet. Cost: finding the event by its name.
 *  @return 0; -EINVAL without a name or function; -EALREADY when the listener is on an event or about to be called;
 *  GY_ECLOSED when a "newListener" handler closed the emitter, which is not touched any more. Unless 0 is returned,
 *  nothing has changed. */
GY_API int gy_on(gy_emitter *emitter, const char *name, gy_listener *listener, gy_listener_fn *fn);

/** As gy_on(), for one call: the listener is removed before it is called. */
GY_API int gy_once(gy_emitter *emitter, const char *name, gy_listener *listener, gy_listener_fn *fn);

/** As gy_on(), before the listeners that are there. */
GY_API int gy_prepend(gy_emitter *emitter, const char *name, gy_listener *listener, gy_listener_fn *fn);

/** As gy_once(), before the listeners that are there. */
GY_API int gy_prepend_once(gy_emitter *emitter, const char *name, gy_listener *listener, gy_listener_fn *fn);

/** Removes a listener: it will not be called any more and the memory is the caller's again, as far as "removeListener"
 *  handlers have left it alone. Cost: constant.
 *  @return true if it was on an event or about to be called; false for an idle one, which is ignored. */
GY_API bool gy_off(gy_listener *listener);

/** Removes all listeners of the event `name`, the last one first, or of all events when `name` is NULL. Handlers of
 *  "removeListener" hear of each; those of "removeListener" itself are removed last. A listener that such a handler
 *  adds meanwhile stays when a name was given, and is removed without a word otherwise. */
GY_API void gy_off_all(gy_emitter *emitter, const char *name);

/** Takes everything off an emitter: the listeners are idle, the emissions cancelled, and nobody is called for it. Emits
 *  that are running end with the current listener and touch neither the emitter nor a listener again, so that the
 *  memory of all may be freed here and now, inside a listener. Who waits for an event of the emitter, a fiber
 *  (gy_await_event()) or a promise (gy_once_promise()), is told GY_ECLOSED, by a microtask. An emitter that is not
 *  freed may be used again; the public fields and the limit are as they were. Cost: one step per listener. */
GY_API void gy_emitter_close(gy_emitter *emitter);

/** How many listeners an event may have before gy_emitter.leak is called: 10 unless told otherwise, 0 for any number.
 *  @return 0; -EINVAL for a negative limit. */
GY_API int gy_emitter_set_max_listeners(gy_emitter *emitter, int limit);

/* ---- emitting ------------------------------------------------------------------------------------------------ */

/** Calls the listeners of `name` now, in their order. Those that are added meanwhile are not called, nor are those that
 *  are removed before their turn. Emits may be nested; the inner one ends first.
 *
 *  An "error" event is first emitted as gy_error_monitor. If it has no listener then, it is reported to
 *  gy_emitter.unhandled, else to the loop (gy_loop_opts.unhandled), else in one line on standard error.
 *
 *  Cost: one comparison for each event that was registered before this one, plus a little for each listener.
 *  @return how many listeners were called, monitors not counted; GY_EUNHANDLED for an "error" event for which there
 *  was none, or whose monitor closed the emitter, which is then not reported; -EINVAL without a name. */
GY_API int gy_emit(gy_emitter *emitter, const char *name, const void *payload);

/** An emit on its way through a loop. The caller's memory, valid as `{0}`; it must stay while it is queued. */
struct gy_emission {
    void *user;          /**< the program's */
    gy_emitter *emitter; /**< read only: where it was emitted last */
    const char *name;    /**< read only: the event that was emitted last */
    const void *payload; /**< read only: with what */
    /** @cond internal */
    struct {
        gy_job job;
        struct gyi_tie tie; /* while it is queued */
    } priv;
    /** @endcond */
};

/** Has the loop emit the event from its callback queue, behind the events of this turn; what a listener of such an
 *  event queues comes in the next turn, so a chain of them cannot starve I/O. Emissions keep their order. The record is
 *  idle again before the first listener is called: a listener may queue it anew, or free it. The payload has to stay
 *  until the listeners have returned; nobody is told when that is, so one that has to be freed belongs to the last
 *  listener, or to a gy_immediate() of the program that calls gy_emit() and then frees it. A record that is queued
 *  already keeps its place and gets the new payload. When the emitter is closed its records are idle again and nothing
 *  is emitted. A queued emission keeps the loop alive; close its emitter before the loop is freed. Loop thread.
 *  @return 0 when it was queued; 1 when it was queued already, and only the payload is new; -EINVAL without a name;
 *  -EALREADY, with nothing changed, when it is queued for another loop, emitter or event. */
GY_API int gy_emit_later(gy_loop *loop, gy_emitter *emitter, const char *name, gy_emission *emission,
                         const void *payload);

/** Takes an emission off the queue: its event will not be emitted, and the memory is the caller's again.
 *  @return true if it was queued. */
GY_API bool gy_emission_cancel(gy_emission *emission);

/** Whether an emission is queued. */
GY_API bool gy_emission_active(const gy_emission *emission);

/* ---- looking ------------------------------------------------------------------------------------------------- */

/** How many listeners an event has. Cost: one step for each. */
GY_API size_t gy_listener_count(const gy_emitter *emitter, const char *name);

/** The first listener of an event, or NULL. */
GY_API gy_listener *gy_listener_first(const gy_emitter *emitter, const char *name);

/** The one after `listener` on the same event, or NULL. To remove listeners on the way, ask for the next one first. */
GY_API gy_listener *gy_listener_next(const gy_listener *listener);

/** Whether the listener is on an event. */
GY_API bool gy_listener_active(const gy_listener *listener);

/** The first listener of the event that has had listeners for longest, or NULL when there are no events. Its `name` is
 *  the event's, so this is how to list events:
 *  `for (gy_listener *l = gy_event_first(&room); l; l = gy_event_next(l)) show(l->name);` */
GY_API gy_listener *gy_event_first(const gy_emitter *emitter);

/** The first listener of the event after that of `first`, which must be the first of its event; NULL at the end. */
GY_API gy_listener *gy_event_next(const gy_listener *first);

/* ---- typed events -------------------------------------------------------------------------------------------- */

/** @cond internal */
enum gyi_listen { GYI_LISTEN_ONCE = 1, GYI_LISTEN_FIRST = 2 };

/* As gy_on(); `call` is the bridge that knows the type of `typed`. */
GY_API int gyi_listen_typed(gy_emitter *emitter, const char *name, gy_listener *listener, gy_listener_fn *call,
                            void (*typed)(void), unsigned how);

#ifdef __cplusplus
#define GYI_FN(type, fn)      reinterpret_cast<type>(fn)
#define GYI_PAYLOAD(type, at) static_cast<type const *>(at)
#else
#define GYI_FN(type, fn)      ((type)(fn))
#define GYI_PAYLOAD(type, at) (at)
#endif

/* A program need not use all functions of an event, and compilers need not say so. */
#if defined(__GNUC__) || defined(__clang__)
#define GYI_INLINE __attribute__((unused)) static inline
#else
#define GYI_INLINE static inline
#endif

#define GYI_EVENT_ON(event, text, verb, how)                                                                          \
    GYI_INLINE int event##_##verb(gy_emitter *emitter, gy_listener *listener, event##_fn *fn) {                       \
        return gyi_listen_typed(emitter, text, listener, gyi_##event##_call, GYI_FN(void (*)(void), fn), how);        \
    }
/** @endcond */

/** Declares an event with a payload of a type, so that the compiler checks both ends:
 *
 *      GY_EVENT(message, struct message);
 *      static void hear(gy_listener *listener, const struct message *m);
 *      message_on(&room, &ann.on_message, hear);
 *      message_emit(&room, &(struct message){ .text = "hi" });
 *
 *  It defines the type `message_fn` and the inline functions message_on(), message_once(), message_prepend(),
 *  message_prepend_once(emitter, listener, fn), message_emit(emitter, payload) and message_emit_later(loop, emitter,
 *  emission, payload), which do what their namesakes do with the event "message". Payloads are handed over as pointers
 *  to constants; the type may be void. Use it outside of functions. */
#define GY_EVENT(event, type) GY_EVENT_NAMED(event, #event, type)

/** As GY_EVENT(), where the functions are called otherwise than the event: `GY_EVENT_NAMED(room_message, "message",
 *  struct message)`. */
#define GY_EVENT_NAMED(event, text, type)                                                                             \
    typedef void event##_fn(gy_listener *listener, type const *payload);                                              \
    GYI_INLINE void gyi_##event##_call(gy_listener *listener, const void *payload) {                                  \
        GYI_FN(event##_fn *, listener->priv.typed)(listener, GYI_PAYLOAD(type, payload));                             \
    }                                                                                                                 \
    GYI_EVENT_ON(event, text, on, 0)                                                                                  \
    GYI_EVENT_ON(event, text, once, GYI_LISTEN_ONCE)                                                                  \
    GYI_EVENT_ON(event, text, prepend, GYI_LISTEN_FIRST)                                                              \
    GYI_EVENT_ON(event, text, prepend_once, GYI_LISTEN_ONCE | GYI_LISTEN_FIRST)                                       \
    GYI_INLINE int event##_emit(gy_emitter *emitter, type const *payload) {                                           \
        return gy_emit(emitter, text, payload);                                                                       \
    }                                                                                                                 \
    GYI_INLINE int event##_emit_later(gy_loop *loop, gy_emitter *emitter, gy_emission *emission,                      \
                                      type const *payload) {                                                          \
        return gy_emit_later(loop, emitter, text, emission, payload);                                                 \
    }                                                                                                                 \
    struct event##_event_is_declared

#ifdef __cplusplus
}
#endif
#endif
