/* SPDX-License-Identifier: ISC */
/* Fibers: their start, their waits and their end.
 *
 *   gy_fiber_start -> running <-> suspended -> ended
 *
 * A fiber is entered by one function, fiber_enter(), from gy_fiber_start() or as a microtask, and comes back to it,
 * with a wait or with its end; so whoever runs the loop's queue sees an entry that makes one call. Fibers that start
 * fibers stand on each other (`outer`).
 *
 * A wait for a promise is a reaction on it that lies in the fiber's record: it allocates nothing and takes the one job
 * that any reaction takes. All other waits rest, and are woken by a microtask. What has ended is cleared away by
 * whoever entered it, since a fiber cannot free the stack it stands on.
 *
 * A fiber counts as running only if the stack pointer is on its stack: who runs another loop inside a fiber is on it
 * too, but the fibers of that loop are not. */
#include "task/fiber.h"

#include <errno.h>
#include <string.h>

/* Never called: marks the promise of a fiber that has not ended. */
static void fiber_mark(gyi_entry *entry) { (void)entry; }

static gyi_fiber *fiber_of(const gy_promise *promise) {
    if (!promise || promise->entry.run != fiber_mark || (promise->flags & GYI_PROMISE_SETTLED)) return NULL;
    return promise->as.wait.ctx;
}

gyi_fiber *gyi_fiber_current(const gyi_task *task) {
    gyi_fiber *f = task ? task->fiber : NULL;
    if (!f) return NULL;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    return here - (uintptr_t)f->stack->low < f->stack->size ? f : NULL;
}

/* ---- going in and out ---------------------------------------------------------------------------------------- */

/* Clears away a fiber that has ended. Its record is gone with the stack, so what is needed is taken along. */
static void fiber_finish(gyi_task *task, gyi_fiber *f) {
    gy_promise *promise = f->promise, *held = f->held;
    gy_value result = f->as.result;
    gyi_list_remove(&f->link);
    promise->entry.run = NULL;
    gyi_scope *scope = f->scope;
    int err = gy_value_err(result);
    if (scope) gyi_list_remove(&f->member);
    gyi_watch_end(&f->watch);
    gyi_stack_give(task->loop->stacks, f->stack);
    gyi_promise_conclude(task, promise, result, held);
    if (scope) gyi_scope_left(scope, err);
    if (held) gyi_promise_release(task, held);
}

static void fiber_enter(gyi_task *task, gyi_fiber *f) {
    gyi_context here;
    gyi_switch_watch watch;
    f->back = &here;
    f->back_watch = &watch;
    f->outer = task->fiber;
    f->state = GYI_FIBER_RUNNING;
    task->fiber = f;
    gyi_watch_leave(&watch, &f->watch);
    gyi_switch(&here, &f->self);
    gyi_watch_enter(&watch, &f->watch);
    task->fiber = f->outer;
    if (f->ended) fiber_finish(task, f);
}

static void fiber_resume(gyi_entry *entry) {
    gyi_fiber *f = GY_OF(entry, gyi_fiber, wait.entry);
    fiber_enter(f->task, f);
}

static void fiber_abandoned(gyi_reaction *reaction) {
    gyi_fiber *f = GY_OF(reaction, gyi_fiber, wait);
    f->state = GYI_FIBER_QUEUED;
    f->err = GY_ECLOSED;
    gyi_task_micro(f->task, &f->wait.entry);
}

void gyi_fiber_wake(gyi_fiber *f, int err) {
    if (f->state != GYI_FIBER_RESTING && f->state != GYI_FIBER_GATHERING) return;
    f->state = GYI_FIBER_QUEUED;
    f->err = err;
    gyi_task_micro(f->task, &f->wait.entry);
}

/* Gives the thread back. `state` says already who brings the fiber back. */
static int fiber_leave(gyi_fiber *f) {
    gyi_watch_leave(&f->watch, f->back_watch);
    gyi_switch(&f->self, f->back);
    gyi_watch_enter(&f->watch, f->back_watch);
    int err = f->err;
    f->err = 0;
    return err;
}

int gyi_fiber_park(gyi_fiber *f, gyi_fiber_state state) {
    f->state = (uint8_t)state;
    if (state == GYI_FIBER_RESTING && f->cancelled) gyi_fiber_wake(f, GY_ECANCELED);
    return fiber_leave(f);
}

/* ---- waiting ------------------------------------------------------------------------------------------------- */

/* The value that was lent last is not valid any more. Its destructor may do anything, and it may be that of `needed`,
 * so that is held. */
GYI_APART static void fiber_let_go(gyi_fiber *f, gy_promise *needed) {
    gy_promise *held = f->held;
    needed->refs++;
    f->held = NULL;
    gyi_promise_release(f->task, held);
}

