/* SPDX-License-Identifier: ISC */
/* Awaiting a request: a cancelled fiber has to wait until the request is off its memory.
 *
 * gy_await() returns as soon as the fiber is cancelled, and what it was waiting for goes on. For a promise that is
 * right; a request goes on in a handle and in buffers, and the fiber is about to clean these up. So the request is
 * cancelled too, and awaited once more, without regard to the cancellation. */
#include "gyre/fiber.h"
#include "task/task.h"

static void await_cancel(gy_promise *p) {
    if (p->entry.run != gyi_promise_cancellable) return;
    gy_cancel_hook *hook = p->as.wait.ctx;
    hook->priv.fn(hook, GY_ECANCELED);
}

gy_value gy_await_req(gy_promise *p) {
    gy_promise_ref(p);
    gy_value v = gy_await(p);
    bool own = p && gy_promise_state_of(p) != GY_REJECTED; /* GY_ECANCELED is the fiber's, not the outcome */
    if (own && gy_value_err(v) == GY_ECANCELED && gy_fiber_cancelled(gy_fiber_self(gyi_promise_loop(p)))) {
        if (gy_promise_state_of(p) == GY_PENDING) await_cancel(p);
        v = gy_await_shielded(p);
    }
    gy_promise_free(p);
    return v;
}
