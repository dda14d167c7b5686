/* SPDX-License-Identifier: ISC */
/* Memory by the page, for stacks: mapped, guarded, given back. Sizes and places are multiples of the page. */
#ifndef GYI_SYS_MEMORY_H
#define GYI_SYS_MEMORY_H

#include <stddef.h>

#include "sys/sys.h"

/* The size of a page, a power of two. */
size_t gyi_memory_page(void);

/* Maps zeroed memory that is fit for stacks and that costs nothing until it is touched. @return 0 or -ENOMEM etc. */
int gyi_memory_map(gyi_sys *sys, size_t size, void **out);

void gyi_memory_unmap(gyi_sys *sys, void *ptr, size_t size);

/* Has every access to a part of a mapping fail. @return 0; -ENOMEM when the process has as many mappings as it may. */
int gyi_memory_guard(gyi_sys *sys, void *ptr, size_t size);

/* The contents are not needed any more, and the system may have the pages; what is read later is undefined. */
void gyi_memory_forget(gyi_sys *sys, void *ptr, size_t size);

/* How many bytes there are from the lowest page that is in memory up to the end of a part of a mapping: for a stack,
 * how deep it was used. @return 0, or -ENOTSUP where the system does not tell. */
int gyi_memory_touched(gyi_sys *sys, void *ptr, size_t size, size_t *out);

#endif
