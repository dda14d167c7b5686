/* SPDX-License-Identifier: ISC */
/* Rejections that nobody handles, and other promises that are to be held until all jobs are done.
 *
 * A promise that is rejected without a reaction goes to the list `late`, which holds it. When the jobs are done, the
 * list is gone through: who is still without a reaction is reported, and who was reported before and has one now is
 * told of as handled. "When the jobs are done" is a place on the callback queue: right behind `drain`, which stays at
 * the front and runs job after job until there are none. So `check` comes after all ticks and microtasks, and before
 * the next event, and the queue need not know of it. An entry makes one call into the program at the most, so each
 * promise has a turn of its own, and the jobs that a hook queues run before the next.
 *
 * Only when the budget of jobs is used up is `drain` found behind `check`: the queue put it there to let an event pass.
 * Then both step behind that event. */
#include "task/task.h"

#include <errno.h>
#include <string.h>

#include "sys/report.h"

static gyi_entry *reject_front(gyi_queue *queue) {
    gyi_entry *first = queue->events.next;
    return first == &queue->halt ? first->next : first;
}

static void reject_schedule(gyi_task *task) {
    gyi_queue *queue = &task->loop->queue;
    if (gyi_entry_listed(&task->check)) return;
    gyi_list_append(gyi_entry_listed(&queue->drain) ? queue->drain.next : reject_front(queue), &task->check);
}

/* Lets one event pass before the jobs go on. */
static void reject_step_back(gyi_task *task) {
    gyi_queue *queue = &task->loop->queue;
    if (queue->events.next == &queue->drain) {
        gyi_list_remove(&queue->drain);
        gyi_entry *first = queue->events.next;
        gyi_list_append(first == &queue->events ? first : first->next, &queue->drain);
    }
    reject_schedule(task);
}

static void reject_report(int err) {
    static const char start[] = "gyre: a promise was rejected and nobody handled it: ";
    char line[sizeof start + 40];
    const char *name = gy_error_name(err);
    size_t length = strlen(name), room = sizeof line - sizeof start;
    if (length > room) length = room;
    memcpy(line, start, sizeof start - 1);
    memcpy(line + sizeof start - 1, name, length);
    line[sizeof start - 1 + length] = 0;
    gyi_report(line);
}

static void reject_tell(gyi_task *task, gy_promise *p) {
    bool handled = p->flags & GYI_PROMISE_HANDLED, told = p->flags & GYI_PROMISE_TOLD;
    if (!(p->flags & GY_REJECTED) || handled != told) return;
    p->flags |= GYI_PROMISE_TOLD;
    if (handled) {
        if (task->handled) task->handled(task->loop, p);
    } else if (task->unhandled) {
        task->unhandled(task->loop, p);
    } else {
        reject_report(gy_value_err(p->as.done.value));
    }
}

static void reject_check(gyi_entry *entry) {
    gyi_task *task = GY_OF(entry, gyi_task, check);
    if (gyi_entry_listed(&task->loop->queue.drain)) {
        reject_step_back(task);
        return;
    }
    gy_promise *p = GY_OF(gyi_list_take(&task->late), gy_promise, entry);
    p->flags &= (uint16_t)~GYI_PROMISE_LATE;
    reject_tell(task, p);
    gyi_promise_release(task, p);
    if (!gyi_list_empty(&task->late)) reject_schedule(task);
}

void gyi_reject_init(gyi_task *task) {
    gy_promise *p = task->emergency->cell;
    gyi_list_init(&task->late);
    task->check.run = reject_check;
    p->refs = 1;
    p->flags = GY_REJECTED | GYI_PROMISE_LOCKED | GYI_PROMISE_PLAIN;
    p->reactions = NULL;
    p->entry.next = NULL;
    p->as.done.value = gy_err(-ENOMEM);
    p->as.done.owner = NULL;
}

void gyi_reject_late(gyi_task *task, gy_promise *promise) {
    if (promise->flags & GYI_PROMISE_LATE) return;
    promise->flags |= GYI_PROMISE_LATE;
    promise->refs++;
    gyi_list_append(&task->late, &promise->entry);
    reject_schedule(task);
}

gy_promise *gyi_reject_failed(gyi_task *task, int err) {
    gy_promise *p = gyi_promise_make(task, GYI_PROMISE_LOCKED);
    if (!p) {
        p = task->emergency->cell;
        p->flags &= (uint16_t) ~(GYI_PROMISE_HANDLED | GYI_PROMISE_TOLD); /* each time, it is a new failure */
        gyi_reject_late(task, p);
        return p;
    }
    gyi_promise_settle(task, p, GY_REJECTED, gy_err(err), NULL);
    gyi_promise_release(task, p);
    return p;
}

int gy_promise_on_unhandled(gy_loop *loop, gy_promise_hook_fn *fn) {
    gyi_task *task = gyi_task_of(loop);
    if (!task) return -ENOMEM;
    task->unhandled = fn;
    return 0;
}

int gy_promise_on_handled(gy_loop *loop, gy_promise_hook_fn *fn) {
    gyi_task *task = gyi_task_of(loop);
    if (!task) return -ENOMEM;
    task->handled = fn;
    return 0;
}
