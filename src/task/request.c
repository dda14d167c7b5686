/* SPDX-License-Identifier: ISC */
/* The bridge from requests to promises.
 *
 * A request that has a promise is known by a node, and the handle's `user` points to the node while it waits; what was
 * there before is kept in the node and put back. So the way from a callback to its promise costs no search, handles
 * need no further field, and one handle can have several nodes, a stream with a read and a close for instance, which
 * form a chain and differ in their kind.
 *
 * The node exists before the request is started: if there is no memory for it, nothing has begun that would have to be
 * taken back. Nodes that are done are kept for the next ones, so a loop that goes on as before allocates nothing. */
#include "gyre/request.h"

#include "task/task.h"

typedef struct gyi_request {
    gyi_task_block block;
    const gy_request_kind *kind;
    void **user;    /* the handle's */
    void *before;   /* what it was */
    gy_promise *promise; /* NULL: idle */
    gy_cancel_hook hook;
    struct gyi_request *next; /* idle: the next one */
} gyi_request;

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
    }
    r->promise = gyi_promise_make(task, GYI_PROMISE_LOCKED);
    if (r->promise) return r;
    r->next = task->requests;
    task->requests = r;
    return NULL;
}

/* Puts back what was in `user`, and makes the node idle. @return its promise, with its reference. */
static gy_promise *request_release(gyi_request *r) {
    gyi_task *task = r->block.loop->task;
    gy_promise *promise = r->promise;
    void **at = r->user;
    while (*at != r) at = &((gyi_request *)*at)->before;
    *at = r->before;
    gy_cancel_off(&r->hook);
    r->promise = NULL;
    r->next = task->requests;
    task->requests = r;
    return promise;
}

static void request_resolve(gyi_request *r, gy_value value) {
    gy_promise *promise = request_release(r);
    promise->flags &= (uint16_t)~GYI_PROMISE_LOCKED;
    gy_promise_resolve(promise, value);
    gy_promise_free(promise);
}

static void request_cancelled(gy_cancel_hook *hook, int reason) {
    gyi_request *r = GY_OF(hook, gyi_request, hook);
    (void)reason; /* the token has it */
    if (r->kind->cancel) r->kind->cancel(r->user);
}

bool gy_request_begin(gy_loop *loop, const gy_request_kind *kind, void **user, gy_cancel *token) {
    gyi_task *task = gyi_task_of(loop);
    if (!task) return false;
    task->refusal = token && token->reason ? GY_ECANCELED : -ENOMEM;
    gyi_request *r = token && token->reason ? NULL : request_new(task);
    if (!r) return false;
    gyi_promise_set_cancel(r->promise, &r->hook, request_cancelled);
    if (token) gy_cancel_on(token, &r->hook, request_cancelled);
    r->kind = kind;
    r->user = user;
    r->before = *user;
    *user = r;
    return true;
}

gy_promise *gy_request_end(gy_loop *loop, void **user, int started) {
    gyi_task *task = loop->task;
    if (!task) return NULL;
    if (started == GYI_NOT_BEGUN) return gyi_reject_failed(task, task->refusal);
    gyi_request *r = *user;
    gy_promise *promise = r->promise;
    if (started < 0) request_resolve(r, gy_err(started)); /* which holds it on, since nobody has reacted yet */
    return promise;
}

void gy_request_settle(void **user, const gy_request_kind *kind, gy_value value) {
    gyi_request *r = *user;
    while (r->kind != kind) r = r->before;
    request_resolve(r, value);
}

/* ---- timers, which every program has ----------------------------------------------------------------------------- */

static void request_timer_cancel(void *request) {
    gy_timer *timer = request;
    gy_timer_stop(timer);
    gy_request_settle(&timer->user, &gy_kind_timer, gy_err(GY_ECANCELED));
}

const gy_request_kind gy_kind_timer = {request_timer_cancel};

void gy_settle_timer(gy_timer *timer) { gy_request_settle(&timer->user, &gy_kind_timer, gy_num(0)); }
