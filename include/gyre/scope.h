/* SPDX-License-Identifier: ISC */
/** @file scope.h
 *  Scopes: fibers that end before the function that started them does.
 *
 *      gy_scope scope = {0};
 *      gy_scope_start(loop, &scope, (gy_fiber_opts){.fn = fetch_page, .arg = &page});
 *      gy_scope_start(loop, &scope, (gy_fiber_opts){.fn = fetch_icon, .arg = &icon});
 *      int err = gy_scope_wait(&scope);
 *
 *  When one fails, the others are cancelled, and gy_scope_wait() returns that first error when all have ended: so what
 *  they use may lie on the stack of who waits. Nothing that was started in a scope outlives the fiber that opened it.
 *  Loop thread only.
 */
#ifndef GYRE_SCOPE_H
#define GYRE_SCOPE_H

#include "gyre/fiber.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What an error does. */
typedef enum gy_scope_policy {
    GY_SCOPE_CANCEL = 0, /**< the first error cancels the other fibers */
    GY_SCOPE_COLLECT = 1 /**< all run to their end */
} gy_scope_policy;

/** A scope. The caller's memory, valid as `{0}`; it must stay until gy_scope_wait() has returned, and may be used again
 *  then. It belongs to the fiber that started the first fiber in it. */
typedef struct gy_scope {
    void *user;             /**< the program's */
    gy_scope_policy policy; /**< the program's to set before the first start */
    /** @cond internal */
    struct {
        struct gyi_scope *core;
    } priv;
    /** @endcond */
} gy_scope;

/** As gy_fiber_start(), in a scope. Only a fiber can open one; any fiber of the loop may start others in it as long as
 *  it is open. In a scope that was cancelled, fibers start cancelled. The promise counts as handled. If the function
 *  returns a promise to adopt, the fiber waits for it; if it is a request, it is cancelled with the fiber.
 *  @return as gy_fiber_start(); rejected with -EPERM outside of fibers. A start that fails counts as an error of the
 *  scope, when there is one to count it. */
GY_API gy_promise *gy_scope_start(gy_loop *loop, gy_scope *scope, gy_fiber_opts opts);

/** Waits until all fibers of the scope have ended, and closes it. If the waiting fiber is cancelled, so are those, and
 *  they are still waited for.
 *  @return the first error of one of them; GY_ECANCELED when the waiting fiber was cancelled and there was no other
 *  error; else 0. What fibers say that gy_scope_cancel() has cancelled is no error if it is GY_ECANCELED. -EPERM, at
 *  once, when the caller is not the fiber that it belongs to. */
GY_API int gy_scope_wait(gy_scope *scope);

/** Cancels all fibers of the scope, and those that will be started in it. A scope that is not open is ignored. */
GY_API void gy_scope_cancel(gy_scope *scope);

#ifdef __cplusplus
}
#endif
#endif
