/* SPDX-License-Identifier: ISC */
/* The callback queue and the jobs. The order of jobs is Node's: all ticks, also those that ticks add; then all micros,
 * also those that micros add; again while there are ticks. `drain` knows in which half it is. */
#include "loop/queue.h"

#include "base/bits.h"
#include "loop/loop.h"

static gyi_queue *queue_of_drain(gyi_entry *drain) {
    return (gyi_queue *)(void *)((char *)drain - offsetof(gyi_queue, drain));
}

static void queue_insert(gyi_entry *before, gyi_entry *entry) {
    gyi_list_append(before, entry); /* in a ring, the place before an entry is the end of the list that it heads */
}

/* The list whose jobs are next by the order above; NULL when both are empty. */
static gyi_entry *queue_next_jobs(gyi_queue *q) {
    for (int half = 0; half < 2; half++) {
        gyi_entry *list = q->ticking ? &q->ticks : &q->micros;
        if (!gyi_list_empty(list)) return list;
        q->ticking = !q->ticking;
    }
    return NULL;
}

/* The jobs that are next go to the front of the queue, as many as the budget has left, and `drain` behind them. */
static void queue_drain(gyi_entry *drain) {
    gyi_queue *q = queue_of_drain(drain);
    gyi_entry *jobs = queue_next_jobs(q);
    q->behind = 0;
    if (!jobs) return;
    gyi_entry *front = q->events.next;
    queue_insert(front, drain);
    if (q->in_row == q->budget) {
        gyi_queue_halt(q, GYI_HALT_BUDGET);
        return;
    }
    while (!gyi_list_empty(jobs) && q->in_row < q->budget) {
        queue_insert(drain, gyi_list_take(jobs));
        q->in_row++;
    }
    if (!q->ticking) q->behind = q->budget; /* if some were left, the budget is used up, which says no by itself */
}

static void queue_row(gyi_queue *q) {
    q->jobs += q->in_row;
    q->in_row = 0;
    q->behind = 0;
}

void gyi_queue_begin_jobs(gyi_queue *q) {
    gyi_entry *front = q->events.next;
    queue_insert(front == &q->halt ? front->next : front, &q->drain);
    queue_row(q);
    q->ticking = true;
}

void gyi_queue_init(gyi_queue *q, unsigned budget) {
    gyi_entry *list[] = {&q->events, &q->ticks, &q->micros, &q->immediates, &q->closing, &q->later};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) gyi_list_init(list[i]);
    q->drain.run = queue_drain;
    q->budget = budget;
}

void gyi_queue_halt(gyi_queue *q, gyi_halt why) {
    if (q->why < why) q->why = why;
    q->special |= GYI_SPECIAL_HALT;
    if (!gyi_entry_listed(&q->halt)) queue_insert(q->events.next, &q->halt);
}

gyi_halt gyi_queue_resume(gyi_queue *q) {
    gyi_halt why = q->why;
    if (why == GYI_HALT_NONE) return why;
    q->why = GYI_HALT_NONE;
    q->special &= ~(unsigned)GYI_SPECIAL_HALT;
    gyi_list_remove(&q->halt);
    if (q->in_row == q->budget && q->events.next == &q->drain) {
        gyi_list_remove(&q->drain);
        gyi_entry *first = q->events.next;
        queue_insert(first == &q->events ? first : first->next, &q->drain);
        queue_row(q);
    }
    return why;
}

bool gyi_queue_pending(const gyi_queue *q) {
    const gyi_entry *first = q->events.next;
    if (first == &q->halt) first = first->next;
    if (first == &q->drain) first = first->next;
    return first != &q->events || !gyi_list_empty(&q->ticks) || !gyi_list_empty(&q->micros) ||
           !gyi_list_empty(&q->immediates) || !gyi_list_empty(&q->closing) || !gyi_list_empty(&q->later);
}

void gyi_queue_push(gy_loop *loop, gyi_entry *entry) { gyi_list_append(&loop->queue.events, entry); }

void gyi_queue_push_front(gy_loop *loop, gyi_entry *entry) {
    gyi_queue *q = &loop->queue;
    gyi_entry *front = q->events.next;
    queue_insert(front == &q->halt ? front->next : front, entry);
}

static void job_run(gyi_entry *entry) {
    gy_job *job = GY_OF(entry, gy_job, priv.entry);
    job->priv.fn(job);
}

static bool job_prepare(gy_loop *loop, gy_job *job, gy_job_fn *fn) {
    if (!fn || gyi_entry_listed(&job->priv.entry)) return false;
    job->loop = loop;
    job->priv.fn = fn;
    job->priv.entry.run = job_run;
    return true;
}

void gy_defer(gy_loop *loop, gy_job *job, gy_job_fn *fn) {
    gyi_queue *q = &loop->queue;
    if (!job_prepare(loop, job, fn)) return;
    gyi_list_append(&q->ticks, &job->priv.entry);
    if (!gyi_entry_listed(&q->drain)) gyi_queue_begin_jobs(q);
}

void gy_microtask(gy_loop *loop, gy_job *job, gy_job_fn *fn) {
    if (job_prepare(loop, job, fn)) gyi_queue_micro(&loop->queue, &job->priv.entry);
}

void gy_immediate(gy_loop *loop, gy_job *job, gy_job_fn *fn) {
    if (!job_prepare(loop, job, fn)) return;
    gyi_list_append(&loop->queue.immediates, &job->priv.entry);
    loop->queue.special |= GYI_SPECIAL_LATE;
}

bool gy_job_cancel(gy_job *job) {
    if (!gyi_entry_listed(&job->priv.entry)) return false;
    gyi_list_remove(&job->priv.entry);
    return true;
}

bool gyi_queue_check(const gyi_queue *q) {
    if (!gyi_list_check(&q->events) || !gyi_list_check(&q->ticks) || !gyi_list_check(&q->micros)) return false;
    if (!gyi_list_check(&q->immediates) || !gyi_list_check(&q->closing)) return false;
    if (!gyi_list_check(&q->later)) return false;
    bool late = !gyi_list_empty(&q->immediates) || !gyi_list_empty(&q->closing) || !gyi_list_empty(&q->later);
    if (late && !(q->special & GYI_SPECIAL_LATE)) return false;
    if ((q->why != GYI_HALT_NONE) != !!(q->special & GYI_SPECIAL_HALT)) return false;
    bool jobs = !gyi_list_empty(&q->ticks) || !gyi_list_empty(&q->micros);
    if (jobs && !gyi_entry_listed(&q->drain)) return false;
    if (q->in_row < q->behind && (q->ticking || !gyi_list_empty(&q->micros))) return false;
    return (q->why != GYI_HALT_NONE) == (q->events.next == &q->halt) && q->in_row <= q->budget;
}
