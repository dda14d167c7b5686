/* SPDX-License-Identifier: ISC */
/* Coroutines that wait for promises. In a file of its own, so that coroutines which await requests only bring no
 * promises into a program.
 *
 * A wait is a reaction that lies in the coroutine, as with fibers: nothing is allocated, and an await takes the one job
 * that any reaction takes. A promise whose value has a destructor is held until the coroutine's next await. */
#include <errno.h>

#include "task/coro.h"
#include "task/task.h"

static gyi_task *coro_promise_task(const gy_coro *co) { return co->loop->task; }

/* What is settled already is on its way. */
static void coro_promise_cancel(gy_coro *co) {
    if (co->priv.on.reaction.source->flags & GYI_PROMISE_SETTLED) return;
    gyi_reaction_remove(coro_promise_task(co), &co->priv.on.reaction);
    gyi_coro_wake(co, gy_err(GY_ECANCELED));
}

static void coro_promise_settled(gyi_entry *entry) {
    gy_coro *co = GY_OF(entry, gy_coro, priv.on.reaction.entry);
    gy_promise *source = co->priv.on.reaction.source;
    gy_cancel_off(&co->priv.hook);
    co->value = gyi_promise_lend(source);
    co->err = gy_value_err(co->value);
    if (co->value.drop && co->value.drop != gyi_value_error) co->priv.keep = gy_own(source, gyi_value_promise);
    else gyi_promise_release(coro_promise_task(co), source);
    gyi_coro_enter(co);
}

static void coro_promise_abandoned(gyi_reaction *reaction) {
    gyi_coro_wake(GY_OF(reaction, gy_coro, priv.on.reaction), gy_err(GY_ECLOSED));
}

/* The promise is held meanwhile: the value that is let go of may be all that keeps it. If it has gone by the end, the
 * coroutine has been abandoned, and is queued. */
void gy_coro_await(gy_coro *co, gy_promise *promise) {
    gy_promise_ref(promise);
    gyi_coro_let_go(co);
    if (!promise || gyi_promise_loop(promise) != co->loop) {
        gyi_coro_wake(co, gy_err(-EINVAL));
    } else if (gyi_coro_refuses(co)) {
        gyi_promise_handle(coro_promise_task(co), promise);
        gyi_coro_wake(co, gy_err(GY_ECANCELED));
    } else {
        co->priv.on.reaction.entry.run = coro_promise_settled;
        co->priv.on.reaction.abandon = coro_promise_abandoned;
        gyi_reaction_add(coro_promise_task(co), promise, &co->priv.on.reaction);
        gyi_coro_park(co, coro_promise_cancel);
    }
    gy_promise_free(promise);
}
