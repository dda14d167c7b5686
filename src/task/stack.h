/* SPDX-License-Identifier: ISC */
/* The stacks of a loop's fibers.
 *
 * Stacks come in sizes that are powers of two, and many of a size from one mapping, a slab. What is known of a stack
 * stands apart from it, in the slab's record, where an overflow does not reach it. */
#ifndef GYI_TASK_STACK_H
#define GYI_TASK_STACK_H

#include "gyre/fiber.h"
#include "loop/loop.h"

typedef struct gyi_stack_slab gyi_stack_slab;

typedef struct gyi_stack {
    struct gyi_stack *next; /* on a list of those that are not in use */
    char *low;              /* the lowest byte to be used, above the guard page */
    uint32_t size;          /* from there to the top */
    uint16_t class;
    uint8_t guarded, used;
} gyi_stack;

struct gyi_stack_slab {
    gyi_stack_slab *next;
    char *base;
    size_t each;         /* the size of a stack, with its guard page */
    unsigned count, fresh; /* of how many; how many have never been used */
    unsigned id;         /* valgrind's, of the first */
    gyi_stack stack[];
};

enum { GYI_STACK_CLASSES = 16 };

typedef struct gyi_stacks {
    gy_loop *loop;
    size_t page, least; /* least: the size of the first class */
    size_t size;        /* unless a fiber asks for another */
    unsigned keep;      /* how many may keep their pages when they are not in use */
    unsigned kept, guards, guards_most;
    size_t used, unguarded;
    gyi_stack_slab *slabs;
    void (*forget)(struct gyi_stacks *); /* known to the process (overflow.c) */
    struct {
        gyi_stack *warm, *cold; /* with and without pages */
        gyi_stack_slab *newest; /* where fresh ones are */
    } class[GYI_STACK_CLASSES];
} gyi_stacks;

/* The stacks of a loop, made at first use and unmapped as the last thing of the loop; NULL when there is no memory. */
gyi_stacks *gyi_stacks_of(gy_loop *loop);

/* A stack of at least `size` bytes, 0 for the loop's size; NULL when there is no memory, or none so large. */
gyi_stack *gyi_stack_take(gyi_stacks *stacks, size_t size);

/* Nobody is on it any more. */
void gyi_stack_give(gyi_stacks *stacks, gyi_stack *stack);

static inline char *gyi_stack_top(const gyi_stack *stack) { return stack->low + stack->size; }

/* How deep the deepest stack was used since its pages were given back last; 0 where the system does not tell. */
size_t gyi_stacks_deepest(gyi_stacks *stacks);

/* Whether an address lies in a guard page. Callable from a signal handler. */
bool gyi_stacks_guard_at(const gyi_stacks *stacks, const void *at);

#endif
