/* SPDX-License-Identifier: ISC */
/* A pairing heap of points in time, ordered by (due, order): Fredman, Sedgewick, Sleator, Tarjan 1986, "The pairing
 * heap: a new form of self-adjusting heap". Chosen over a binary heap in an array because it is intrusive (it never
 * allocates, so starting a timer cannot fail) and inserts in constant time; taking the first is O(log n) amortised.
 *
 * The heap is its root: NULL when empty. `child` is a node's first child, `next` its right sibling, `prev` its left
 * sibling or, for a first child, its parent; the root has neither. */
#ifndef GYI_BASE_HEAP_H
#define GYI_BASE_HEAP_H

#include <stdbool.h>

#include "gyre/base.h"

typedef struct gyi_timed gyi_timed;

/* Whether `a` comes before `b`: at equal times, the one that was started first. */
static inline bool gyi_timed_before(const gyi_timed *a, const gyi_timed *b) {
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

/* Makes one heap of two, neither of which is NULL: the later root becomes the first child of the earlier one. */
static inline gyi_timed *gyi_heap_merge(gyi_timed *a, gyi_timed *b) {
    if (gyi_timed_before(b, a)) {
        gyi_timed *t = a;
        a = b;
        b = t;
    }
    gyi_timed *first = a->at.link.child;
    b->at.link.next = first;
    b->at.link.prev = a;
    if (first) first->at.link.prev = b;
    a->at.link.child = b;
    return a;
}

static inline void gyi_heap_insert(gyi_timed **root, gyi_timed *node) {
    node->at.link.child = node->at.link.next = NULL;
    node->at.link.prev = NULL;
    if (*root) {
        *root = gyi_heap_merge(*root, node);
        (*root)->at.link.prev = NULL;
    } else {
        *root = node;
    }
}

/* Inserts a list of nodes, linked through `next`, all at once: they are sorted, which costs less than to insert them
 * one by one and sort them while they are taken out. */
void gyi_heap_insert_list(gyi_timed **root, gyi_timed *list);

/* Takes the first node of a heap that is not empty. */
gyi_timed *gyi_heap_pop(gyi_timed **root);

/* Takes out any node of this heap. */
void gyi_heap_remove(gyi_timed **root, gyi_timed *node);

/* Whether order and links hold everywhere; stores the number of nodes. For tests. */
bool gyi_heap_check(const gyi_timed *root, size_t *count);

#endif
