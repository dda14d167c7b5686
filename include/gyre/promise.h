/* SPDX-License-Identifier: ISC */
/** @file promise.h
 *  Promises: results that are not there yet, and what is to be done when they are.
 *
 *      gy_promise *page = gy_then(fetch(loop, url), parse, NULL);
 *      gy_catch(gy_then(page, show, window), complain, window);
 *
 *  The order is ECMAScript's, job for job: reactions are microtasks (job.h), never run inside the call that caused
 *  them, and adopting another promise takes the two jobs more that it takes there. A promise is settled once, with a
 *  value or with an error; a rejection that nobody handles is reported.
 *
 *  Who owns what, in three rules. A promise of gy_promise_new() is the caller's, who frees it with gy_promise_free().
 *  Any other promise that a function returns is held by the library until it is settled and its reactions have run: it
 *  can be used until the current callback returns, which is enough to build a chain, and nothing has to be freed; who
 *  wants it for longer takes a reference with gy_promise_ref() and gives it back with gy_promise_free(). And a function
 *  that is given promises takes no reference away.
 *
 *  A pending promise whose last reference is given back can never be settled; it goes, and so do the promises that were
 *  waiting for it and that nobody else holds. Their functions are not called. Loop thread only.
 */
#ifndef GYRE_PROMISE_H
#define GYRE_PROMISE_H

#include "gyre/loop.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A promise. Opaque, counted, and of one loop. All are gone with their loop. */
typedef struct gy_promise gy_promise;

/* ---- values -------------------------------------------------------------------------------------------------- */

/** Destroys what a value points to. It may use promises; it must not free the loop. */
typedef void gy_drop_fn(void *ptr);

/** What a promise is settled with: a pointer or an integer (which of them, the program knows), or an error. All zero
 *  is the value of promises that have nothing to say. Made by the functions below; to be read are `ptr`, `num` and
 *  gy_value_err(). */
typedef struct gy_value {
    union {
        void *ptr;
        int64_t num;
    };
    gy_drop_fn *drop; /**< says what this is; the library's to read */
} gy_value;

/** @cond internal */
/* What a value is, told by its `drop`. */
GY_API void gyi_value_error(void *ptr);    /* an error; `num` is the number */
GY_API void gyi_value_errors(void *ptr);   /* the errors of gy_any(); `ptr` is a gy_list */
GY_API void gyi_value_promise(void *ptr);  /* a reference to a promise that is to be adopted */
GY_API void gyi_value_borrowed(void *ptr); /* `ptr` belongs to a promise */
GY_API int gyi_value_first_err(const void *list);

/* A reaction that is no promise. */
struct gyi_reaction {
    struct gyi_entry entry;                 /* `run` is called as a microtask when the source is settled */
    gy_promise *source;                     /* held from then on, and to be given back by `run` */
    void (*abandon)(struct gyi_reaction *); /* the source is gone unsettled; the reaction is on no list any more */
};
/** @endcond */

/** An integer. */
static inline gy_value gy_num(int64_t num) {
    gy_value v;
    v.ptr = 0;
    v.num = num;
    v.drop = 0;
    return v;
}

/** A pointer to what is not the promise's. */
static inline gy_value gy_ptr(void *ptr) {
    gy_value v = gy_num(0);
    v.ptr = ptr;
    return v;
}

/** A pointer to what will be the promise's: `drop` is called with it exactly once, when the last promise that has this
 *  value is gone, or at once if the value is refused. NULL as `drop`: as gy_ptr(). */
static inline gy_value gy_own(void *ptr, gy_drop_fn *drop) {
    gy_value v = gy_ptr(ptr);
    v.drop = drop;
    return v;
}

/** An error. Resolving with it, or returning it from a reaction, rejects. A number that is not negative counts as
 *  -EINVAL. */
static inline gy_value gy_err(int err) {
    gy_value v = gy_num(err);
    v.drop = gyi_value_error;
    return v;
}

/** The result of another promise, whatever it will be. Takes a reference to it, which is given back by the function
 *  that is given this value; so use the value once. NULL counts as the error -EINVAL. */
GY_API gy_value gy_adopt(gy_promise *promise);

/** The error, or 0 when the value is none. For the rejection of gy_any() it is the first error of its list, or -ENOENT
 *  if that is empty. */
static inline int gy_value_err(gy_value value) {
    if (value.drop == gyi_value_error) return (int)value.num;
    return value.drop == gyi_value_errors ? gyi_value_first_err(value.ptr) : 0;
}

/** What gy_all() and gy_all_settled() fulfil with and gy_any() rejects with, behind `ptr`. Valid as long as the promise
 *  with this value. */
typedef struct gy_list {
    size_t count;       /**< as many as there were promises, in their order */
    const gy_value *at; /**< lent; errors of gy_all_settled() and gy_any() are told by gy_value_err() */
} gy_list;

/* ---- making and settling ------------------------------------------------------------------------------------- */

/** What has become of a promise. */
typedef enum gy_promise_state { GY_PENDING = 0, GY_FULFILLED = 1, GY_REJECTED = 2 } gy_promise_state;

/** Makes a pending promise and stores it in `*out` (NULL on failure). The reference is the caller's.
 *  @return 0 or -ENOMEM. */
GY_API int gy_promise_new(gy_loop *loop, gy_promise **out);

