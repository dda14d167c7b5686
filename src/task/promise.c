/* SPDX-License-Identifier: ISC */
/* Promises: their states, and reactions as microtasks.
 *
 *   pending -> settled                    by its maker, or by the reaction that it is
 *   pending -> locked -> settled          it follows another promise
 *
 * A promise that was made by gy_then() is locked from the beginning, because only its own reaction may settle it. What
 * its entry is for is told by `run`: promise_reacted and promise_lasted wait for the source or are queued since it is
 * settled; promise_adopts is ECMAScript's NewPromiseResolveThenableJob; promise_followed waits for the promise that is
 * adopted; promise_waited for the one that the function of gy_finally() returned; promise_hop spends a job.
 *
 * gy_finally() is, in ECMAScript, built from two more promises: one for what the function returned, and one of a `then`
 * on it, which is adopted. Nobody can see them, so they are left out; what can be seen is the order, and it is kept by
 * spending the same jobs at the same places of the queue: the entry is queued again instead.
 *
 * A value has one owner, the promise that it was given to. Promises that pass it on hold a reference to the owner. */
#include "task/task.h"

#include <errno.h>

static void promise_reacted(gyi_entry *entry), promise_lasted(gyi_entry *entry), promise_adopts(gyi_entry *entry);
static void promise_followed(gyi_entry *entry), promise_waited(gyi_entry *entry), promise_hop(gyi_entry *entry);
static bool promise_is_reaction(const gyi_entry *entry);

void gyi_value_promise(void *ptr) { gy_promise_free(ptr); }

gy_value gy_adopt(gy_promise *promise) {
    if (!promise) return gy_err(-EINVAL);
    return gy_own(gy_promise_ref(promise), gyi_value_promise);
}

void gyi_promise_cancellable(gyi_entry *entry) { (void)entry; }

static gy_promise *promise_of(gyi_entry *entry) { return GY_OF(entry, gy_promise, entry); }

/* Destroys a value that was given and is not wanted. A list of errors was lent at most. */
static void promise_refuse(gy_value value) {
    if (value.drop && value.drop != gyi_value_errors) value.drop(value.ptr);
}

/* ---- life ---------------------------------------------------------------------------------------------------- */

gy_promise *gyi_promise_make(gyi_task *task, unsigned flags) {
    gy_promise *p = task->free;
    if (p) {
        GYI_TASK_UNPOISON(p, sizeof *p);
        task->free = p->as.next;
    } else {
        p = gyi_task_grow(task);
        if (!p) return NULL;
        GYI_TASK_UNPOISON(p, sizeof *p);
    }
    p->entry.next = NULL;
    p->entry.run = NULL;
    p->refs = 1;
    p->flags = (uint16_t)flags;
    p->reactions = NULL;
    return p;
}

static void promise_unlink(gy_promise *source, gyi_entry *entry) {
    gyi_entry *next = entry->next;
    if (source->reactions == entry) source->reactions = next == entry ? NULL : next;
    gyi_list_remove(entry);
}

/* The reactions of a promise that will never be settled. One of them may take others of its kind away. */
static void promise_abandon(gyi_task *task, gy_promise *p) {
    gyi_entry *entry;
    while ((entry = p->reactions)) {
        promise_unlink(p, entry);
        if (promise_is_reaction(entry)) {
            gyi_promise_release(task, promise_of(entry));
        } else {
            gyi_reaction *reaction = GY_OF(entry, gyi_reaction, entry);
            reaction->abandon(reaction);
        }
    }
    if (p->entry.run == promise_waited) gyi_promise_release(task, p->as.wait.source);
}

/* What a promise holds is given back when its cell is free again, since a destructor may do anything. */
static void promise_end(gyi_task *task, gy_promise *p) {
    if (!(p->flags & GYI_PROMISE_SETTLED)) {
        promise_abandon(task, p);
        p->flags = 0;
        gyi_promise_cell_free(task, p);
        return;
    }
    gy_promise *owner = p->as.done.owner;
    gy_value value = p->as.done.value;
    p->flags = 0;
    gyi_promise_cell_free(task, p);
    if (owner) gyi_promise_release(task, owner);
    else if (value.drop && value.drop != gyi_value_error) value.drop(value.ptr);
}

