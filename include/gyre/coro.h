/* SPDX-License-Identifier: ISC */
/** @file coro.h
 *  Coroutines without a stack: async and await for small devices, in plain C11, without allocation.
 *
 *      struct blink { gy_coro co; gy_timer timer; int left; };
 *
 *      static void blink(gy_coro *co) {
 *          struct blink *b = GY_OF(co, struct blink, co);
 *          GY_ASYNC_BEGIN(co);
 *          for (b->left = 10; b->left > 0; b->left--) {
 *              led_toggle();
 *              GY_AWAIT_DELAY(co, &b->timer, GY_MS(500));
 *              if (co->err) GY_RETURN(co, gy_err(co->err));
 *          }
 *          GY_ASYNC_END(co, gy_num(0));
 *      }
 *      gy_coro_start(loop, &b.co, (gy_coro_opts){.fn = blink});
 *
 *  The function returns at each await and is called again when what it waits for is there; GY_ASYNC_BEGIN() then jumps
 *  to the place where it left. So what is needed after an await stands in the struct around the gy_coro, as above: a
 *  coroutine is as large as its variables, and 200 bytes on 64-bit machines. What can be awaited:
 *
 *  | macro               | waits for                                  | `value`                   |
 *  | ------------------- | ------------------------------------------ | ------------------------- |
 *  | GY_AWAIT_REQUEST()  | any request of request.h, without promise  | as in the table there     |
 *  | GY_AWAIT_DELAY()    | a timer                                    | nothing                   |
 *  | GY_AWAIT_CORO()     | another coroutine                          | its result                |
 *  | GY_AWAIT()          | a promise                                  | its value                 |
 *  | GY_AWAIT_TURN()     | the end of this turn of the loop           | nothing                   |
 *
 *  Behind the await, `co->err` is 0 or the error, and `co->value` the result, valid until the next await. Only
 *  GY_AWAIT() brings promises into a program that is linked statically.
 *
 *  The order is ECMAScript's: the function begins inside gy_coro_start() and runs up to its first await; when what was
 *  awaited is done, a microtask goes on behind the await, never earlier, also if it was done or has failed already.
 *
 *  What the compiler cannot know about these macros: variables of the function itself are lost at an await; an await
 *  must not stand inside a `switch` of the function's own (the coroutine ends with -ENOSYS then), nor two of them on
 *  one line (an error of the compiler). A suspended coroutine does not keep the loop alive by itself; what it waits for
 *  may. The struct must stay until the coroutine has ended. Loop thread only.
 */
#ifndef GYRE_CORO_H
#define GYRE_CORO_H

#include "gyre/request.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_coro gy_coro;

/** What a coroutine does: everything between GY_ASYNC_BEGIN() and GY_ASYNC_END(). What stands before, such as GY_OF(),
 *  is done each time the function is entered. */
typedef void gy_coro_fn(gy_coro *co);

/** Called, as a microtask, when a coroutine has ended; `err` is its error or 0, and `co->value` its result, which is
 *  destroyed when this returns. The memory is the caller's again. */
typedef void gy_coro_done_fn(gy_coro *co, int err);

/** A coroutine. The caller's memory, valid as `{0}`. */
struct gy_coro {
    void *user;       /**< the program's */
    gy_loop *loop;    /**< read only: where it was started */
    gy_cancel *token; /**< the program's to set, for the next await: ends it when it is cancelled; NULL: none */
    gy_value value;   /**< read only: of the last await, lent until the next one; when it has ended, the result */
    int err;          /**< read only: of the last await, or of the whole */
    bool shielded;    /**< the program's to set: awaits are neither refused nor ended by a cancellation */
    bool cancelled;   /**< read only: gy_coro_cancel() was called */
    /** @cond internal */
    struct {
        uint8_t state;
        bool joined; /* somebody waits for the end */
        unsigned place;
        gy_coro_fn *fn;
        gy_coro_done_fn *done;
        void (*cancel)(gy_coro *); /* while it waits: has the wait end, now or later, if it can */
        gy_value keep;             /* what `value` needs, to be destroyed after it */
        union {
            struct gyi_reaction reaction; /* on a promise */
            struct {
                struct gyi_entry entry; /* the same as the reaction's: for the queue, in all cases */
                struct gyi_waiter waiter;
            } request;
        } on;
        gy_cancel_hook hook;
    } priv;
    /** @endcond */
};

