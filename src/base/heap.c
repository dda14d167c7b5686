/* SPDX-License-Identifier: ISC */
/* The pairing heap's slow half: taking nodes out. All loops are iterative, since a heap that was only inserted into may
 * be as wide, and one that was inserted into in falling order as deep, as it has nodes. */
#include "base/heap.h"

/* Makes one heap of a list of siblings: merges them in pairs from the left, then the pairs from the right, which is
 * what gives the amortised bound. `first` is not NULL. The pairs are on a stack threaded through `prev`. */
static gyi_timed *heap_pair(gyi_timed *first) {
    gyi_timed *stack = NULL;
    while (first) {
        gyi_timed *a = first, *b = a->at.link.next;
        first = b ? b->at.link.next : NULL;
        if (b) a = gyi_heap_merge(a, b);
        a->at.link.prev = stack;
        stack = a;
    }
    gyi_timed *root = stack;
    stack = root->at.link.prev;
    while (stack) {
        gyi_timed *left = stack;
        stack = left->at.link.prev;
        root = gyi_heap_merge(root, left);
    }
    root->at.link.next = NULL;
    root->at.link.prev = NULL;
    return root;
}

/* Merges two sorted lists, each linked through `next` and neither empty. */
static gyi_timed *heap_merge_lists(gyi_timed *a, gyi_timed *b) {
    gyi_timed *first, **end = &first;
    for (;;) {
        if (gyi_timed_before(b, a)) {
            *end = b;
            end = &b->at.link.next;
            b = *end;
            if (b) continue;
            *end = a;
            return first;
        }
        *end = a;
        end = &a->at.link.next;
        a = *end;
        if (a) continue;
        *end = b;
        return first;
    }
}

/* Sorts a list: a merge sort from the bottom up, in which `run[i]` is a sorted list of 2^i nodes or none. */
static gyi_timed *heap_sort(gyi_timed *list) {
    gyi_timed *run[64] = {NULL}, *sorted = NULL;
    int top = 0;
    while (list) {
        gyi_timed *one = list;
        int i = 0;
        list = one->at.link.next;
        one->at.link.next = NULL;
        for (; run[i]; i++) {
            one = heap_merge_lists(run[i], one);
            run[i] = NULL;
        }
        run[i] = one;
        if (i >= top) top = i + 1;
    }
    for (int i = 0; i < top; i++) {
        if (!run[i]) continue;
        sorted = sorted ? heap_merge_lists(run[i], sorted) : run[i];
    }
    return sorted;
}

/* A sorted list is a heap in which every node has one child: the next one. */
void gyi_heap_insert_list(gyi_timed **root, gyi_timed *list) {
    gyi_timed *first = list->at.link.next ? heap_sort(list) : list, *parent = NULL;
    for (gyi_timed *node = first, *next; node; node = next) {
        next = node->at.link.next;
        node->at.link.child = next;
        node->at.link.next = NULL;
        node->at.link.prev = parent;
        parent = node;
    }
    *root = *root ? gyi_heap_merge(*root, first) : first;
    (*root)->at.link.prev = NULL;
}

gyi_timed *gyi_heap_pop(gyi_timed **root) {
    gyi_timed *node = *root, *child = node->at.link.child;
    if (child && !child->at.link.next) child->at.link.prev = NULL; /* an only child */
    else if (child) child = heap_pair(child);
    *root = child;
    return node;
}

void gyi_heap_remove(gyi_timed **root, gyi_timed *node) {
    if (node == *root) {
        gyi_heap_pop(root);
        return;
    }
    gyi_timed *before = node->at.link.prev, *after = node->at.link.next, *child = node->at.link.child;
    if (before->at.link.child == node) before->at.link.child = after;
    else before->at.link.next = after;
    if (after) after->at.link.prev = before;
    if (child) {
        *root = gyi_heap_merge(*root, heap_pair(child));
        (*root)->at.link.prev = NULL;
    }
}

/* Whether a node comes before all its children, and they are linked well. */
static bool heap_check_children(const gyi_timed *node) {
    const gyi_timed *before = node;
    for (const gyi_timed *child = node->at.link.child; child; child = child->at.link.next) {
        if (child->at.link.prev != before || gyi_timed_before(child, node)) return false;
        before = child;
    }
    return true;
}

/* The parent of a node that is the last of its siblings. */
static const gyi_timed *heap_parent(const gyi_timed *node) {
    const gyi_timed *prev = node->at.link.prev;
    while (prev->at.link.child != node) {
        node = prev;
        prev = node->at.link.prev;
    }
    return prev;
}

/* Walks the tree without recursion or memory: down to the first child, else right, else up and right. */
bool gyi_heap_check(const gyi_timed *root, size_t *count) {
    *count = 0;
    if (!root) return true;
    if (root->at.link.prev || root->at.link.next) return false;
    for (const gyi_timed *n = root;;) {
        ++*count;
        if (!heap_check_children(n)) return false;
        if (n->at.link.child) {
            n = n->at.link.child;
            continue;
        }
        while (n != root && !n->at.link.next) n = heap_parent(n);
        if (n == root) return true;
        n = n->at.link.next;
    }
}