/* Promises hold each other in chains of any length, so the dying queue up instead of one calling the next. */
GYI_APART void gyi_promise_reap(gyi_task *task, gy_promise *promise) {
    promise->entry.next = task->dying;
    task->dying = &promise->entry;
    if (task->reaping) return;
    task->reaping = true;
    while (task->dying) {
        gyi_entry *entry = task->dying;
        task->dying = entry->next;
        promise_end(task, promise_of(entry));
    }
    task->reaping = false;
}

int gy_promise_new(gy_loop *loop, gy_promise **out) {
    gyi_task *task = gyi_task_of(loop);
    *out = task ? gyi_promise_make(task, 0) : NULL;
    return *out ? 0 : -ENOMEM;
}

gy_promise *gy_promise_ref(gy_promise *promise) {
    if (promise) promise->refs++;
    return promise;
}

void gy_promise_free(gy_promise *promise) {
    if (promise) gyi_promise_release(gyi_promise_task(promise), promise);
}

gy_promise_state gy_promise_state_of(const gy_promise *promise) {
    return (gy_promise_state)(promise->flags & GYI_PROMISE_SETTLED);
}

gy_value gy_promise_value(const gy_promise *promise) {
    return promise->flags & GYI_PROMISE_SETTLED ? gyi_promise_lend(promise) : gy_num(0);
}

/* ---- settling ------------------------------------------------------------------------------------------------ */

/* Queues a reaction on a settled promise, which it holds from now on. Fused, as every step of a chain comes here. */
static GYI_FUSED void promise_trigger(gyi_task *task, gy_promise *source, gyi_entry *entry) {
    gy_promise *p = promise_of(entry);
    source->refs++;
    if (entry->run == promise_reacted) {
        if (source->flags & GY_REJECTED) p->as.wait.fn = p->as.wait.rejected;
        p->as.wait.source = source;
    } else if (entry->run == promise_followed || entry->run == promise_lasted) {
        p->as.wait.source = source;
    }
    gyi_task_micro(task, entry);
}

/* Queues the reactions in the order of registration. */
GYI_APART static void promise_trigger_all(gyi_task *task, gy_promise *p, gyi_entry *entry) {
    gyi_entry *last = entry->prev, *next;
    for (last->next = NULL; entry; entry = next) {
        next = entry->next;
        promise_trigger(task, p, entry);
    }
}

/* Queues what reacts on a promise that is settled now; mostly it is one reaction. */
static inline void promise_tell(gyi_task *task, gy_promise *p, gyi_entry *first) {
    p->reactions = NULL;
    if (GYI_LIKELY(first->next == first)) promise_trigger(task, p, first);
    else promise_trigger_all(task, p, first);
}

/* As below, with a value that nobody owns: what most are settled with. */
static inline void promise_fulfil(gyi_task *task, gy_promise *p, gy_value plain) {
    p->flags |= GY_FULFILLED | GYI_PROMISE_LOCKED | GYI_PROMISE_PLAIN;
    p->as.done.value = plain;
    p->as.done.owner = NULL;
    if (p->reactions) promise_tell(task, p, p->reactions);
}

void gyi_promise_settle(gyi_task *task, gy_promise *p, unsigned state, gy_value value, gy_promise *owner) {
    unsigned plain = owner || (value.drop && value.drop != gyi_value_error) ? 0 : GYI_PROMISE_PLAIN;
    p->flags |= (uint16_t)(state | plain | GYI_PROMISE_LOCKED);
    p->as.done.value = value;
    p->as.done.owner = owner;
    if (p->reactions) promise_tell(task, p, p->reactions);
    else if (state == GY_REJECTED && !(p->flags & GYI_PROMISE_HANDLED)) gyi_reject_late(task, p);
}

void gyi_promise_follow(gyi_task *task, gy_promise *p, gy_promise *settled) {
    gy_value value = settled->as.done.value;
    gy_promise *owner = NULL;
    if (value.drop && value.drop != gyi_value_error) {
        owner = settled->as.done.owner ? settled->as.done.owner : settled;
        owner->refs++;
        value = gyi_promise_lend(settled);
    }
    gyi_promise_settle(task, p, settled->flags & GYI_PROMISE_SETTLED, value, owner);
}

static void promise_fail(gyi_task *task, gy_promise *p, int err) {
    gyi_promise_settle(task, p, GY_REJECTED, gy_err(err), NULL);
}

/* Resolves with a promise, whose reference is taken over. True: it will be adopted, by a microtask that needs to hold
 * `p`. */
