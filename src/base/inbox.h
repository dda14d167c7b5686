/* SPDX-License-Identifier: ISC */
/* The inbox: a lock-free queue with many producers and one consumer, for entries from other threads.
 *
 * Producers push onto a stack with compare-and-swap (Treiber 1986, "Systems programming: coping with parallelism"); the
 * consumer takes the whole stack with one exchange and turns it round. Nothing is ever popped singly, so there is no
 * ABA problem; a producer that is suspended between its two steps holds nobody up, which a linked MPSC queue with a
 * tail exchange cannot say; and taking everything at once is what a loop wants anyway. Each producer's entries come
 * out in the order in which it pushed them. */
#ifndef GYI_BASE_INBOX_H
#define GYI_BASE_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/list.h"

typedef struct gyi_inbox {
    _Atomic(gyi_entry *) top; /* NULL: empty. The last entry's `next` is the inbox, so that no listed entry has NULL */
} gyi_inbox;

static inline void gyi_inbox_init(gyi_inbox *inbox) { atomic_init(&inbox->top, NULL); }

/* Sequentially consistent, as who is about to sleep looks here after saying so. */
static inline bool gyi_inbox_empty(const gyi_inbox *inbox) { return atomic_load(&inbox->top) == NULL; }

/* Pushes an entry that is on no list. Any thread, and signal handlers. */
static inline void gyi_inbox_push(gyi_inbox *inbox, gyi_entry *entry) {
    gyi_entry *top = atomic_load_explicit(&inbox->top, memory_order_relaxed);
    do entry->next = top ? top : (gyi_entry *)(void *)inbox;
    while (!atomic_compare_exchange_weak_explicit(&inbox->top, &top, entry, memory_order_seq_cst,
                                                  memory_order_relaxed));
}

/* Moves all entries to the end of `list`, in order. The consumer only. @return how many. */
unsigned gyi_inbox_take(gyi_inbox *inbox, gyi_entry *list);

#endif
