/* SPDX-License-Identifier: ISC */
/* An allocator that counts, and has nothing while a test says so: for the case that comes after everything was made,
 * where the torture of tests/torture/ cannot look at what is told. */
#ifndef GY_TESTS_HARNESS_SCARCE_H
#define GY_TESTS_HARNESS_SCARCE_H

#include <stdbool.h>
#include <stdlib.h>

#include "gyre/loop.h"

static bool no_memory;
static size_t allocations; /* how many there were */

static inline void *scarce_alloc(size_t size, void *ctx) {
    (void)ctx;
    allocations++;
    return no_memory ? NULL : malloc(size);
}

static inline void scarce_free(void *ptr, void *ctx) {
    (void)ctx;
    free(ptr);
}

/* What a loop is made with. */
static inline gy_alloc scarce_memory(void) {
    no_memory = false;
    allocations = 0;
    return (gy_alloc){.alloc = scarce_alloc, .free = scarce_free};
}

#endif
