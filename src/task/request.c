/* SPDX-License-Identifier: ISC */
/* The bridge from requests to promises.
 *
 * A promise that waits for a request does so by a node, in which lies the waiter that the handle's `user` points to
 * (waiter.h). So the way from a callback to its promise costs no search, and handles need no further field.
 *
 * The node exists before the request is started: if there is no memory for it, nothing has begun that would have to be
 * taken back. Nodes that are done are kept for the next ones, so a loop that goes on as before allocates nothing.
 *
 * While the start runs, which may be the program's own, the node is on the list of those that begin. It may be settled
 * by then, and stays until gy_request_end() has looked at it; and its token may be cancelled, which is of no interest
 * before there is something to be cancelled. */
#include "gyre/request.h"

#include "task/task.h"
#include "task/waiter.h"

typedef struct gyi_request {
    gyi_task_block block;
    gyi_waiter waiter;
    gy_promise *promise;
    gy_cancel *token; /* to be heard once the request has been started; may be NULL */
    gy_cancel_hook hook;
    bool begins, settled;     /* settled: by its own start */
    struct gyi_request *next; /* idle, or begins: the next one */
} gyi_request;

static void request_idle(gyi_task *task, gyi_request *r) {
    r->next = task->requests;
    task->requests = r;
}

/* The node becomes idle, and its promise is settled. */
static void request_settled(gyi_waiter *waiter, gy_value value) {
    gyi_request *r = GY_OF(waiter, gyi_request, waiter);
    gyi_task *task = r->block.loop->task;
    gy_promise *promise = r->promise;
    gy_cancel_off(&r->hook);
    r->settled = r->begins;
    if (!r->begins) request_idle(task, r);
    gyi_promise_conclude(task, promise, value, NULL);
}

/* It could not be started. */
GYI_APART static void request_failed(gyi_waiter *waiter, int err) {
    gyi_waiter_remove(waiter);
    request_settled(waiter, gy_err(err));
}

static void request_ended(gyi_task_block *block) { gy_cancel_off(&GY_OF(block, gyi_request, block)->hook); }

/* NULL when there is no memory. */
static gyi_request *request_new(gyi_task *task) {
    gyi_request *r = task->requests;
    if (r) {
        task->requests = r->next;
    } else {
        r = gyi_task_block_new(task->loop, sizeof *r);
        if (!r) return NULL;
        r->block.end = request_ended;
        r->waiter.settle = request_settled;
    }
    r->promise = gyi_promise_make(task, GYI_PROMISE_LOCKED);
    if (r->promise) return r;
    request_idle(task, r);
    return NULL;
}

static void request_cancelled(gy_cancel_hook *hook, int reason) {
    gyi_request *r = GY_OF(hook, gyi_request, hook);
    (void)reason; /* the token has it */
    if (r->waiter.kind->cancel) r->waiter.kind->cancel(r->waiter.user);
}

bool gy_request_begin(gy_loop *loop, const gy_request_kind *kind, void **user, gy_cancel *token) {
    gyi_task *task = gyi_task_of(loop);
    if (!task) return false;
    task->refusal = token && token->reason ? GY_ECANCELED : -ENOMEM;
    gyi_request *r = token && token->reason ? NULL : request_new(task);
    if (!r) return false;
    gyi_promise_set_cancel(r->promise, &r->hook, request_cancelled);
    r->promise->refs++; /* until the second half */
    r->token = token;
    r->begins = true;
    r->settled = false;
    r->next = task->begun;
    task->begun = r;
    gyi_waiter_add(&r->waiter, kind, user);
    return true;
}

/* Takes off the list what was begun last for a handle. */
static gyi_request *request_begun(gyi_task *task, void **user) {
    gyi_request **at = &task->begun;
    while ((*at)->waiter.user != user) at = &(*at)->next;
    gyi_request *r = *at;
    *at = r->next;
    r->begins = false;
    return r;
}

/* What was cancelled while it was being started is so now. */
static void request_listen(gyi_request *r) {
    if (!r->token) return;
    int reason = gy_cancel_on(r->token, &r->hook, request_cancelled);
    if (reason) request_cancelled(&r->hook, reason);
}

gy_promise *gy_request_end(gy_loop *loop, void **user, int started) {
    gyi_task *task = loop->task;
    if (!task) return NULL;
    if (started == GYI_NOT_BEGUN) return gyi_reject_failed(task, task->refusal);
    gyi_request *r = request_begun(task, user);
    gy_promise *promise = r->promise;
    if (r->settled) request_idle(task, r);
    else if (started < 0) request_failed(&r->waiter, started);
    else request_listen(r);
    if (promise->flags & GYI_PROMISE_SETTLED) gyi_reject_late(task, promise);
    gyi_promise_release(task, promise);
    return promise;
}
