/* SPDX-License-Identifier: ISC */
/* A hash table of records that carry their own row: finding one of many by its name, without an allocation for each.
 *
 * The table knows hashes only; whoever looks compares what has the same one. Rows of one hash are found with the newest
 * first. Adding cannot fail: when there is no memory for more chains, they get longer. */
#ifndef GYI_BASE_TABLE_H
#define GYI_BASE_TABLE_H

#include <stdbool.h>

#include "base/alloc.h"

enum { GYI_TABLE_FEW = 8 };

typedef struct gyi_row {
    struct gyi_row *next; /* of its chain */
    uint32_t hash;
} gyi_row;

typedef struct gyi_table {
    gyi_row **more;  /* the chains; NULL: those below */
    uint32_t cap;    /* of `more`, a power of two */
    uint32_t count;  /* rows */
    gyi_row *few[GYI_TABLE_FEW];
} gyi_table; /* valid as {0} */

void gyi_table_add(gyi_table *table, const gy_alloc *alloc, gyi_row *row, uint32_t hash);
void gyi_table_remove(gyi_table *table, gyi_row *row);

/* The rows with a hash, one after the other; NULL after the last. */
gyi_row *gyi_table_first(const gyi_table *table, uint32_t hash);
gyi_row *gyi_table_next(const gyi_row *row);

/* Forgets all rows. */
void gyi_table_free(gyi_table *table, const gy_alloc *alloc);

/* The hash of a text, going on from another hash (or from any number). */
uint32_t gyi_table_hash(uint32_t from, const char *text);

/* Whether each row is in its chain and they are as many as are counted. For tests. */
bool gyi_table_check(const gyi_table *table);

#endif