static gy_value fiber_await(gy_promise *p, gyi_fiber_state state) {
    if (!p) return gy_err(-EINVAL);
    gyi_task *task = gyi_promise_task(p);
    gyi_fiber *f = gyi_fiber_current(task);
    if (!f) return gy_err(-EPERM);
    if (p == f->promise) return gy_err(-EDEADLK);
    bool held = f->held;
    if (held) fiber_let_go(f, p);
    if (f->cancelled && state == GYI_FIBER_WAITING) {
        gyi_promise_handle(task, p);
        if (held) gyi_promise_release(task, p);
        return gy_err(gyi_fiber_park(f, GYI_FIBER_RESTING));
    }
    f->state = (uint8_t)state;
    gyi_reaction_add(task, p, &f->wait);
    if (held) gyi_promise_release(task, p); /* if that was the last, the fiber has been abandoned, and is queued */
    int err = fiber_leave(f);
    if (err) return gy_err(err);
    gy_promise *source = f->wait.source;
    gy_value v = gyi_promise_lend(source);
    if (v.drop && v.drop != gyi_value_error) f->held = source;
    else gyi_promise_release(task, source);
    return v;
}

gy_value gy_await(gy_promise *promise) { return fiber_await(promise, GYI_FIBER_WAITING); }

gy_value gy_await_shielded(gy_promise *promise) { return fiber_await(promise, GYI_FIBER_SHIELDED); }

static void fiber_slept(gy_timer *timer) { gyi_fiber_wake(timer->user, 0); }

int gy_fiber_sleep(gy_loop *loop, gy_ns after) {
    gyi_fiber *f = gyi_fiber_current(loop->task);
    if (!f) return -EPERM;
    gy_timer timer = {.user = f};
    if (!f->cancelled) gy_timer_start(loop, &timer, (gy_timer_opts){.after = after, .fn = fiber_slept});
    f->timer = &timer;
    int err = gyi_fiber_park(f, GYI_FIBER_RESTING);
    f->timer = NULL;
    gy_timer_stop(&timer);
    return err;
}

int gy_fiber_yield(gy_loop *loop) {
    gyi_fiber *f = gyi_fiber_current(loop->task);
    if (!f) return -EPERM;
    gyi_list_append(&loop->queue.immediates, &f->wait.entry);
    loop->queue.special |= GYI_SPECIAL_LATE;
    gyi_fiber_park(f, GYI_FIBER_QUEUED);
    return f->cancelled ? GY_ECANCELED : 0;
}

/* ---- starting ------------------------------------------------------------------------------------------------ */

/* What a fiber of a scope has returned to be adopted, which is waited for in any case, as it may use memory of the
 * scope's owner. A request is cancelled with the fiber, unless that was before: then it is part of how it ends. */
static gy_value fiber_adopt(const gyi_fiber *f, gy_promise *p) {
    gy_value v = f->cancelled ? gy_await_shielded(p) : gy_await_req(p);
    return gy_promise_state_of(p) == GY_PENDING ? gy_await_shielded(p) : v;
}

/* The whole life of a fiber, on its own stack. In a scope it waits itself for what it has returned, so that the scope
 * hears of the outcome. */
static void fiber_main(void *arg) {
    gyi_fiber *f = arg;
    gyi_watch_enter(&f->watch, f->back_watch);
    gy_value v = f->as.start.fn(f->as.start.arg);
    if (f->scope && v.drop == gyi_value_promise) {
        gy_promise *p = v.ptr;
        v = fiber_adopt(f, p);
        gy_promise_free(p);
    }
    while (f->scopes) gyi_scope_abandon(f->scopes);
    f->as.result = v;
    f->ended = true;
    gyi_watch_leave(NULL, f->back_watch);
    gyi_switch(&f->self, f->back);
}

/* All that a loop has suspended is forgotten, with its stacks, which are unmapped as the last thing of all. Timers are
 * the library's own. */
static void fiber_end_all(gyi_task *task) {
    while (!gyi_list_empty(&task->fibers)) {
        gyi_fiber *f = GY_OF(gyi_list_take(&task->fibers), gyi_fiber, link);
        f->promise->entry.run = NULL;
        if (f->timer) gy_timer_stop(f->timer);
        if (f->state == GYI_FIBER_WAITING || f->state == GYI_FIBER_SHIELDED) gyi_reaction_remove(task, &f->wait);
        f->state = GYI_FIBER_QUEUED;
        gyi_watch_end(&f->watch);
    }
}