GYI_APART static bool promise_adopt(gyi_task *task, gy_promise *p, gy_promise *other) {
    if (other == p || gyi_promise_loop(other) != task->loop) {
        promise_fail(task, p, other == p ? -EDEADLK : -EINVAL);
        gy_promise_free(other);
        return false;
    }
    p->flags |= GYI_PROMISE_LOCKED;
    p->as.wait.inner = other;
    p->entry.run = promise_adopts;
    gyi_task_micro(task, &p->entry);
    return true;
}

/* All values but the plain ones. */
GYI_APART static bool promise_resolve_special(gyi_task *task, gy_promise *p, gy_value v, gy_promise *source) {
    if (v.drop == gyi_value_error) {
        promise_fail(task, p, v.num < 0 ? (int)v.num : -EINVAL);
    } else if (v.drop == gyi_value_promise) {
        return promise_adopt(task, p, v.ptr);
    } else if (v.drop != gyi_value_borrowed && v.drop != gyi_value_errors) {
        gyi_promise_settle(task, p, GY_FULFILLED, v, NULL);
    } else if (!source) {
        promise_fail(task, p, -EINVAL); /* it may be gone before `p` is */
    } else {
        gy_promise *owner = source->as.done.owner ? source->as.done.owner : source;
        owner->refs++;
        gyi_promise_settle(task, p, v.drop == gyi_value_errors ? GY_REJECTED : GY_FULFILLED, v, owner);
    }
    return false;
}

/* ECMAScript's resolve function, with what a reaction on `source` returned, or with NULL what a program gave. True as
 * above. */
static inline bool promise_resolve(gyi_task *task, gy_promise *p, gy_value v, gy_promise *source) {
    if (GYI_UNLIKELY(v.drop != NULL)) return promise_resolve_special(task, p, v, source);
    promise_fulfil(task, p, v);
    return false;
}

void gyi_promise_conclude(gyi_task *task, gy_promise *p, gy_value value, gy_promise *source) {
    if (!promise_resolve(task, p, value, source)) gyi_promise_release(task, p);
}

int gy_promise_resolve(gy_promise *p, gy_value value) {
    if (p->flags & GYI_PROMISE_LOCKED) {
        promise_refuse(value);
        return -EALREADY;
    }
    if (promise_resolve(gyi_promise_task(p), p, value, NULL)) p->refs++;
    return 0;
}

int gy_promise_reject(gy_promise *promise, int err) { return gy_promise_resolve(promise, gy_err(err)); }

/* ---- microtasks ---------------------------------------------------------------------------------------------- */

static void promise_reacted(gyi_entry *entry) {
    gy_promise *p = promise_of(entry), *source = p->as.wait.source;
    gyi_task *task = gyi_promise_task(p);
    bool adopts = false;
    if (p->as.wait.fn) {
        gy_value v = p->as.wait.fn(gyi_promise_lend(source), p->as.wait.ctx);
        adopts = promise_resolve(task, p, v, source);
    } else {
        gyi_promise_follow(task, p, source);
    }
    gyi_promise_release(task, source);
    if (!adopts) gyi_promise_release(task, p);
}

static void promise_adopts(gyi_entry *entry) {
    gy_promise *p = promise_of(entry), *inner = p->as.wait.inner;
    gyi_task *task = gyi_promise_task(p);
    entry->run = promise_followed;
    gyi_promise_react(task, inner, entry);
    gyi_promise_release(task, inner);
}

static void promise_followed(gyi_entry *entry) {
    gy_promise *p = promise_of(entry), *source = p->as.wait.source;
    gyi_task *task = gyi_promise_task(p);
    gyi_promise_follow(task, p, source);
    gyi_promise_release(task, source);
    gyi_promise_release(task, p);
}

/* The function of gy_finally(): with an error it decides, and then the source is of no interest any more. */
static void promise_lasted(gyi_entry *entry) {
    gy_promise *p = promise_of(entry);
    gyi_task *task = gyi_promise_task(p);
    if (!p->as.wait.last) {
        promise_followed(entry);
        return;
    }
    gy_value v = p->as.wait.last(p->as.wait.ctx);
    gy_promise *other = v.drop == gyi_value_promise ? v.ptr : NULL, *source = p->as.wait.source;
    if (other && other != p && gyi_promise_loop(other) == task->loop) {
        p->as.wait.inner = other;
        entry->run = promise_waited;
        gyi_promise_react(task, other, entry);
        gyi_promise_release(task, other);
    } else if (other || v.drop == gyi_value_error || v.drop == gyi_value_errors) {
        promise_resolve(task, p, v, NULL);
        gyi_promise_release(task, source);
        gyi_promise_release(task, p);
    } else {
        entry->run = promise_hop;
        gyi_task_micro(task, entry);
        promise_refuse(v);
    }
}

