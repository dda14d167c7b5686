/* SPDX-License-Identifier: ISC */
/* Coroutines without a stack: their start, their waits for requests and for each other, and their end.
 *
 *   idle -> running <-> waiting -> queued -> running ... -> ended, or reporting -> idle
 *
 * The coroutine itself is a waiter (waiter.h), so a request that it awaits finds it as it would find the node of a
 * promise. What a request tells is kept, and the function is called by a microtask: whoever settles a request, a cancel
 * token for one, is never surprised by a function that runs inside its call, and the order is that of promises. The
 * entry for that lies in the coroutine, which can wait for one thing only; so nothing here allocates, or can fail.
 *
 * A coroutine that is awaited is a request of the kind `coro`, whose handle it is. The end of a coroutine is told to
 * such a waiter at once, which only queues; to the program's `done` by a microtask.
 *
 * Waits for promises are in coro_promise.c, so that this file refers to none. */
#include "task/coro.h"

#include <errno.h>

#include "loop/loop.h"
#include "task/waiter.h"

static void coro_resume(gyi_entry *entry), coro_turned(gyi_entry *entry), coro_report(gyi_entry *entry);
static void coro_cancel_request(gy_coro *co);

static gy_coro *coro_of(gyi_entry *entry) { return GY_OF(entry, gy_coro, priv.on.request.entry); }

/* ---- the queue ------------------------------------------------------------------------------------------------- */

static void coro_queue(gy_coro *co, void (*run)(gyi_entry *)) {
    gyi_entry *entry = &co->priv.on.request.entry;
    entry->run = run;
    gyi_queue_micro(&co->loop->queue, entry);
}

void gyi_coro_enter(gy_coro *co) {
    co->priv.state = GYI_CORO_RUNNING;
    co->priv.fn(co);
}

static void coro_resume(gyi_entry *entry) { gyi_coro_enter(coro_of(entry)); }

/* ---- waiting --------------------------------------------------------------------------------------------------- */

static void coro_set(gy_coro *co, gy_value value) {
    co->value = value;
    co->err = value.drop == gyi_value_error ? (int)value.num : 0;
    co->priv.keep = co->err ? gy_num(0) : value;
}

void gyi_coro_let_go(gy_coro *co) {
    gy_value keep = co->priv.keep;
    co->priv.keep = gy_num(0);
    if (keep.drop) keep.drop(keep.ptr);
}

void gyi_coro_wake(gy_coro *co, gy_value value) {
    gy_cancel_off(&co->priv.hook);
    co->priv.state = GYI_CORO_QUEUED;
    gyi_coro_let_go(co);
    coro_set(co, value);
    coro_queue(co, coro_resume);
}

/* @return whether a coroutine has been asked to end just now, for the first time */
static bool coro_ask(gy_coro *co) {
    if (!gy_coro_active(co) || co->priv.state == GYI_CORO_REPORTING || co->cancelled) return false;
    co->cancelled = true;
    return true;
}

/* A wait is cancelled once, by whoever comes first. @return the coroutine that is waited for, or NULL: coroutines wait
 * for each other in chains of any length, so one does not call the next. */
static gy_coro *coro_interrupt_wait(gy_coro *co) {
    void (*cancel)(gy_coro *) = co->priv.cancel;
    const gyi_waiter *waiter = &co->priv.on.request.waiter;
    if (co->priv.state != GYI_CORO_WAITING || !cancel || !gyi_coro_refuses(co)) return NULL;
    co->priv.cancel = NULL;
    if (cancel == coro_cancel_request && waiter->kind == &gy_kind_coro) return (gy_coro *)(void *)waiter->user;
    cancel(co);
    return NULL;
}

static void coro_interrupt(gy_coro *co) {
    do co = coro_interrupt_wait(co);
    while (co && coro_ask(co));
}

static void coro_struck(gy_cancel_hook *hook, int reason) {
    (void)reason; /* the token has it */
    coro_interrupt(GY_OF(hook, gy_coro, priv.hook));
}

void gyi_coro_park(gy_coro *co, void (*cancel)(gy_coro *)) {
    co->priv.cancel = cancel;
    co->priv.state = GYI_CORO_WAITING;
    if (co->token) gy_cancel_on(co->token, &co->priv.hook, coro_struck); /* one that is cancelled refuses the hook */
    coro_interrupt(co);
}

/* ---- requests -------------------------------------------------------------------------------------------------- */

static void coro_cancel_request(gy_coro *co) {
    const gyi_waiter *waiter = &co->priv.on.request.waiter;
    if (waiter->kind->cancel) waiter->kind->cancel(waiter->user);
}

static void coro_settled(gyi_waiter *waiter, gy_value value) {
    gyi_coro_wake(GY_OF(waiter, gy_coro, priv.on.request.waiter), value);
}

static void coro_expect(gy_coro *co, const gy_request_kind *kind, void **user) {
    co->priv.on.request.waiter.settle = coro_settled;
    gyi_waiter_add(&co->priv.on.request.waiter, kind, user);
}

bool gy_coro_await_begin(gy_coro *co, const gy_request_kind *kind, void **user) {
    if (kind->cancel && gyi_coro_refuses(co)) {
        gyi_coro_wake(co, gy_err(GY_ECANCELED));
        return false;
    }
    coro_expect(co, kind, user);
    return true;
}

/* Until now the coroutine counts as running, so that nobody cancels a request that has not been started; and the value
 * of the last await was still there, since the start may be to write it. */
