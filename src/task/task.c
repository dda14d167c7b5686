/* SPDX-License-Identifier: ISC */
/* What a loop keeps for its promises: the slabs, the list of larger blocks, and what frees both with the loop.
 *
 * A slab is never given back before the loop ends: the number of promises that were alive at once says how many there
 * will be again. The cells of the newest slab are not linked in advance; the free list holds those that were used.
 * One cell is set aside, so that there is a promise to return when there is no memory for one. */
#include "task/task.h"

#include "base/alloc.h"

static gyi_task_slab *task_slab(gyi_task *task, unsigned cells) {
    const gy_alloc *alloc = &task->loop->alloc;
    gyi_task_slab *slab = alloc->alloc(sizeof *slab + cells * sizeof(gy_promise), alloc->ctx);
    if (!slab) return NULL;
    slab->task = task;
    slab->next = NULL;
    for (unsigned i = 0; i < cells; i++) {
        slab->cell[i].index = (uint16_t)i;
        slab->cell[i].flags = 0; /* a free cell; the rest is set when it is used */
    }
    GYI_TASK_POISON(slab->cell, cells * sizeof(gy_promise));
    return slab;
}

gy_promise *gyi_task_grow(gyi_task *task) {
    if (!task->fresh) {
        gyi_task_slab *slab = task_slab(task, GYI_TASK_CELLS);
        if (!slab) return NULL;
        slab->next = task->slabs;
        task->slabs = slab;
        task->fresh = GYI_TASK_CELLS;
    }
    return &task->slabs->cell[GYI_TASK_CELLS - task->fresh--];
}

void *gyi_task_block_new(gy_loop *loop, size_t size) {
    gyi_task *task = loop->task;
    gyi_task_block *block = gyi_alloc_zero(&loop->alloc, size);
    if (!block) return NULL;
    block->loop = loop;
    gyi_list_append(&task->blocks, &block->link);
    return block;
}

void gyi_task_block_free(gyi_task_block *block) {
    gyi_list_remove(&block->link);
    gyi_free(&block->loop->alloc, block);
}

/* Destroys the values of a slab's promises, and says whether there were any. */
static bool task_end_values(gyi_task_slab *slab) {
    bool any = false;
    for (unsigned i = 0; i < GYI_TASK_CELLS; i++) {
        gy_promise *p = &slab->cell[i];
        GYI_TASK_UNPOISON(p, sizeof *p); /* a destructor may have freed it just now */
        if (!(p->flags & GYI_PROMISE_SETTLED) || (p->flags & GYI_PROMISE_PLAIN)) continue; /* or a free cell */
        gy_value v = p->as.done.value;
        if (!v.drop || v.drop == gyi_value_error || p->as.done.owner) continue;
        p->as.done.value = gy_num(0);
        v.drop(v.ptr);
        any = true;
    }
    return any;
}

/* Destructors first, all of them, because they may use other promises; then the memory. Who dies meanwhile
 * and holds something only joins the dying, which nobody buries any more. */
static void task_free(gy_loop *loop) {
    gyi_task *task = loop->task;
    if (task->listening_end) task->listening_end(task);
    if (task->fibers_end) task->fibers_end(task);
    task->reaping = true;
    for (bool any = true; any;) {
        any = false;
        for (gyi_task_slab *slab = task->slabs; slab; slab = slab->next) any |= task_end_values(slab);
    }
    while (!gyi_list_empty(&task->blocks)) {
        gyi_task_block *block = GY_OF(task->blocks.next, gyi_task_block, link);
        if (block->end) block->end(block);
        gyi_task_block_free(block);
    }
    while (task->slabs) {
        gyi_task_slab *slab = task->slabs;
        task->slabs = slab->next;
        GYI_TASK_UNPOISON(slab->cell, GYI_TASK_CELLS * sizeof(gy_promise));
        gyi_free(&loop->alloc, slab);
    }
    GYI_TASK_UNPOISON(task->emergency->cell, sizeof(gy_promise));
    gyi_free(&loop->alloc, task->emergency);
    gyi_free(&loop->alloc, task);
    loop->task = NULL;
    loop->task_free = NULL;
    loop->listener_closed = NULL;
}

gyi_task *gyi_task_make(gy_loop *loop) {
    gyi_task *task = gyi_alloc_zero(&loop->alloc, sizeof *task);
    if (!task) return NULL;
    task->loop = loop;
    task->emergency = task_slab(task, 1);
    if (!task->emergency) {
        gyi_free(&loop->alloc, task);
        return NULL;
    }
    GYI_TASK_UNPOISON(task->emergency->cell, sizeof(gy_promise));
    gyi_list_init(&task->blocks);
    gyi_list_init(&task->accepts);
    gyi_list_init(&task->fibers);
    gyi_list_init(&task->listening);
    gyi_reject_init(task);
    loop->task = task;
    loop->task_free = task_free;
    return task;
}
