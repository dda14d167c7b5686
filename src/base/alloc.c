/* SPDX-License-Identifier: ISC */
/* The allocator. The interface has no realloc on purpose: the two tables that grow do so by doubling, and an embedder
 * with a static arena has one function less to write. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#if defined(GYI_HAVE_MALLOC) && !GYI_HAVE_MALLOC

/* A build for devices without a heap: every loop and pool must be given an allocator. */
static const gy_alloc alloc_default = {NULL, NULL, NULL};

#else

static void *alloc_malloc(size_t size, void *ctx) {
    (void)ctx;
    return malloc(size);
}

static void alloc_mfree(void *ptr, void *ctx) {
    (void)ctx;
    free(ptr);
}

static const gy_alloc alloc_default = {alloc_malloc, alloc_mfree, NULL};

#endif

bool gyi_alloc_init(gy_alloc *alloc, gy_alloc given) {
    if (!given.alloc != !given.free) return false;
    *alloc = given.alloc ? given : alloc_default;
    return alloc->alloc;
}

void *gyi_alloc_zero(const gy_alloc *alloc, size_t size) {
    void *p = alloc->alloc(size, alloc->ctx);
    if (p) memset(p, 0, size);
    return p;
}

void *gyi_alloc_grow(const gy_alloc *alloc, void *old, size_t used, size_t size) {
    char *p = alloc->alloc(size, alloc->ctx);
    if (!p) return NULL;
    if (used) memcpy(p, old, used);
    memset(p + used, 0, size - used);
    gyi_free(alloc, old);
    return p;
}

void gyi_free(const gy_alloc *alloc, void *ptr) {
    if (ptr) alloc->free(ptr, alloc->ctx);
}