void gy_coro_await_end(gy_coro *co, int started) {
    if (co->priv.state != GYI_CORO_RUNNING) return; /* refused, or settled by its own start */
    if (started < 0) {
        gyi_waiter_remove(&co->priv.on.request.waiter);
        gyi_coro_wake(co, gy_err(started));
        return;
    }
    gyi_coro_let_go(co);
    if (co->priv.state == GYI_CORO_RUNNING) gyi_coro_park(co, coro_cancel_request);
}

/* ---- the end of a turn ----------------------------------------------------------------------------------------- */

void gy_coro_await_turn(gy_coro *co) {
    gyi_entry *entry = &co->priv.on.request.entry;
    co->priv.state = GYI_CORO_QUEUED;
    gyi_coro_let_go(co);
    coro_set(co, gy_num(0));
    entry->run = coro_turned;
    gyi_list_append(&co->loop->queue.immediates, entry);
    co->loop->queue.special |= GYI_SPECIAL_LATE;
}

static void coro_turned(gyi_entry *entry) {
    gy_coro *co = coro_of(entry);
    if (gyi_coro_refuses(co)) coro_set(co, gy_err(GY_ECANCELED));
    gyi_coro_enter(co);
}

/* ---- other coroutines ------------------------------------------------------------------------------------------ */

static void coro_cancel_coro(void *request) { gy_coro_cancel(request); }

const gy_request_kind gy_kind_coro = {coro_cancel_coro};

/* A destructor goes along; what is left is lent. */
static gy_value coro_take(gy_coro *co) {
    gy_value value = co->value;
    if (co->priv.keep.drop) co->value.drop = NULL;
    co->priv.keep = gy_num(0);
    return value;
}

gy_value gy_coro_take(gy_coro *co) { return co->priv.state == GYI_CORO_ENDED ? coro_take(co) : gy_num(0); }

int gy_coro_join(gy_coro *co) {
    if (co->priv.state == GYI_CORO_IDLE && !co->priv.done) return -EINVAL;
    if (co->priv.done || co->priv.joined) return -EBUSY;
    co->priv.joined = true;
    if (co->priv.state == GYI_CORO_ENDED) {
        co->priv.state = GYI_CORO_REPORTING;
        coro_queue(co, coro_report);
    }
    return 0;
}

/* A coroutine that is being cancelled still waits for the other, whose memory is often its own. */
void gy_coro_await_coro(gy_coro *co, gy_coro *other) {
    if (other == co) {
        gyi_coro_wake(co, gy_err(-EDEADLK));
    } else if (other->priv.state == GYI_CORO_ENDED) {
        gyi_coro_wake(co, coro_take(other));
    } else {
        coro_expect(co, &gy_kind_coro, &other->user);
        gy_coro_await_end(co, gy_coro_join(other));
    }
}

/* ---- the end --------------------------------------------------------------------------------------------------- */

/* The program's function may free the coroutine, so what its value needs is taken along. */
static void coro_report(gyi_entry *entry) {
    gy_coro *co = coro_of(entry);
    if (co->priv.joined) {
        co->priv.state = GYI_CORO_ENDED;
        gy_request_settle(&co->user, &gy_kind_coro, coro_take(co));
        return;
    }
    gy_value keep = co->priv.keep;
    co->priv.state = GYI_CORO_IDLE;
    co->priv.keep = gy_num(0);
    co->priv.done(co, co->err);
    if (keep.drop) keep.drop(keep.ptr);
}

/* What a coroutine returns. The value of its last await may be handed on if it is a number, an error, or its own. */
static gy_value coro_result(gy_coro *co, gy_value value) {
    if (value.drop && value.drop == co->value.drop && value.ptr == co->value.ptr) {
        if (co->err) return gy_err(co->err);
        if (value.drop == co->priv.keep.drop) co->priv.keep = gy_num(0);
    }
    return value.drop == gyi_value_borrowed ? gy_err(-EINVAL) : value;
}

void gy_coro_end(gy_coro *co, gy_value result) {
    result = coro_result(co, result);
    gyi_coro_let_go(co);
    coro_set(co, result);
    if (co->priv.joined) {
        co->priv.state = GYI_CORO_ENDED;
        gy_request_settle(&co->user, &gy_kind_coro, coro_take(co));
    } else if (co->priv.done) {
        co->priv.state = GYI_CORO_REPORTING;
        coro_queue(co, coro_report);
    } else {
        co->priv.state = GYI_CORO_ENDED;
    }
}

void gy_coro_lost(gy_coro *co) { gy_coro_end(co, gy_err(-ENOSYS)); }

/* ---- from outside ---------------------------------------------------------------------------------------------- */

bool gy_coro_active(const gy_coro *co) {
    return co->priv.state != GYI_CORO_IDLE && co->priv.state != GYI_CORO_ENDED;
}

int gy_coro_begin(gy_loop *loop, gy_coro *co, gy_coro_opts opts) {
    if (!opts.fn) return -EINVAL;
    if (gy_coro_active(co)) return -EALREADY;
    co->loop = loop;
    co->token = opts.token;
    co->cancelled = co->shielded = false;
    co->priv.joined = false;
    co->priv.place = 0;
    co->priv.fn = opts.fn;
    co->priv.done = opts.done;
    co->priv.state = GYI_CORO_RUNNING;
    gyi_coro_let_go(co); /* of a result that nobody asked for */
    coro_set(co, gy_num(0));
    return 0;
}

int gy_coro_start(gy_loop *loop, gy_coro *co, gy_coro_opts opts) {
    int err = gy_coro_begin(loop, co, opts);
    if (!err) opts.fn(co);
    return err;
}

bool gy_coro_cancel(gy_coro *co) {
    if (!coro_ask(co)) return false;
    coro_interrupt(co);
    return true;
}
