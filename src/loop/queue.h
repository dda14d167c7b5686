/* SPDX-License-Identifier: ISC */
/* The callback queue: everything that will call user code is an entry here, and is run in the order in which it came.
 *
 * The queue is a ring of entries; running it is taking the first entry and calling its `run`, until one comes that has
 * none: the head of the ring, or the halt mark. Jobs (gy_defer, gy_microtask) wait on two lists of their own. While
 * there are any, one more entry, `drain`, stands at the front of the queue; when its turn comes it puts the jobs that
 * are next in front of itself. So what happens after every callback costs nothing while it is not used:
 *
 *     queue:  tick tick tick drain | event event event        ticks: tick tick    micros: micro
 *
 * A halt mark at the front ends the run after the current callback: gy_loop_stop() puts it there, and `drain` does when
 * the job budget is used up. */
#ifndef GYI_LOOP_QUEUE_H
#define GYI_LOOP_QUEUE_H

#include "base/bits.h"
#include "base/list.h"
#include "gyre/hook.h"
#include "gyre/job.h"

typedef enum gyi_halt {
    GYI_HALT_NONE,
    GYI_HALT_BUDGET, /* too many jobs in a row: poll, let an event pass, go on */
    GYI_HALT_STOP    /* gy_loop_stop() */
} gyi_halt;

/* What makes a turn another than the plain one: wait, collect, run. One word, so that the plain turn asks once. */
enum {
    GYI_SPECIAL_HOOKS  = 7,  /* one bit for each gy_hook_when: there is such a hook */
    GYI_SPECIAL_ALWAYS = 8,  /* there are files that are always ready */
    GYI_SPECIAL_LATE   = 16, /* there may be immediates, close callbacks, or some left for later */
    GYI_SPECIAL_HALT   = 32, /* the halt mark stands */
    /* Whatever keeps the loop from waiting. */
    GYI_SPECIAL_AWAKE = 1 << GY_HOOK_IDLE | GYI_SPECIAL_ALWAYS | GYI_SPECIAL_LATE | GYI_SPECIAL_HALT
};

typedef struct gyi_queue {
    gyi_entry events;        /* the queue proper */
    gyi_entry halt;          /* without `run` */
    gyi_entry drain;         /* listed while there are jobs */
    gyi_entry ticks, micros; /* jobs that wait for `drain` */
    gyi_entry immediates;    /* for the end of the turn */
    gyi_entry closing;       /* for the very end of the turn */
    gyi_entry later;         /* for the next turn, after its poll: see gyi_queue_again() */
    unsigned again;          /* how many may still be queued in this turn without going there */
    uint64_t jobs;           /* moved to the queue before this row */
    unsigned budget, in_row; /* jobs that may run in a row, and that were moved to the queue to do so */
    unsigned behind;         /* while `in_row` is below it, a micro goes to its place in the queue at once */
    gyi_halt why;            /* the halt mark stands, and for what */
    unsigned special;
    bool ticking;            /* `drain` empties the ticks, else the micros */
} gyi_queue;

void gyi_queue_init(gyi_queue *queue, unsigned budget);

/* Puts `drain` to the front of the queue (behind the halt mark), since there is a job and it is not there. */
void gyi_queue_begin_jobs(gyi_queue *queue);

/* Queues a microtask whose `run` is set. While all micros that there are stand in the queue already, the place behind
 * them is the one that `drain` would put this one to. */
static inline void gyi_queue_micro(gyi_queue *queue, gyi_entry *entry) {
    if (GYI_LIKELY(queue->in_row < queue->behind)) {
        queue->in_row++;
        gyi_list_append(&queue->drain, entry);
    } else {
        gyi_list_append(&queue->micros, entry);
        if (!gyi_entry_listed(&queue->drain)) gyi_queue_begin_jobs(queue);
    }
}

/* How many jobs were moved to the queue since the beginning. */
static inline uint64_t gyi_queue_jobs(const gyi_queue *queue) { return queue->jobs + queue->in_row; }

/* Puts the halt mark at the front; a stop is stronger than an empty budget. */
void gyi_queue_halt(gyi_queue *queue, gyi_halt why);

/* Takes the halt mark away and says what it stood for. After an empty budget the jobs go on behind the next event. */
gyi_halt gyi_queue_resume(gyi_queue *queue);

/* Whether anything is to be run without waiting. The two marks are nothing by themselves. */
bool gyi_queue_pending(const gyi_queue *queue);

/* Has an entry run at the very end of the turn. It is on no list. */
static inline void gyi_queue_close(gyi_queue *queue, gyi_entry *entry) {
    gyi_list_append(&queue->closing, entry);
    queue->special |= GYI_SPECIAL_LATE;
}

enum { GYI_QUEUE_AGAIN = 64 };

/* Queues an entry for what was started by a callback and is done already, such as a read of a stream that is readable.
 * Its callback will start the next one, and with a peer that is fast enough this would go on for ever: when a turn has
 * queued as many as it has collected, and some more, the rest is left for the next one, so that timers and other
 * descriptors have their turn. What is left keeps its order. */
static inline void gyi_queue_again(gyi_queue *queue, gyi_entry *entry) {
    if (GYI_LIKELY(queue->again && gyi_list_empty(&queue->later))) {
        queue->again--;
        gyi_list_append(&queue->events, entry);
    } else {
        gyi_list_append(&queue->later, entry);
        queue->special |= GYI_SPECIAL_LATE;
    }
}

/* Puts an entry at the end of the queue of a loop. Its `run` is set, and it is on no list. */
void gyi_queue_push(gy_loop *loop, gyi_entry *entry);

/* Puts an entry in front, to be run right after the current callback. Its `run` is set, and it is on no list. */
void gyi_queue_push_front(gy_loop *loop, gyi_entry *entry);

/* Takes an entry off; one that is on no list is ignored. */
static inline void gyi_queue_drop(gyi_entry *entry) {
    if (gyi_entry_listed(entry)) gyi_list_remove(entry);
}

/* Whether the rings are whole and the marks are where they belong. For tests. */
bool gyi_queue_check(const gyi_queue *queue);

#endif
