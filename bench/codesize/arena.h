/* SPDX-License-Identifier: ISC */
/* The memory of a small device: one block, handed out from the front. What is freed is not used again, which is enough
 * for a loop: it takes a few blocks when it begins, and one more when a table grows. */
#ifndef BENCH_CODESIZE_ARENA_H
#define BENCH_CODESIZE_ARENA_H

#include "gyre/base.h"

static _Alignas(16) char arena[32768];
static size_t arena_used;

static void *arena_alloc(size_t size, void *ctx) {
    (void)ctx;
    size = (size + 15) & ~(size_t)15;
    if (size > sizeof arena - arena_used) return NULL;
    arena_used += size;
    return arena + arena_used - size;
}

static void arena_free(void *ptr, void *ctx) { (void)ptr, (void)ctx; }

#define ARENA ((gy_alloc){arena_alloc, arena_free, NULL})

#endif
