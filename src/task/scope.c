/* SPDX-License-Identifier: ISC */
/* Scopes: lists of fibers that have an owner, which waits for them.
 *
 * What a scope consists of is a block of the library, not the gy_scope, which lies on the owner's stack as a rule and
 * is gone when the owner returns without waiting. That is a mistake of the program; then the fiber itself cancels what
 * it has left behind and waits for it before it ends, and says so in a line on standard error. So nothing outlives its
 * owner even then, but what the fibers used of the owner's frames has gone. */
#include "task/fiber.h"

#include <errno.h>

#include "sys/report.h"

static gyi_scope *scope_open(gyi_task *task, gy_scope *handle, gyi_fiber *owner) {
    gyi_scope *s = gyi_task_block_new(task->loop, sizeof *s);
    if (!s) return NULL;
    gyi_list_init(&s->members);
    s->owner = owner;
    s->collect = handle->policy == GY_SCOPE_COLLECT;
    s->next = owner->scopes;
    owner->scopes = s;
    handle->priv.core = s;
    return s;
}

static void scope_close(gyi_scope *s) {
    gyi_scope **at = &s->owner->scopes;
    while (*at != s) at = &(*at)->next;
    *at = s->next;
    gyi_task_block_free(&s->block);
}

/* A fiber that is cancelled is only queued, so the list stays as it is. */
void gyi_scope_cancel(gyi_scope *s) {
    if (s->cancelled) return;
    s->cancelled = true;
    for (gyi_entry *e = s->members.next; e != &s->members; e = e->next) {
        gyi_fiber *f = GY_OF(e, gyi_fiber, member);
        if (!f->cancelled) gyi_fiber_cancel(f);
    }
}

static void scope_error(gyi_scope *s, int err) {
    if (!err || (err == GY_ECANCELED && s->asked)) return;
    if (!s->err) s->err = err;
    if (!s->collect) gyi_scope_cancel(s);
}

void gyi_scope_left(gyi_scope *s, int err) {
    scope_error(s, err);
    if (s->waiter && gyi_list_empty(&s->members)) gyi_fiber_wake(s->waiter, 0);
}

/* Has the running fiber wait until nobody is left. */
static void scope_gather(gyi_scope *s, gyi_fiber *f) {
    s->waiter = f;
    if (f->cancelled) gyi_scope_cancel(s);
    while (!gyi_list_empty(&s->members)) gyi_fiber_park(f, GYI_FIBER_GATHERING);
    s->waiter = NULL;
}

gy_promise *gy_scope_start(gy_loop *loop, gy_scope *scope, gy_fiber_opts opts) {
    gyi_task *task = gyi_task_of(loop);
    if (!task) return NULL;
    gyi_fiber *f = gyi_fiber_current(task);
    if (!f) return gyi_reject_failed(task, -EPERM);
    gyi_scope *s = scope->priv.core ? scope->priv.core : scope_open(task, scope, f);
    if (!s) return gyi_reject_failed(task, -ENOMEM);
    gy_promise *p = gyi_fiber_start(task, s, opts);
    /* A fiber that could not be started is on no list and has told nobody. */
    if (!(p->flags & GYI_PROMISE_HANDLED)) {
        gyi_promise_handle(task, p);
        scope_error(s, gy_value_err(gy_promise_value(p)));
    }
    return p;
}

int gy_scope_wait(gy_scope *scope) {
    gyi_scope *s = scope->priv.core;
    if (!s) return 0;
    gyi_fiber *f = gyi_fiber_current(s->block.loop->task);
    if (f != s->owner) return -EPERM;
    scope_gather(s, f);
    int err = s->err;
    scope->priv.core = NULL;
    scope_close(s);
    return !err && f->cancelled ? GY_ECANCELED : err;
}

void gy_scope_cancel(gy_scope *scope) {
    gyi_scope *s = scope->priv.core;
    if (!s) return;
    s->asked = true;
    gyi_scope_cancel(s);
}

void gyi_scope_abandon(gyi_scope *s) {
    if (!gyi_list_empty(&s->members)) {
        gyi_report("gyre: a fiber ended without waiting for its scope, whose fibers were cancelled");
        gyi_scope_cancel(s);
        scope_gather(s, s->owner);
    }
    scope_close(s);
}
