/* SPDX-License-Identifier: ISC */
/** @file cancel.h
 *  Cancel tokens: one word to many operations that what they do is not wanted any more.
 *
 *      gy_cancel page = {0};
 *      gy_cancel_after(loop, &page, GY_S(5));
 *      gy_promise *p = GY_PROMISE_UNTIL(&page, loop, fs, &req, gy_fs_read_file(loop, &req, path, gy_settle_fs));
 *      ...
 *      gy_cancel_now(&page, GY_ECANCELED);
 *
 *  A token is cancelled once, with a reason, and stays so. Whoever wants to know hooks on to it; a hook is the caller's
 *  memory and lies inside the operation, so that an operation which ends takes itself off the token, and a token that
 *  lives long gathers nothing. Loop thread only; without a loop, one thread at a time.
 */
#ifndef GYRE_CANCEL_H
#define GYRE_CANCEL_H

#include "gyre/timer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_cancel gy_cancel;
typedef struct gy_cancel_hook gy_cancel_hook;

/** Called when the token is cancelled, from inside gy_cancel_now() or from the loop; `reason` is negative. The hook is
 *  off the token by now, and its memory the caller's. It may close the token, but not free it before gy_cancel_now()
 *  has returned. */
typedef void gy_cancel_fn(gy_cancel_hook *hook, int reason);

/** Somebody's interest in a token. The caller's memory, valid as `{0}`; it must stay while it is on a token. */
struct gy_cancel_hook {
    void *user;       /**< the program's */
    gy_cancel *token; /**< read only: the token on which it was put last */
    /** @cond internal */
    struct {
        struct gyi_entry link;
        gy_cancel_fn *fn;
    } priv;
    /** @endcond */
};

/** A token. The caller's memory, valid as `{0}`; gy_cancel_close() it before it is freed. */
struct gy_cancel {
    void *user; /**< the program's */
    int reason; /**< read only: 0 until it is cancelled, then why: a negative error */
    /** @cond internal */
    struct {
        struct gyi_entry hooks;
        gy_timer timer;
    } priv;
    /** @endcond */
};

/** Cancels a token: everybody on it is called, in the order in which they came. A token that is cancelled already
 *  keeps its first reason, and nobody is called. A reason that is not negative counts as GY_ECANCELED. */
GY_API void gy_cancel_now(gy_cancel *token, int reason);

/** Has the token cancelled with -ETIMEDOUT after a time, unless that has happened by then; a second call replaces the
 *  first. It does not keep the loop alive. */
GY_API void gy_cancel_after(gy_loop *loop, gy_cancel *token, gy_ns after);

/** Puts a hook on a token.
 *  @return 0; the token's reason when it is cancelled already: the hook is not put there, and not called; -EINVAL
 *  without a function; -EALREADY when the hook is on a token. */
GY_API int gy_cancel_on(gy_cancel *token, gy_cancel_hook *hook, gy_cancel_fn *fn);

/** Takes a hook off: it will not be called any more. @return true if it was on a token. */
GY_API bool gy_cancel_off(gy_cancel_hook *hook);

/** Has `token` cancelled when `parent` is, with its reason; at once if it is cancelled already. `link` is the
 *  connection, which holds neither: gy_cancel_off() ends it, and it must be ended before the memory of either goes. A
 *  token can have any number of parents, each with a link of its own.
 *  @return 0, also when it was cancelled at once; -EALREADY when the link is in use; -EINVAL for a token that would be
 *  its own parent. */
GY_API int gy_cancel_link(gy_cancel *token, gy_cancel_hook *link, gy_cancel *parent);

/** Takes everybody off a token, without a call, and stops its timer. It is as `{0}` afterwards and may be used again;
 *  links to parents are the caller's to end. */
GY_API void gy_cancel_close(gy_cancel *token);

#ifdef __cplusplus
}
#endif
#endif
