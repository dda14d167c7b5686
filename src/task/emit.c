/* SPDX-License-Identifier: ISC */
/* Emits that are waited for: all listeners at once, or one after the other.
 *
 * Both walk the event with a frame of their own, as gy_emit() does, and react on the promises of listeners themselves,
 * so that none of them is captured (capture.c).
 *
 * At once: what is needed to wait is one block with an element for each listener that returns promises. It is allocated
 * before the first is called, so that no listener begins something of which nobody would know the end. The frame is on
 * the stack; when the calls are over, the emitter is of no interest any more. The block holds the first promise that
 * was rejected, and settles when all have.
 *
 * One after the other: the frame is in the block, and stays on the emitter while a promise is waited for. So what is
 * removed, added or closed meanwhile means the same as in any emit, only that the emit takes long. */
#include <errno.h>

#include "task/emit.h"

/* An error, or how many were called. */
static gy_value emit_value(int called) { return called < 0 ? gy_err(called) : gy_num(called); }

/* A promise whose outcome is known before anything has begun, held until all jobs are done. */
static gy_promise *emit_known(gyi_task *task, int called) {
    bool unhandled = called == GY_EUNHANDLED; /* the emitter has reported it */
    if (called < 0 && !unhandled) return gyi_reject_failed(task, called);
    gy_promise *p = gyi_promise_make(task, GYI_PROMISE_LOCKED);
    if (!p) return gyi_reject_failed(task, -ENOMEM);
    if (unhandled) p->flags |= GYI_PROMISE_HANDLED;
    gyi_promise_settle(task, p, unhandled ? GY_REJECTED : GY_FULFILLED, emit_value(called), NULL);
    return gyi_emit_return(task, p);
}

/* The outcome: that of a promise, an error, or how many were called. `source` may be NULL. */
static void emit_settle(gyi_task *task, gy_promise *result, gy_promise *source, int called) {
    if (source) {
        gyi_promise_follow(task, result, source);
        gyi_promise_release(task, source);
    } else {
        gyi_promise_settle(task, result, called < 0 ? GY_REJECTED : GY_FULFILLED, emit_value(called), NULL);
    }
    gyi_promise_release(task, result);
}

/* ---- all at once --------------------------------------------------------------------------------------------- */

typedef struct emit_all emit_all;

typedef struct emit_element {
    gyi_reaction reaction;
    emit_all *owner;
} emit_element;

struct emit_all {
    gyi_task_block block;
    gy_promise *result, *first; /* `first`: the first that was rejected, held */
    size_t waiting, used;
    int called, err; /* `err`: instead of a promise */
    emit_element element[];
};

/* One of them is over: a promise, or the calls. */
static void all_less(gyi_task *task, emit_all *a) {
    if (--a->waiting) return;
    gy_promise *result = a->result, *first = a->first;
    int outcome = a->err ? a->err : a->called;
    gyi_task_block_free(&a->block);
    emit_settle(task, result, first, outcome);
}

static void all_run(gyi_entry *entry) {
    emit_element *e = GY_OF(entry, emit_element, reaction.entry);
    emit_all *a = e->owner;
    gyi_task *task = a->block.loop->task;
    gy_promise *source = e->reaction.source;
    if ((source->flags & GY_REJECTED) && !a->first && !a->err) a->first = source;
    else gyi_promise_release(task, source);
    all_less(task, a);
}

static void all_failed(emit_all *a, int err) {
    if (!a->first && !a->err) a->err = err;
}

static void all_abandon(gyi_reaction *reaction) {
    emit_all *a = GY_OF(reaction, emit_element, reaction)->owner;
    all_failed(a, GY_ECLOSED);
    all_less(a->block.loop->task, a);
}

static void all_call(gyi_task *task, emit_all *a, gy_listener *listener, const void *payload) {
    a->called++;
    if (!gyi_async_is(listener)) {
        listener->priv.fn(listener, payload);
        return;
    }
    gy_promise *p = gyi_async_call(listener, payload);
    if (!p) return;
    if (gyi_promise_loop(p) != task->loop) {
        all_failed(a, -EINVAL);
        return;
    }
    emit_element *e = &a->element[a->used++];
    e->owner = a;
    e->reaction.entry.run = all_run;
    e->reaction.abandon = all_abandon;
    a->waiting++;
    gyi_reaction_add(task, p, &e->reaction);
}

