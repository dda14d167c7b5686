/* SPDX-License-Identifier: ISC */
/* Listeners that return promises, and what becomes of their rejections: Node's captureRejections.
 *
 * To the emitter such a listener is any other; the function that it calls is the one here, which calls the program's
 * and looks at what that returns. A promise that is not fulfilled yet gets a capture, which is a reaction on it and is
 * tied to the emitter:
 *
 *   listener returns -> [capture waits] -> rejected: a microtask, then a tick -> "error" is emitted
 *                                       -> fulfilled, or never to be settled: nothing
 *
 * A capture knows nothing of the listener but what it copied, since that may be freed by then. It is told when the
 * emitter is closed; the rejection is then passed on to a promise that nobody handles, so that it is reported.
 *
 * Captures that are done are kept for the next ones. When there is no memory for one, the promise is left alone, and a
 * rejection is reported as that of any promise which nobody looks after. */
#include <errno.h>

#include "task/emit.h"

typedef struct gyi_capture {
    gyi_task_block block;
    gyi_reaction reaction;
    gyi_tie tie;
    gy_emitter *emitter; /* NULL: it was closed */
    gy_rejected_fn *rejected;
    const char *name;
    gy_job job;
    struct gyi_capture *next; /* idle: the next one */
} gyi_capture;

static void capture_ended(gyi_task_block *block) {
    gyi_capture *c = GY_OF(block, gyi_capture, block);
    gyi_untie(&c->tie);
    gy_job_cancel(&c->job);
}

/* NULL when there is no memory. */
static gyi_capture *capture_new(gyi_task *task) {
    gyi_capture *c = task->captures;
    if (c) {
        task->captures = c->next;
        return c;
    }
    c = gyi_task_block_new(task->loop, sizeof *c);
    if (c) c->block.end = capture_ended;
    return c;
}

static void capture_free(gyi_task *task, gyi_capture *c) {
    gyi_untie(&c->tie);
    c->next = task->captures;
    task->captures = c;
}

static bool capture_told(gyi_tie *tie, int how) {
    if (how == GYI_TIE_CLOSED) GY_OF(tie, gyi_capture, tie)->emitter = NULL;
    return false;
}

/* The same rejection, of a promise that has no reaction. */
static void capture_pass_on(gyi_task *task, gy_promise *source) {
    gy_promise *p = gyi_promise_make(task, GYI_PROMISE_LOCKED);
    if (p) {
        gyi_promise_follow(task, p, source);
        gyi_promise_release(task, p);
    } else {
        (void)gyi_reject_failed(task, gy_value_err(source->as.done.value));
    }
}

/* Emits "error", during which what listeners return is not looked at. */
static void capture_emit(gy_emitter *emitter, const gy_rejection *rejection) {
    gyi_emit guard;
    uint32_t before = emitter->priv.flags & GYI_EMITTER_QUIET;
    gyi_emit_push(&guard, emitter, NULL);
    emitter->priv.flags |= GYI_EMITTER_QUIET;
    (void)gy_emit(emitter, "error", rejection);
    if (!gyi_emit_pop(&guard)) return;
    emitter->priv.flags &= ~(uint32_t)GYI_EMITTER_QUIET;
    emitter->priv.flags |= before;
}

/* The tick. The capture is idle before anybody is called. */
static void capture_tell(gy_job *job) {
    gyi_capture *c = GY_OF(job, gyi_capture, job);
    gyi_task *task = c->block.loop->task;
    gy_promise *source = c->reaction.source;
    gy_emitter *emitter = c->emitter;
    gy_rejected_fn *rejected = c->rejected;
    gy_rejection rejection = {gy_value_err(gyi_promise_lend(source)), c->name, source};
    capture_free(task, c);
    if (!emitter) capture_pass_on(task, source);
    else if (rejected) rejected(emitter, &rejection);
    else capture_emit(emitter, &rejection);
    gyi_promise_release(task, source);
}

