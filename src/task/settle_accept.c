/* SPDX-License-Identifier: ISC */
/* Accepting as a promise.
 *
 * It differs from other requests (request.c): a listener calls its function for each connection, whether a promise
 * waits or not. So those who wait are on a list of the loop, one for each server. When nobody waits the call is
 * ignored, and the listener calls again a little later, as it does for every connection that is not taken. */
#include "gyre/request.h"

#include <errno.h>

#include "task/task.h"

typedef struct accept_wait {
    gyi_task_block block;
    gyi_entry link;
    gy_stream *server, *client;
    gy_promise *promise;
    gy_cancel_hook hook;
} accept_wait;

static accept_wait *accept_find(gyi_task *task, const gy_stream *server) {
    for (gyi_entry *e = task->accepts.next; e != &task->accepts; e = e->next) {
        accept_wait *w = GY_OF(e, accept_wait, link);
        if (w->server == server) return w;
    }
    return NULL;
}

static void accept_settle(accept_wait *w, int err) {
    gyi_task *task = w->block.loop->task;
    gy_promise *promise = w->promise;
    gy_value value = err ? gy_err(err) : gy_ptr(w->client);
    gy_cancel_off(&w->hook);
    gyi_list_remove(&w->link);
    gyi_task_block_free(&w->block);
    gyi_promise_settle(task, promise, err ? GY_REJECTED : GY_FULFILLED, value, NULL);
    gyi_promise_release(task, promise);
}

static void accept_cancelled(gy_cancel_hook *hook, int reason) {
    (void)reason; /* the token has it */
    accept_settle(GY_OF(hook, accept_wait, hook), GY_ECANCELED);
}

/* Takes a connection, if there is one. */
static void accept_try(accept_wait *w) {
    int err = gy_stream_accept(w->server, w->client);
    if (err != -EAGAIN) accept_settle(w, err);
}

static void accept_end(gyi_task_block *block) { gy_cancel_off(&GY_OF(block, accept_wait, block)->hook); }

/* Nobody will come any more. Its reactions are microtasks, so nothing of the program runs inside the close. */
static void accept_closed(gy_stream *server) {
    accept_wait *w = accept_find(server->loop->task, server);
    if (w) accept_settle(w, GY_ECLOSED);
}

/* NULL when there is no memory. */
static accept_wait *accept_new(gyi_task *task) {
    accept_wait *w = gyi_task_block_new(task->loop, sizeof *w);
    if (!w) return NULL;
    w->promise = gyi_promise_make(task, GYI_PROMISE_LOCKED);
    if (!w->promise) {
        gyi_task_block_free(&w->block);
        return NULL;
    }
    w->block.end = accept_end;
    task->loop->listener_closed = accept_closed;
    gyi_list_append(&task->accepts, &w->link);
    return w;
}

gy_promise *gy_promise_accept(gy_stream *server, gy_stream *client, gy_cancel *token) {
    gy_loop *loop = server->loop;
    gyi_task *task = loop ? gyi_task_of(loop) : NULL;
    if (!task) return NULL;
    if (token && token->reason) return gyi_reject_failed(task, GY_ECANCELED);
    if (accept_find(task, server)) return gyi_reject_failed(task, -EBUSY);
    accept_wait *w = accept_new(task);
    if (!w) return gyi_reject_failed(task, -ENOMEM);
    gy_promise *promise = w->promise;
    w->server = server;
    w->client = client;
    if (token) gy_cancel_on(token, &w->hook, accept_cancelled);
    gyi_promise_set_cancel(promise, &w->hook, accept_cancelled);
    promise->refs++; /* settled at once, it goes with the others that nobody holds, after the jobs */
    accept_try(w);
    if (promise->flags & GYI_PROMISE_SETTLED) gyi_reject_late(task, promise);
    gyi_promise_release(task, promise);
    return promise;
}

void gy_settle_accept(gy_stream *server, int err) {
    gyi_task *task = server->loop->task;
    accept_wait *w = task ? accept_find(task, server) : NULL;
    if (!w) return;
    if (err) accept_settle(w, err);
    else accept_try(w);
}