/* The promise that was waited for is settled: fulfilled, it does not matter; rejected, it replaces the outcome. */
static void promise_waited(gyi_entry *entry) {
    gy_promise *p = promise_of(entry), *inner = p->as.wait.inner, *unwanted = inner;
    gyi_task *task = gyi_promise_task(p);
    if (inner->flags & GY_REJECTED) {
        unwanted = p->as.wait.source;
        p->as.wait.source = inner;
    }
    entry->run = promise_followed;
    gyi_task_micro(task, entry);
    gyi_promise_release(task, unwanted);
}

static void promise_hop(gyi_entry *entry) {
    entry->run = promise_followed;
    gyi_task_micro(gyi_promise_task(promise_of(entry)), entry);
}

static bool promise_is_reaction(const gyi_entry *entry) {
    return entry->run == promise_reacted || entry->run == promise_followed || entry->run == promise_lasted ||
           entry->run == promise_waited;
}

/* ---- reacting ------------------------------------------------------------------------------------------------ */

GYI_APART static void promise_react_settled(gyi_task *task, gy_promise *p, gyi_entry *entry) {
    gyi_promise_handle(task, p);
    promise_trigger(task, p, entry);
}

static inline void promise_react(gyi_task *task, gy_promise *p, gyi_entry *entry) {
    if (GYI_UNLIKELY(p->flags & GYI_PROMISE_SETTLED)) {
        promise_react_settled(task, p, entry);
        return;
    }
    p->flags |= GYI_PROMISE_HANDLED;
    if (p->reactions) gyi_list_append(p->reactions, entry); /* in a ring, the place before the first is the end */
    else entry->next = entry->prev = p->reactions = entry;
}

void gyi_promise_react(gyi_task *task, gy_promise *p, gyi_entry *entry) { promise_react(task, p, entry); }

void gyi_reaction_add(gyi_task *task, gy_promise *promise, gyi_reaction *reaction) {
    reaction->source = promise;
    gyi_promise_react(task, promise, &reaction->entry);
}

void gyi_reaction_remove(gyi_task *task, gyi_reaction *reaction) {
    if (!gyi_entry_listed(&reaction->entry)) return;
    gy_promise *source = reaction->source;
    if (source->flags & GYI_PROMISE_SETTLED) {
        gyi_list_remove(&reaction->entry);
        gyi_promise_release(task, source);
    } else {
        promise_unlink(source, &reaction->entry);
    }
}

/* A promise that is a reaction on another one; NULL when there is no memory. */
static gy_promise *promise_derive(gyi_task *task, void (*run)(gyi_entry *), void *ctx) {
    gy_promise *p = gyi_promise_make(task, GYI_PROMISE_LOCKED);
    if (!p) return NULL;
    p->entry.run = run;
    p->as.wait.ctx = ctx;
    return p;
}

gy_promise *gy_then_catch(gy_promise *promise, gy_then_fn *fulfilled, gy_then_fn *rejected, void *ctx) {
    if (!promise) return NULL;
    gyi_task *task = gyi_promise_task(promise);
    gy_promise *p = promise_derive(task, promise_reacted, ctx);
    if (!p) return gyi_reject_failed(task, -ENOMEM);
    p->as.wait.fn = fulfilled;
    p->as.wait.rejected = rejected;
    promise_react(task, promise, &p->entry);
    return p;
}

gy_promise *gy_then(gy_promise *promise, gy_then_fn *fn, void *ctx) { return gy_then_catch(promise, fn, NULL, ctx); }

gy_promise *gy_catch(gy_promise *promise, gy_then_fn *fn, void *ctx) { return gy_then_catch(promise, NULL, fn, ctx); }

gy_promise *gy_finally(gy_promise *promise, gy_finally_fn *fn, void *ctx) {
    if (!promise) return NULL;
    gyi_task *task = gyi_promise_task(promise);
    gy_promise *p = promise_derive(task, promise_lasted, ctx);
    if (!p) return gyi_reject_failed(task, -ENOMEM);
    p->as.wait.last = fn;
    gyi_promise_react(task, promise, &p->entry);
    return p;
}