/* The microtask. */
static void capture_run(gyi_entry *entry) {
    gyi_capture *c = GY_OF(entry, gyi_capture, reaction.entry);
    gy_promise *source = c->reaction.source;
    gyi_task *task = c->block.loop->task;
    if (source->flags & GY_REJECTED) {
        gy_defer(task->loop, &c->job, capture_tell);
        return;
    }
    capture_free(task, c);
    gyi_promise_release(task, source);
}

static void capture_abandon(gyi_reaction *reaction) {
    gyi_capture *c = GY_OF(reaction, gyi_capture, reaction);
    capture_free(c->block.loop->task, c);
}

/* ---- listening ----------------------------------------------------------------------------------------------- */

/* What the emitter calls. The listener may be gone when the program's function returns, and so may the emitter. */
static void capture_called(gy_listener *listener, const void *payload) {
    gy_async_listener *l = GY_OF(listener, gy_async_listener, listener);
    gy_emitter *emitter = listener->emitter;
    gy_rejected_fn *rejected = l->rejected;
    const char *name = listener->name;
    bool quiet = (emitter->priv.flags & GYI_EMITTER_QUIET) != 0;
    gyi_emit guard;
    gyi_emit_push(&guard, emitter, NULL);
    gy_promise *p = gyi_async_call(listener, payload);
    if (!gyi_emit_pop(&guard) || !p || quiet) return;
    gyi_task *task = gyi_promise_task(p);
    gyi_capture *c = p->flags & GY_FULFILLED ? NULL : capture_new(task);
    if (!c) return;
    c->emitter = emitter;
    c->rejected = rejected;
    c->name = name;
    c->reaction.entry.run = capture_run;
    c->reaction.abandon = capture_abandon;
    gyi_tie_to(emitter, &c->tie, capture_told);
    gyi_reaction_add(task, p, &c->reaction);
}

bool gyi_async_is(const gy_listener *listener) { return listener->priv.fn == capture_called; }

gy_promise *gyi_async_call(gy_listener *listener, const void *payload) {
    gy_async_listener_fn *fn = (gy_async_listener_fn *)listener->priv.typed;
    return fn(GY_OF(listener, gy_async_listener, listener), payload);
}

/* As the emitter's, this is asked before anything is changed. */
static bool capture_busy(const gy_listener *listener) {
    return gyi_listener_on(listener) || (listener->priv.flags & GYI_LISTENER_FIRING);
}

int gyi_listen_async(gy_loop *loop, gy_emitter *emitter, const char *name, gy_async_listener *listener,
                     gy_async_listener_fn *call, void (*typed)(void), unsigned how) {
    if (!typed) return -EINVAL;
    if (capture_busy(&listener->listener)) return -EALREADY;
    if (!gyi_task_of(loop)) return -ENOMEM;
    listener->priv.typed = typed;
    return gyi_listen_typed(emitter, name, &listener->listener, capture_called, (void (*)(void))call, how);
}

static int capture_listen(gy_loop *loop, gy_emitter *emitter, const char *name, gy_async_listener *listener,
                          gy_async_listener_fn *fn, unsigned how) {
    if (!gyi_task_of(loop)) return -ENOMEM;
    return gyi_listen_typed(emitter, name, &listener->listener, capture_called, (void (*)(void))fn, how);
}

int gy_on_async(gy_loop *loop, gy_emitter *emitter, const char *name, gy_async_listener *listener,
                gy_async_listener_fn *fn) {
    return capture_listen(loop, emitter, name, listener, fn, 0);
}

int gy_once_async(gy_loop *loop, gy_emitter *emitter, const char *name, gy_async_listener *listener,
                  gy_async_listener_fn *fn) {
    return capture_listen(loop, emitter, name, listener, fn, GYI_LISTEN_ONCE);
}

int gy_prepend_async(gy_loop *loop, gy_emitter *emitter, const char *name, gy_async_listener *listener,
                     gy_async_listener_fn *fn) {
    return capture_listen(loop, emitter, name, listener, fn, GYI_LISTEN_FIRST);
}

int gy_prepend_once_async(gy_loop *loop, gy_emitter *emitter, const char *name, gy_async_listener *listener,
                          gy_async_listener_fn *fn) {
    return capture_listen(loop, emitter, name, listener, fn, GYI_LISTEN_ONCE | GYI_LISTEN_FIRST);
}