/** Settles a promise with a value, rejects it with an error, or has it follow another promise (gy_adopt()), which takes
 *  two jobs more; a promise that would follow itself is rejected with -EDEADLK, and one that would follow a promise of
 *  another loop, or is given a value that was lent to a reaction, with -EINVAL. Takes over the value in all cases.
 *  @return 0; -EALREADY when it was settled or is following another promise, or is another's to settle, because it came
 *  from gy_then() or the like. Nothing changes then, and the value is destroyed. */
GY_API int gy_promise_resolve(gy_promise *promise, gy_value value);

/** As gy_promise_resolve() with gy_err(err). */
GY_API int gy_promise_reject(gy_promise *promise, int err);

/** Takes one more reference. NULL is ignored. @return the promise. */
GY_API gy_promise *gy_promise_ref(gy_promise *promise);

/** Gives a reference back. NULL is ignored. */
GY_API void gy_promise_free(gy_promise *promise);

/** Whether it is settled, and how. */
GY_API gy_promise_state gy_promise_state_of(const gy_promise *promise);

/** The value or error of a settled promise, all zero while it is pending. Lent: valid as long as the promise. */
GY_API gy_value gy_promise_value(const gy_promise *promise);

/* ---- reacting ------------------------------------------------------------------------------------------------ */

/** A reaction. `value` is lent until this returns. What it returns settles the promise that the reaction belongs to:
 *  a value fulfils it, gy_err() rejects it, gy_adopt() has it follow another. `value` itself may be returned, also
 *  with another `ptr` that points into the same thing, which then lives on. */
typedef gy_value gy_then_fn(gy_value value, void *ctx);

/** What is to be done in either case. A promise that it returns is waited for; an error replaces the outcome; any other
 *  value is destroyed. */
typedef gy_value gy_finally_fn(void *ctx);

/** Has `fn(value, ctx)` called by a microtask once the promise is fulfilled, and never before this returns; a rejection
 *  passes through. `fn` may be NULL: the outcome passes through.
 *  @return the promise of what comes of it, held by the library (see above). When there is no memory, `fn` will not be
 *  called, and the promise returned is rejected with -ENOMEM already. NULL only for NULL. */
GY_API gy_promise *gy_then(gy_promise *promise, gy_then_fn *fn, void *ctx);

/** As gy_then(), for the rejection, whose error `fn` finds by gy_value_err(value); a value passes through. */
GY_API gy_promise *gy_catch(gy_promise *promise, gy_then_fn *fn, void *ctx);

/** Both at once: exactly one of the two is called. */
GY_API gy_promise *gy_then_catch(gy_promise *promise, gy_then_fn *fulfilled, gy_then_fn *rejected, void *ctx);

/** Has `fn(ctx)` called once the promise is settled, one way or the other. As gy_then() otherwise. */
GY_API gy_promise *gy_finally(gy_promise *promise, gy_finally_fn *fn, void *ctx);

/* ---- several at once ----------------------------------------------------------------------------------------- */
/* The array is read now and not kept. What is returned is held by the library (see above), rejected with -ENOMEM or,
 * for a NULL among the promises or one of another loop, with -EINVAL. NULL is returned when the loop never had a
 * promise and there is no memory for the first one. The promises that have not settled when the result does are let go
 * of; they go on, and count as handled. */

/** Fulfils with a gy_list when all are fulfilled; rejects as soon as one is rejected, with its error. */
GY_API gy_promise *gy_all(gy_loop *loop, gy_promise *const *promises, size_t count);

/** Fulfils with a gy_list when all are settled. */
GY_API gy_promise *gy_all_settled(gy_loop *loop, gy_promise *const *promises, size_t count);

/** Fulfils with the first value; rejects with a gy_list of errors when all are rejected. */
GY_API gy_promise *gy_any(gy_loop *loop, gy_promise *const *promises, size_t count);

/** Settles as the first one that does. Of none: stays pending. */
GY_API gy_promise *gy_race(gy_loop *loop, gy_promise *const *promises, size_t count);

/* ---- time ---------------------------------------------------------------------------------------------------- */

/** A promise that is fulfilled, without value, after a time; it keeps the loop alive. Held by the library. NULL is
 *  returned when the loop never had a promise and there is no memory for the first one. */
GY_API gy_promise *gy_delay(gy_loop *loop, gy_ns after);

/** Settles as `promise` does, or rejects with -ETIMEDOUT if that takes too long; `promise` then goes on, and counts as
 *  handled. Held by the library. NULL only for NULL. */
GY_API gy_promise *gy_promise_timeout(gy_promise *promise, gy_ns after);

/* ---- rejections that nobody handles -------------------------------------------------------------------------- */

/** Told of a promise, which is lent; gy_promise_value() is the reason. It may handle the promise, with gy_catch(). */
typedef void gy_promise_hook_fn(gy_loop *loop, gy_promise *promise);

/** Sets who is told, once for each promise, that it was rejected and had no reaction by the time when all jobs were
 *  done. NULL: one line on standard error.
 *  @return 0 or -ENOMEM. */
GY_API int gy_promise_on_unhandled(gy_loop *loop, gy_promise_hook_fn *fn);

/** Sets who is told when a promise that was reported as unhandled gets a reaction after all. NULL: nobody.
 *  @return 0 or -ENOMEM. */
GY_API int gy_promise_on_handled(gy_loop *loop, gy_promise_hook_fn *fn);

#ifdef __cplusplus
}
#endif
#endif