/* Room for the promises of these listeners; NULL when there is no memory. */
static emit_all *all_new(gyi_task *task, const gy_listener *first) {
    size_t count = 0;
    for (const gy_listener *l = first; l; l = gy_listener_next(l)) count += gyi_async_is(l);
    emit_all *a = gyi_task_block_new(task->loop, sizeof *a + count * sizeof(emit_element));
    if (!a) return NULL;
    a->result = gyi_promise_make(task, GYI_PROMISE_LOCKED);
    if (a->result) return a;
    gyi_task_block_free(&a->block);
    return NULL;
}

gy_promise *gy_emit_async(gy_loop *loop, gy_emitter *emitter, const char *name, const void *payload) {
    gyi_task *task = gyi_task_of(loop);
    int called;
    if (!task) return NULL;
    gy_listener *listener = gyi_emit_first(emitter, name, payload, &called);
    if (!listener) return emit_known(task, called);
    emit_all *a = all_new(task, listener);
    if (!a) return gyi_reject_failed(task, -ENOMEM);
    gy_promise *result = gy_promise_ref(a->result);
    gyi_emit frame;
    a->waiting = 1;
    gyi_emit_push(&frame, emitter, listener);
    while ((listener = gyi_emit_next(&frame))) all_call(task, a, listener, payload);
    (void)gyi_emit_pop(&frame);
    all_less(task, a);
    return gyi_emit_return(task, result);
}

/* ---- one after the other ------------------------------------------------------------------------------------- */

typedef struct emit_serial {
    gyi_task_block block;
    gyi_reaction reaction;
    gyi_emit frame;
    gy_promise *result;
    const void *payload;
    int called;
} emit_serial;

static void serial_ended(gyi_task_block *block) { (void)gyi_emit_pop(&GY_OF(block, emit_serial, block)->frame); }

/* The outcome is a promise, which is taken over, an error, or how many were called. */
static void serial_end(gyi_task *task, emit_serial *s, gy_promise *source, int outcome) {
    gy_promise *result = s->result;
    (void)gyi_emit_pop(&s->frame);
    gyi_task_block_free(&s->block);
    emit_settle(task, result, source, outcome);
}

/* Calls listeners until one returns a promise. */
static void serial_go(gyi_task *task, emit_serial *s) {
    gy_promise *p = NULL;
    for (gy_listener *l; !p && (l = gyi_emit_next(&s->frame)); s->called++) {
        if (gyi_async_is(l)) p = gyi_async_call(l, s->payload);
        else l->priv.fn(l, s->payload);
    }
    if (!p) serial_end(task, s, NULL, s->called);
    else if (gyi_promise_loop(p) != task->loop) serial_end(task, s, NULL, -EINVAL);
    else gyi_reaction_add(task, p, &s->reaction);
}

static void serial_run(gyi_entry *entry) {
    emit_serial *s = GY_OF(entry, emit_serial, reaction.entry);
    gyi_task *task = s->block.loop->task;
    gy_promise *source = s->reaction.source;
    if (source->flags & GY_REJECTED) {
        serial_end(task, s, source, 0);
    } else {
        gyi_promise_release(task, source);
        serial_go(task, s);
    }
}

static void serial_abandon(gyi_reaction *reaction) {
    emit_serial *s = GY_OF(reaction, emit_serial, reaction);
    serial_end(s->block.loop->task, s, NULL, GY_ECLOSED);
}

gy_promise *gy_emit_serial(gy_loop *loop, gy_emitter *emitter, const char *name, const void *payload) {
    gyi_task *task = gyi_task_of(loop);
    int called;
    if (!task) return NULL;
    gy_listener *listener = gyi_emit_first(emitter, name, payload, &called);
    if (!listener) return emit_known(task, called);
    emit_serial *s = gyi_task_block_new(loop, sizeof *s);
    if (!s) return gyi_reject_failed(task, -ENOMEM);
    gy_promise *result = s->result = gyi_promise_make(task, GYI_PROMISE_LOCKED);
    if (!result) {
        gyi_task_block_free(&s->block);
        return gyi_reject_failed(task, -ENOMEM);
    }
    s->block.end = serial_ended;
    s->payload = payload;
    s->reaction.entry.run = serial_run;
    s->reaction.abandon = serial_abandon;
    gyi_emit_push(&s->frame, emitter, listener);
    gy_promise_ref(result);
    serial_go(task, s);
    return gyi_emit_return(task, result);
}
