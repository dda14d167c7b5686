/* SPDX-License-Identifier: ISC */
/** @file hook.h
 *  Hooks: callbacks at fixed points of every turn. Loop thread only.
 */
#ifndef GYRE_HOOK_H
#define GYRE_HOOK_H

#include "gyre/loop.h"

#ifdef __cplusplus
extern "C" {
#endif

/** When a hook is called. */
typedef enum gy_hook_when {
    GY_HOOK_BEFORE_POLL, /**< first thing in a turn, before the loop waits; but not before a chain of jobs that was
                              interrupted because it used up its budget */
    GY_HOOK_AFTER_POLL,  /**< after the events that the wait brought */
    GY_HOOK_IDLE         /**< in a turn that brought nothing else; the loop never waits while one is active */
} gy_hook_when;

typedef struct gy_hook gy_hook;

/** Called once in each turn, in the order in which hooks were started. It may stop and free its hook. */
typedef void gy_hook_fn(gy_hook *hook);

/** A hook. The caller's memory, valid as `{0}`; it must stay while the hook is active. */
struct gy_hook {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it was started last */
    /** @cond internal */
    struct {
        gy_hook_fn *fn;
        struct gyi_entry entry; /* on the callback queue */
        struct gyi_entry link;  /* on the loop's list of its kind */
        uint32_t when, flags;
    } priv;
    /** @endcond */
};

/** Starts a hook. Only idle hooks keep the loop alive.
 *  @return 0; -EINVAL without a function or for another `when`; -EALREADY when it is active. */
GY_API int gy_hook_start(gy_loop *loop, gy_hook *hook, gy_hook_when when, gy_hook_fn *fn);

/** Stops a hook at once, as gy_timer_stop(). */
GY_API void gy_hook_stop(gy_hook *hook);

GY_API bool gy_hook_active(const gy_hook *hook); /**< whether the hook is active */
GY_API void gy_hook_ref(gy_hook *hook);          /**< has an active hook keep the loop alive, until it is stopped */
GY_API void gy_hook_unref(gy_hook *hook);        /**< the opposite of gy_hook_ref() */

#ifdef __cplusplus
}
#endif
#endif
