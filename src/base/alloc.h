/* SPDX-License-Identifier: ISC */
/* Memory through the allocator that a loop or pool was given. */
#ifndef GYI_BASE_ALLOC_H
#define GYI_BASE_ALLOC_H

#include <stdbool.h>

#include "gyre/base.h"

/* Takes over what the caller gave: all zero becomes malloc and free. False when only half of it was given. */
bool gyi_alloc_init(gy_alloc *alloc, gy_alloc given);

/* `size` zeroed bytes, or NULL. */
void *gyi_alloc_zero(const gy_alloc *alloc, size_t size);

/* A larger block with the first `used` bytes of `old`, which is freed, and zeroes behind them; NULL, with `old` as it
 * was, when there is no memory. `old` may be NULL. */
void *gyi_alloc_grow(const gy_alloc *alloc, void *old, size_t used, size_t size);

/* NULL is ignored. */
void gyi_free(const gy_alloc *alloc, void *ptr);

#endif
