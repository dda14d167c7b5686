/* SPDX-License-Identifier: ISC */
/* Several promises become one: all, all settled, any, race.
 *
 * A call makes one block: an element for each promise, which is a reaction on it, and behind them the list of values.
 * The block holds the result until that is settled. If the values are part of the outcome, the block becomes that
 * outcome, and its elements hold the promises from which the values are lent; else it is freed. An element is
 *
 *   waiting: on the ring of its promise, or queued     done: it holds its promise     gone: that can never settle
 *
 * The elements that still wait when the outcome is known are unlinked, so a promise that lives long does not collect
 * the reactions of all the races that it lost. When every element is gone or done, and the result is still pending,
 * nothing can settle it any more, and the block lets go of it. */
#include "task/task.h"

#include <errno.h>

typedef enum combine_kind { COMBINE_ALL, COMBINE_SETTLED, COMBINE_ANY, COMBINE_RACE } combine_kind;

typedef struct combine combine;

typedef struct combine_element {
    gyi_reaction reaction;
    combine *owner;
    bool done;
} combine_element;

struct combine {
    gyi_task_block block;
    gy_promise *result;
    size_t waiting, done;
    combine_kind kind;
    gy_list list;
    gy_value *values;
    combine_element element[];
};

static combine *combine_of(const gy_list *list) {
    return (combine *)(void *)((char *)(uintptr_t)list - offsetof(combine, list));
}

/* Frees a block, with everything that its elements wait for or hold. */
static void combine_free(combine *c) {
    gyi_task *task = c->block.loop->task;
    for (size_t i = 0; i < c->list.count; i++) {
        combine_element *e = &c->element[i];
        gyi_reaction_remove(task, &e->reaction);
        if (e->done) gyi_promise_release(task, e->reaction.source);
    }
    gyi_task_block_free(&c->block);
}

static void combine_drop_list(void *ptr) { combine_free(combine_of(ptr)); }

void gyi_value_errors(void *ptr) { combine_free(combine_of(ptr)); }

int gyi_value_first_err(const void *list) {
    const gy_list *errors = list;
    return errors->count ? gy_value_err(errors->at[0]) : -ENOENT;
}

/* The outcome is the list. */
static void combine_finish(gyi_task *task, combine *c) {
    gy_promise *result = c->result;
    unsigned state = c->kind == COMBINE_ANY ? GY_REJECTED : GY_FULFILLED;
    gy_value list = gy_own(&c->list, state == GY_REJECTED ? gyi_value_errors : combine_drop_list);
    gyi_promise_settle(task, result, state, list, NULL);
    gyi_promise_release(task, result);
}

/* The outcome is that of one promise. */
static void combine_decide(gyi_task *task, combine *c, gy_promise *source) {
    gy_promise *result = c->result;
    gyi_promise_follow(task, result, source);
    combine_free(c);
    gyi_promise_release(task, result);
}

/* Whether the outcome of one promise is that of all. */
static bool combine_decides(const combine *c, const gy_promise *source) {
    if (c->kind == COMBINE_RACE) return true;
    if (c->kind == COMBINE_SETTLED) return false;
    return source->flags & (c->kind == COMBINE_ALL ? GY_REJECTED : GY_FULFILLED);
}

static void combine_run(gyi_entry *entry) {
    combine_element *e = GY_OF(entry, combine_element, reaction.entry);
    combine *c = e->owner;
    gyi_task *task = c->block.loop->task;
    gy_promise *source = e->reaction.source;
    e->done = true;
    if (combine_decides(c, source)) {
        combine_decide(task, c, source);
        return;
    }
    c->values[e - c->element] = gyi_promise_lend(source);
    c->waiting--;
    if (++c->done == c->list.count) combine_finish(task, c);
    else if (!c->waiting) {
        gy_promise *result = c->result;
        combine_free(c);
        gyi_promise_release(task, result);
    }
}

static void combine_abandon(gyi_reaction *reaction) {
    combine_element *e = GY_OF(reaction, combine_element, reaction);
    combine *c = e->owner;
    if (--c->waiting) return;
    gy_promise *result = c->result;
    gyi_task *task = c->block.loop->task;
    combine_free(c);
    gyi_promise_release(task, result);
}

static combine *combine_new(gy_loop *loop, size_t count, combine_kind kind) {
    size_t each = sizeof(combine_element) + sizeof(gy_value);
    if (count > (SIZE_MAX - sizeof(combine)) / each) return NULL;
    combine *c = gyi_task_block_new(loop, sizeof *c + count * each);
    if (!c) return NULL;
    c->values = (gy_value *)(void *)&c->element[count];
    c->list = (gy_list){.count = count, .at = c->values};
    c->kind = kind;
    return c;
}

/* The reactions are only queued here, so the result cannot be settled before all are in place. */
static void combine_start(gyi_task *task, combine *c, gy_promise *const *promises) {
    c->waiting = c->list.count;
    for (size_t i = 0; i < c->list.count; i++) {
        combine_element *e = &c->element[i];
        e->owner = c;
        e->reaction.entry.run = combine_run;
        e->reaction.abandon = combine_abandon;
        gyi_reaction_add(task, promises[i], &e->reaction);
    }
}

/* Of no promises: the list is empty; nobody ever wins the race. What is returned is held until the jobs are done. */
static void combine_nothing(gyi_task *task, combine *c) {
    gy_promise *result = gy_promise_ref(c->result);
    gyi_reject_late(task, result);
    if (c->kind == COMBINE_RACE) {
        combine_free(c);
        gyi_promise_release(task, result);
    } else {
        combine_finish(task, c);
    }
    gyi_promise_release(task, result);
}

static gy_promise *combine_make(gy_loop *loop, gy_promise *const *promises, size_t count, combine_kind kind) {
    gyi_task *task = gyi_task_of(loop);
    if (!task) return NULL;
    for (size_t i = 0; i < count; i++) {
        if (!promises[i] || gyi_promise_loop(promises[i]) != loop) return gyi_reject_failed(task, -EINVAL);
    }
    combine *c = combine_new(loop, count, kind);
    gy_promise *result = c ? gyi_promise_make(task, GYI_PROMISE_LOCKED) : NULL;
    if (!result) {
        if (c) gyi_task_block_free(&c->block);
        return gyi_reject_failed(task, -ENOMEM);
    }
    c->result = result;
    if (count) combine_start(task, c, promises);
    else combine_nothing(task, c);
    return result;
}

gy_promise *gy_all(gy_loop *loop, gy_promise *const *promises, size_t count) {
    return combine_make(loop, promises, count, COMBINE_ALL);
}

gy_promise *gy_all_settled(gy_loop *loop, gy_promise *const *promises, size_t count) {
    return combine_make(loop, promises, count, COMBINE_SETTLED);
}

gy_promise *gy_any(gy_loop *loop, gy_promise *const *promises, size_t count) {
    return combine_make(loop, promises, count, COMBINE_ANY);
}

gy_promise *gy_race(gy_loop *loop, gy_promise *const *promises, size_t count) {
    return combine_make(loop, promises, count, COMBINE_RACE);
}