/** How a coroutine is started. A zero field is the default. */
typedef struct gy_coro_opts {
    gy_coro_fn *fn;        /**< never NULL */
    gy_coro_done_fn *done; /**< told of the end; NULL: nobody, or who awaits it */
    gy_cancel *token;      /**< gy_coro.token */
} gy_coro_opts;

/** Calls the function, and returns when it waits for the first time or has ended. One that has ended may be started
 *  again. Allocates nothing.
 *  @return 0; -EINVAL without a function; -EALREADY when it has not ended. */
GY_API int gy_coro_start(gy_loop *loop, gy_coro *co, gy_coro_opts opts);

/** Whether it was started and has not ended, with its `done` called. */
GY_API bool gy_coro_active(const gy_coro *co);

/** Asks a coroutine to end. What it waits for is cancelled, if that can be (request.h), and the await has the error
 *  GY_ECANCELED as soon as the request has let go of its memory, or says how it ended; a coroutine that is awaited is
 *  cancelled in its turn; a promise is merely let go of. Each later await is refused with GY_ECANCELED, without
 *  starting anything, so that the body cleans up and ends; exceptions are requests that cannot be cancelled, such as
 *  closing, other coroutines, which are cancelled and waited for, and `shielded`. The token does the same.
 *  @return true; false, and nothing happens, when it is not active or was cancelled already. */
GY_API bool gy_coro_cancel(gy_coro *co);

/** The result of a coroutine that has ended, and with it the destructor, if it has one: for who has it started without
 *  `done`, and does not await it. @return it, without the destructor when
 *  somebody else has that; zero when it has not ended. */
GY_API gy_value gy_coro_take(gy_coro *co);

/* ---- inside the function ------------------------------------------------------------------------------------- */

/* Re-entering a function by a `switch` whose cases stand wherever it has to go on is Tom Duff's device, used for
 * coroutines by Simon Tatham ("Coroutines in C", 2000) and in Adam Dunkels' protothreads (2005). */

/** The beginning of what is done once. Variables must not be declared with a value directly below it in C++. */
#define GY_ASYNC_BEGIN(co)                                                                                            \
    switch ((co)->priv.place) {                                                                                       \
    case 0:

/** The end: the coroutine's result, as a promise is settled: a value, or gy_err(). A value that was lent by a promise
 *  cannot be passed on; it counts as the error -EINVAL. */
#define GY_ASYNC_END(co, result)                                                                                      \
    gy_coro_end((co), (result));                                                                                      \
    return;                                                                                                           \
    default: gy_coro_lost(co);                                                                                        \
    }

/** Ends it from anywhere inside. */
#define GY_RETURN(co, result)                                                                                         \
    do {                                                                                                              \
        gy_coro_end((co), (result));                                                                                  \
        return;                                                                                                       \
    } while (0)

/** @cond internal */
#define GYI_CORO_AWAIT(co, wait)                                                                                      \
    do {                                                                                                              \
        (co)->priv.place = __LINE__;                                                                                  \
        wait;                                                                                                         \
        return;                                                                                                       \
    case __LINE__:;                                                                                                   \
    } while (0)
/** @endcond */

/** Waits for a request: `kind`, `request` and `start` as for GY_PROMISE(), with the same callbacks, but there is no
 *  promise. While it waits, `user` of the handle is the library's. `request` is evaluated more than once. The start may
 *  use the value of the await before. */
