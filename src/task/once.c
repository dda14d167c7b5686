/* SPDX-License-Identifier: ISC */
/* The next event of an emitter as a promise.
 *
 * A record has two listeners, one for the event and one for "error", is tied to the emitter, and hooked on to a token.
 * Whatever happens first takes all of these away and settles the promise. The payload is copied into the record, which
 * was made large enough for it, so that nothing can fail when the event comes; the record is then what the promise's
 * value points into, and goes with it.
 *
 * Adding and removing a listener may call handlers of "newListener" and "removeListener", which do what they like: emit
 * the event in the middle of the start, for instance, or "error" at the end. So a record is over when it has no promise
 * any more, and is not freed while somebody starts it or takes it apart, which takes long when a handler waits in a
 * fiber; nor may it be as long as handlers are being told of its listeners, from further up the stack perhaps, so a
 * microtask frees it. */
#include <errno.h>
#include <string.h>

#include "task/emit.h"

typedef struct emit_once {
    gyi_task_block block;
    gyi_tie tie;
    gy_listener event, error;
    gy_cancel_hook hook;
    gyi_entry gone;      /* frees it */
    gy_promise *promise; /* NULL: it is over */
    gy_payload_error_fn *number;
    size_t size;
    unsigned inside;     /* calls that are not done with it */
    bool starting, kept; /* kept: it is the value of the promise */
    union {
        char bytes[1];
        long double aligned;
        void *pointer;
        int64_t number;
    } payload[];
} emit_once;

int gy_payload_error(const void *payload) {
    int err = payload ? *(const int *)payload : 0;
    return err < 0 ? err : GY_EEMITTED;
}

static void once_drop(void *ptr) {
    emit_once *o = (emit_once *)(void *)((char *)ptr - offsetof(emit_once, payload));
    gyi_task_block_free(&o->block);
}

static void once_gone(gyi_entry *entry) { gyi_task_block_free(&GY_OF(entry, emit_once, gone)->block); }

/* A call is done with it. The last one frees it, if it is over. */
static void once_leave(gyi_task *task, emit_once *o) {
    o->gone.run = once_gone;
    if (!--o->inside && !o->promise && !o->kept) gyi_task_micro(task, &o->gone);
}

/* Takes it off everything. Only then is it settled, so that who is told finds it gone. */
static void once_over(emit_once *o, gy_value value) {
    gyi_task *task = o->block.loop->task;
    gy_promise *promise = o->promise;
    o->promise = NULL;
    o->inside++;
    gyi_untie(&o->tie);
    (void)gy_cancel_off(&o->hook);
    (void)gy_off(&o->event);
    (void)gy_off(&o->error);
    once_leave(task, o);
    gyi_promise_settle(task, promise, gy_value_err(value) ? GY_REJECTED : GY_FULFILLED, value, NULL);
    (void)gyi_emit_return(task, promise); /* who emits may be who has asked, and still use it */
}

static void once_heard(gy_listener *listener, const void *payload) {
    emit_once *o = GY_OF(listener, emit_once, event);
    if (!o->promise) return;
    gy_value value = gy_ptr((void *)(uintptr_t)payload);
    if (o->size) {
        o->kept = true;
        if (payload) memcpy(o->payload, payload, o->size);
        value = gy_own(o->payload, once_drop);
    }
    once_over(o, value);
}

static void once_failed(gy_listener *listener, const void *payload) {
    emit_once *o = GY_OF(listener, emit_once, error);
    if (!o->promise) return;
    int err = o->number ? o->number(payload) : GY_EEMITTED;
    once_over(o, gy_err(err < 0 ? err : GY_EEMITTED));
}

static void once_cancelled(gy_cancel_hook *hook, int reason) {
    (void)reason; /* the token has it */
    once_over(GY_OF(hook, emit_once, hook), gy_err(GY_ECANCELED));
}

/* When the emitter is closed, its listeners are idle and taking them off calls nobody. While it starts, the listener
 * may not be there yet, and is looked for afterwards. */
static bool once_told(gyi_tie *tie, int how) {
    emit_once *o = GY_OF(tie, emit_once, tie);
    if (how == GYI_TIE_OFF && (o->starting || gy_listener_active(&o->event))) return false;
    once_over(o, gy_err(GY_ECLOSED));
    return true;
}

static void once_ended(gyi_task_block *block) {
    emit_once *o = GY_OF(block, emit_once, block);
    (void)gy_cancel_off(&o->hook);
    gyi_untie(&o->tie);
    (void)gy_off(&o->event);
    (void)gy_off(&o->error);
}

static emit_once *once_new(gyi_task *task, size_t size) {
    if (size > SIZE_MAX - sizeof(emit_once)) return NULL;
    emit_once *o = gyi_task_block_new(task->loop, sizeof *o + size);
    if (!o) return NULL;
    o->promise = gyi_promise_make(task, GYI_PROMISE_LOCKED);
    if (!o->promise) {
        gyi_task_block_free(&o->block);
        return NULL;
    }
    o->block.end = once_ended;
    o->size = size;
    return o;
}

/* Puts it on everything. Any step may end it. @return an error that has not ended it. */
static int once_start(emit_once *o, gy_emitter *emitter, const char *name, gy_cancel *token) {
    gyi_tie_to(emitter, &o->tie, once_told);
    if (token) (void)gy_cancel_on(token, &o->hook, once_cancelled);
    int err = gy_once(emitter, name, &o->event, once_heard);
    if (err || !o->promise || strcmp(name, "error") == 0) return err;
    return gy_once(emitter, "error", &o->error, once_failed);
}

gy_promise *gy_once_promise(gy_loop *loop, gy_emitter *emitter, const char *name, gy_once_opts opts) {
    gyi_task *task = gyi_task_of(loop);
    if (!task) return NULL;
    if (!name) return gyi_reject_failed(task, -EINVAL);
    if (opts.token && opts.token->reason) return gyi_reject_failed(task, GY_ECANCELED);
    emit_once *o = once_new(task, opts.size);
    if (!o) return gyi_reject_failed(task, -ENOMEM);
    gy_promise *promise = gy_promise_ref(o->promise);
    o->number = opts.error;
    o->inside = 1;
    o->starting = true;
    int err = once_start(o, emitter, name, opts.token);
    if (!err && o->promise && !gy_listener_active(&o->event)) err = GY_ECLOSED;
    if (err && o->promise) once_over(o, gy_err(err));
    o->starting = false;
    if (!o->promise) {
        (void)gy_off(&o->event); /* put there by a step that something else had ended */
        (void)gy_off(&o->error);
    }
    once_leave(task, o);
    return gyi_emit_return(task, promise);
}
