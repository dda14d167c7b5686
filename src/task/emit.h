/* SPDX-License-Identifier: ISC */
/* What those who call listeners that return promises have in common. */
#ifndef GYI_TASK_EMIT_H
#define GYI_TASK_EMIT_H

#include "emitter/emitter.h"
#include "gyre/emit.h"
#include "task/task.h"

/* Whether a listener is one that returns promises. */
bool gyi_async_is(const gy_listener *listener);

/* Calls it. @return its promise, or NULL. */
gy_promise *gyi_async_call(gy_listener *listener, const void *payload);

/* Gives a reference back to a promise that the program may have been given in this very callback, and may use until
 * that returns: settled already, it lives until all jobs are done. @return the promise */
static inline gy_promise *gyi_emit_return(gyi_task *task, gy_promise *promise) {
    if (promise->flags & GYI_PROMISE_SETTLED) gyi_reject_late(task, promise);
    gyi_promise_release(task, promise);
    return promise;
}

#endif