/* The record, at the top of a stack. */
static gyi_fiber *fiber_make(gyi_task *task, gyi_stack *stack, gy_fiber_opts opts) {
    char *top = gyi_stack_top(stack);
    gyi_fiber *f = (gyi_fiber *)(void *)(top - (sizeof *f + 63) / 64 * 64);
    gyi_switch_watch watch = {.nothing = 0};
    gyi_watch_stack(&watch, stack->low, stack->size);
    memset(f, 0, sizeof *f);
    f->watch = watch;
    f->wait.entry.run = fiber_resume;
    f->wait.abandon = fiber_abandoned;
    f->task = task;
    f->stack = stack;
    f->as.start.fn = opts.fn;
    f->as.start.arg = opts.arg;
    gyi_switch_make(&f->self, stack->low, f, fiber_main, f);
    gyi_list_append(&task->fibers, &f->link);
    task->fibers_end = fiber_end_all;
    return f;
}

static gyi_fiber *fiber_new(gyi_task *task, gy_fiber_opts opts) {
    gyi_stacks *stacks = gyi_stacks_of(task->loop);
    gyi_stack *stack = stacks ? gyi_stack_take(stacks, opts.stack) : NULL;
    if (!stack) return NULL;
    gy_promise *p = gyi_promise_make(task, GYI_PROMISE_LOCKED);
    if (!p) {
        gyi_stack_give(stacks, stack);
        return NULL;
    }
    gyi_fiber *f = fiber_make(task, stack, opts);
    p->entry.run = fiber_mark;
    p->as.wait.ctx = f;
    f->promise = p;
    return f;
}

/* While the function runs, the loop counts as running, so that it can neither be run on the fiber's stack nor freed. */
gy_promise *gyi_fiber_start(gyi_task *task, gyi_scope *scope, gy_fiber_opts opts) {
    gyi_fiber *f = opts.fn ? fiber_new(task, opts) : NULL;
    if (!f) return gyi_reject_failed(task, opts.fn ? -ENOMEM : -EINVAL);
    gy_loop *loop = task->loop;
    gy_promise *p = f->promise;
    bool running = loop->running;
    if (scope) {
        f->scope = scope;
        f->cancelled = scope->cancelled;
        gyi_list_append(&scope->members, &f->member);
        p->flags |= GYI_PROMISE_HANDLED;
    }
    p->refs++;
    loop->running = true;
    fiber_enter(task, f);
    loop->running = running;
    if (p->flags & GYI_PROMISE_SETTLED) gyi_reject_late(task, p);
    gyi_promise_release(task, p);
    return p;
}

gy_promise *gy_fiber_start(gy_loop *loop, gy_fiber_opts opts) {
    gyi_task *task = gyi_task_of(loop);
    return task ? gyi_fiber_start(task, NULL, opts) : NULL;
}

gy_promise *gy_fiber_self(gy_loop *loop) {
    const gyi_fiber *f = gyi_fiber_current(loop->task);
    return f ? f->promise : NULL;
}

/* ---- cancelling ---------------------------------------------------------------------------------------------- */

void gyi_fiber_cancel(gyi_fiber *f) {
    f->cancelled = true;
    switch (f->state) {
    case GYI_FIBER_WAITING:
        if (f->wait.source->flags & GYI_PROMISE_SETTLED) break; /* it is on its way with that */
        gyi_reaction_remove(f->task, &f->wait);
        f->state = GYI_FIBER_RESTING;
        gyi_fiber_wake(f, GY_ECANCELED);
        break;
    case GYI_FIBER_RESTING: gyi_fiber_wake(f, GY_ECANCELED); break;
    case GYI_FIBER_GATHERING:
        for (gyi_scope *s = f->scopes; s; s = s->next) gyi_scope_cancel(s);
        break;
    default: break;
    }
}

bool gy_fiber_cancel(gy_promise *fiber) {
    gyi_fiber *f = fiber_of(fiber);
    if (!f || f->cancelled) return false;
    gyi_fiber_cancel(f);
    return true;
}

bool gy_fiber_cancelled(const gy_promise *fiber) {
    const gyi_fiber *f = fiber_of(fiber);
    return f && f->cancelled;
}

/* ---- stacks -------------------------------------------------------------------------------------------------- */

int gy_fiber_tune(gy_loop *loop, gy_fiber_tuning tuning) {
    gyi_stacks *stacks = gyi_stacks_of(loop);
    if (!stacks) return -ENOMEM;
    if (tuning.stack > stacks->least << (GYI_STACK_CLASSES - 1)) return -EINVAL;
    if (tuning.stack) stacks->size = tuning.stack;
    if (tuning.keep) stacks->keep = tuning.keep;
    return 0;
}

void gy_fiber_stats_get(gy_loop *loop, gy_fiber_stats *out) {
    gyi_stacks *stacks = loop->stacks;
    memset(out, 0, sizeof *out);
    if (!stacks) return;
    out->fibers = stacks->used;
    out->kept = stacks->kept;
    out->unguarded = stacks->unguarded;
    out->deepest = gyi_stacks_deepest(stacks);
}