#define GY_AWAIT_REQUEST(co, kind, request, start)                                                                    \
    GYI_CORO_AWAIT(co, gy_coro_await_end((co), gy_coro_await_begin((co), &gy_kind_##kind, &(request)->user)           \
                                                   ? (start)                                                          \
                                                   : GYI_NOT_BEGUN))

/** Waits for so long, by a timer of the caller's, whose address `handle` is; it is evaluated more than once. */
#define GY_AWAIT_DELAY(co, handle, after)                                                                             \
    GY_AWAIT_REQUEST(co, timer, handle, gyi_coro_delay((co)->loop, (handle), (after)))

/** Waits for the end of another coroutine that was started without `done` and that nobody else waits for; if it has
 *  ended already, its result comes at once, one microtask later. -EINVAL when it was never started, -EBUSY when its end
 *  is somebody else's, -EDEADLK for the coroutine itself. */
#define GY_AWAIT_CORO(co, other) GYI_CORO_AWAIT(co, gy_coro_await_coro((co), (other)))

/** Waits for a promise, which counts as handled. Its value is lent. GY_ECLOSED when the promise went away and can never
 *  be settled; -EINVAL for NULL and for a promise of another loop. */
#define GY_AWAIT(co, promise) GYI_CORO_AWAIT(co, gy_coro_await((co), (promise)))

/** Lets the loop see to everything else that is ready, and goes on at the end of its turn (gy_immediate()). */
#define GY_AWAIT_TURN(co) GYI_CORO_AWAIT(co, gy_coro_await_turn(co))

/* ---- coroutines as requests ---------------------------------------------------------------------------------- */

/** The kind `coro`: `GY_PROMISE(loop, coro, &b->co, gy_coro_join(&b->co))` is the promise of a coroutine. */
GY_API extern const gy_request_kind gy_kind_coro;

/** What starts a request of the kind `coro`: settles it with the result of a coroutine that was started without `done`.
 *  @return 0; -EINVAL when it was never started; -EBUSY when somebody waits for it or has waited. */
GY_API int gy_coro_join(gy_coro *co);

/* ---- for compilers and other languages ----------------------------------------------------------------------- */
/* What the macros above consist of, for languages whose coroutines the compiler makes (coro.hpp). After each of the
 * functions that wait, the coroutine leaves the thread to the loop; its `fn` is called when it is to go on. */

/** As gy_coro_start(), for a function that runs already: it is not called. */
GY_API int gy_coro_begin(gy_loop *loop, gy_coro *co, gy_coro_opts opts);

/** The coroutine ends, with a result; it is not touched any more by who calls this. */
GY_API void gy_coro_end(gy_coro *co, gy_value result);

/** The place where it left was not found: ends it with -ENOSYS. */
GY_API void gy_coro_lost(gy_coro *co);

/** The halves of GY_AWAIT_REQUEST(). @return whether the request may be started. */
GY_API bool gy_coro_await_begin(gy_coro *co, const gy_request_kind *kind, void **user);
GY_API void gy_coro_await_end(gy_coro *co, int started);        /**< the second half, with the answer of the start */
GY_API void gy_coro_await_coro(gy_coro *co, gy_coro *other);    /**< GY_AWAIT_CORO() */
GY_API void gy_coro_await(gy_coro *co, gy_promise *promise);    /**< GY_AWAIT() */
GY_API void gy_coro_await_turn(gy_coro *co);                    /**< GY_AWAIT_TURN() */

/** @cond internal */
static inline int gyi_coro_delay(gy_loop *loop, gy_timer *timer, gy_ns after) {
    gy_timer_opts opts = {gy_settle_timer, after, 0, 0, 0};
    gy_timer_start(loop, timer, opts);
    return 0;
}

/* Memory for a frame; NULL when there is none. */
GY_API void *gyi_coro_frame_new(gy_loop *loop, size_t size);
GY_API void gyi_coro_frame_free(void *frame);

/* A coroutine that the loop cannot be freed before, and its end. */
GY_API void gyi_coro_frame_begin(gy_loop *loop);
GY_API void gyi_coro_frame_over(gy_loop *loop);
/** @endcond */

#ifdef __cplusplus
}
#endif
#endif
