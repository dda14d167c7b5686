/* SPDX-License-Identifier: ISC */
/* Stacks: slabs of them, lists of those that are free, and guard pages for as many as the system allows.
 *
 *   fresh --> used --> warm (keeps its pages) --> used ...      cold (pages given back) when there are enough warm ones
 *
 * A slab is unmapped with its loop only: it is addresses, not memory, once its pages are given back. The last stack
 * that was used is the next one to be used, since its pages are in the caches.
 *
 * Each guard page cuts a mapping in two, and Linux allows a process 65,530 mappings, of which the rest of the program
 * needs some: when they run out, malloc fails, and starting threads. So guards are made for the first 16,384 stacks of
 * a loop, when they are used first, and for none of those after, which are counted. The lowest page of those is left
 * unused. */
#include "task/stack.h"

#include "base/alloc.h"
#include "sys/memory.h"

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#if !defined(VALGRIND_STACK_REGISTER)
#define VALGRIND_STACK_REGISTER(low, high) ((void)(low), (void)(high), 0U)
#define VALGRIND_STACK_DEREGISTER(id)      ((void)(id))
#endif

enum { STACK_SIZE = 65536, STACK_LEAST = 16384, STACK_SLAB = 4 << 20, STACK_KEEP = 1024, STACK_GUARDS = 16384 };

/* A slab's stacks are registered one by one, so that valgrind sees a switch and no huge frame; the ids of one slab
 * follow each other. */
static unsigned stack_show(const gyi_stack_slab *slab) {
    unsigned first = 0;
    for (unsigned i = 0; i < slab->count; i++) {
        unsigned id = (unsigned)VALGRIND_STACK_REGISTER(slab->stack[i].low, gyi_stack_top(&slab->stack[i]));
        if (!i) first = id;
    }
    return first;
}

static void stack_hide(const gyi_stack_slab *slab) {
    for (unsigned i = 0; i < slab->count; i++) VALGRIND_STACK_DEREGISTER(slab->id + i);
}

static void stacks_free(gy_loop *loop) {
    gyi_stacks *stacks = loop->stacks;
    if (stacks->forget) stacks->forget(stacks);
    while (stacks->slabs) {
        gyi_stack_slab *slab = stacks->slabs;
        stacks->slabs = slab->next;
        stack_hide(slab);
        gyi_memory_unmap(&loop->sys, slab->base, slab->each * slab->count);
        gyi_free(&loop->alloc, slab);
    }
    gyi_free(&loop->alloc, stacks);
    loop->stacks = NULL;
}

gyi_stacks *gyi_stacks_of(gy_loop *loop) {
    if (loop->stacks) return loop->stacks;
    gyi_stacks *stacks = gyi_alloc_zero(&loop->alloc, sizeof *stacks);
    if (!stacks) return NULL;
    stacks->loop = loop;
    stacks->page = gyi_memory_page();
    stacks->least = stacks->page * 4 > STACK_LEAST ? stacks->page * 4 : STACK_LEAST;
    stacks->size = STACK_SIZE;
    stacks->keep = STACK_KEEP;
    stacks->guards_most = STACK_GUARDS;
    loop->stacks = stacks;
    loop->stacks_free = stacks_free;
    return stacks;
}

/* The class of a size; GYI_STACK_CLASSES when there is none so large. */
static unsigned stack_class(const gyi_stacks *stacks, size_t size) {
    unsigned class = 0;
    if (!size) size = stacks->size;
    while (class < GYI_STACK_CLASSES && stacks->least << class < size) class++;
    return class;
}

static gyi_stack_slab *stack_slab(gyi_stacks *stacks, unsigned class) {
    gy_loop *loop = stacks->loop;
    size_t each = stacks->least << class, count = each < STACK_SLAB ? STACK_SLAB / each : 1;
    gyi_stack_slab *slab = gyi_alloc_zero(&loop->alloc, sizeof *slab + count * sizeof(gyi_stack));
    void *base = NULL;
    if (!slab) return NULL;
    if (gyi_memory_map(&loop->sys, each * count, &base)) {
        gyi_free(&loop->alloc, slab);
        return NULL;
    }
    slab->base = base;
    slab->each = each;
    slab->count = slab->fresh = (unsigned)count;
    for (size_t i = 0; i < count; i++) {
        gyi_stack *s = &slab->stack[i];
        s->low = slab->base + i * each + stacks->page;
        s->size = (uint32_t)(each - stacks->page);
        s->class = (uint16_t)class;
    }
    slab->id = stack_show(slab);
    slab->next = stacks->slabs;
    stacks->slabs = slab;
    return slab;
}

static gyi_stack *stack_fresh(gyi_stacks *stacks, unsigned class) {
    gyi_stack_slab *slab = stacks->class[class].newest;
    if (!slab || !slab->fresh) slab = stack_slab(stacks, class);
    if (!slab) return NULL;
    stacks->class[class].newest = slab;
    gyi_stack *s = &slab->stack[slab->count - slab->fresh--];
    if (stacks->guards < stacks->guards_most &&
        gyi_memory_guard(&stacks->loop->sys, s->low - stacks->page, stacks->page) == 0) {
        s->guarded = 1;
        stacks->guards++;
    } else {
        stacks->unguarded++;
    }
    return s;
}

gyi_stack *gyi_stack_take(gyi_stacks *stacks, size_t size) {
    unsigned class = stack_class(stacks, size);
    if (class == GYI_STACK_CLASSES) return NULL;
    gyi_stack *s = stacks->class[class].warm;
    if (s) {
        stacks->class[class].warm = s->next;
        stacks->kept--;
    } else if ((s = stacks->class[class].cold)) {
        stacks->class[class].cold = s->next;
    } else {
        s = stack_fresh(stacks, class);
        if (!s) return NULL;
    }
    s->used = 1;
    stacks->used++;
    return s;
}

void gyi_stack_give(gyi_stacks *stacks, gyi_stack *s) {
    gyi_stack **list = &stacks->class[s->class].warm;
    if (stacks->kept < stacks->keep) {
        stacks->kept++;
    } else {
        gyi_memory_forget(&stacks->loop->sys, s->low, s->size);
        list = &stacks->class[s->class].cold;
    }
    s->next = *list;
    *list = s;
    s->used = 0;
    stacks->used--;
}

size_t gyi_stacks_deepest(gyi_stacks *stacks) {
    size_t deepest = 0, depth = 0;
    for (const gyi_stack_slab *slab = stacks->slabs; slab; slab = slab->next) {
        for (unsigned i = 0; i < slab->count - slab->fresh; i++) {
            const gyi_stack *s = &slab->stack[i];
            if (gyi_memory_touched(&stacks->loop->sys, s->low, s->size, &depth)) continue;
            if (depth > deepest) deepest = depth;
        }
    }
    return deepest;
}

bool gyi_stacks_guard_at(const gyi_stacks *stacks, const void *at) {
    uintptr_t where = (uintptr_t)at;
    for (const gyi_stack_slab *slab = stacks->slabs; slab; slab = slab->next) {
        uintptr_t base = (uintptr_t)slab->base;
        if (where >= base && where - base < slab->each * slab->count)
            return (where - base) % slab->each < stacks->page;
    }
    return false;
}
