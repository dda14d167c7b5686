/* SPDX-License-Identifier: ISC */
/* Promises and timers: a delay, and a limit to how long a promise may take.
 *
 * Both are one block with a timer and the result. A limit is also a reaction on the promise that it limits; whichever
 * of the two comes first takes the other away. If the promise can never settle, the timer still does its work. */
#include "task/task.h"

#include <errno.h>

typedef struct time_wait {
    gyi_task_block block;
    gyi_reaction reaction; /* on no list, for a delay */
    gy_timer timer;
    gy_promise *result;
} time_wait;

/* Ends a wait whose result is settled. */
static void time_free(gyi_task *task, time_wait *w) {
    gy_promise *result = w->result;
    gy_timer_stop(&w->timer);
    gyi_reaction_remove(task, &w->reaction);
    gyi_task_block_free(&w->block);
    gyi_promise_release(task, result);
}

static void time_over(gy_timer *timer) {
    time_wait *w = GY_OF(timer, time_wait, timer);
    gyi_task *task = w->block.loop->task;
    gyi_promise_settle(task, w->result, GY_FULFILLED, gy_num(0), NULL);
    time_free(task, w);
}

static void time_out(gy_timer *timer) {
    time_wait *w = GY_OF(timer, time_wait, timer);
    gyi_task *task = w->block.loop->task;
    gyi_promise_settle(task, w->result, GY_REJECTED, gy_err(-ETIMEDOUT), NULL);
    time_free(task, w);
}

static void time_in(gyi_entry *entry) {
    time_wait *w = GY_OF(entry, time_wait, reaction.entry);
    gyi_task *task = w->block.loop->task;
    gy_promise *source = w->reaction.source;
    gyi_promise_follow(task, w->result, source);
    time_free(task, w);
    gyi_promise_release(task, source);
}

static void time_abandon(gyi_reaction *reaction) { (void)reaction; }

static void time_end(gyi_task_block *block) {
    time_wait *w = GY_OF(block, time_wait, block);
    gy_timer_stop(&w->timer);
}

/* NULL when there is no memory. */
static time_wait *time_new(gyi_task *task, gy_ns after, gy_timer_fn *fn) {
    time_wait *w = gyi_task_block_new(task->loop, sizeof *w);
    if (!w) return NULL;
    w->result = gyi_promise_make(task, GYI_PROMISE_LOCKED);
    if (!w->result) {
        gyi_task_block_free(&w->block);
        return NULL;
    }
    w->block.end = time_end;
    gy_timer_start(task->loop, &w->timer, (gy_timer_opts){.after = after, .fn = fn});
    return w;
}

gy_promise *gy_delay(gy_loop *loop, gy_ns after) {
    gyi_task *task = gyi_task_of(loop);
    if (!task) return NULL;
    time_wait *w = time_new(task, after, time_over);
    return w ? w->result : gyi_reject_failed(task, -ENOMEM);
}

gy_promise *gy_promise_timeout(gy_promise *promise, gy_ns after) {
    if (!promise) return NULL;
    gyi_task *task = gyi_promise_task(promise);
    time_wait *w = time_new(task, after, time_out);
    if (!w) return gyi_reject_failed(task, -ENOMEM);
    w->reaction.entry.run = time_in;
    w->reaction.abandon = time_abandon;
    gyi_reaction_add(task, promise, &w->reaction);
    return w->result;
}
