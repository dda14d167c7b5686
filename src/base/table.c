/* SPDX-License-Identifier: ISC */
/* The hash table: chains, twice as many when there is more than one row for each. When they double, a chain falls into
 * two, and each keeps its order. */
#include "base/table.h"

static gyi_row **table_chain(const gyi_table *table, uint32_t hash) {
    gyi_row *const *chains = table->more ? table->more : table->few;
    uint32_t cap = table->more ? table->cap : GYI_TABLE_FEW;
    return (gyi_row **)(uintptr_t)&chains[hash & (cap - 1)];
}

static void table_grow(gyi_table *table, const gy_alloc *alloc) {
    uint32_t old = table->more ? table->cap : GYI_TABLE_FEW;
    gyi_row **from = table->more ? table->more : table->few;
    gyi_row **to = gyi_alloc_zero(alloc, (size_t)old * 2 * sizeof(gyi_row *));
    if (!to) return;
    for (uint32_t i = 0; i < old; i++) {
        gyi_row **ends[2] = {&to[i], &to[i + old]};
        for (gyi_row *row = from[i]; row;) {
            gyi_row *next = row->next, ***end = &ends[(row->hash & old) != 0];
            row->next = NULL;
            **end = row;
            *end = &row->next;
            row = next;
        }
    }
    gyi_free(alloc, table->more);
    table->more = to;
    table->cap = old * 2;
}

void gyi_table_add(gyi_table *table, const gy_alloc *alloc, gyi_row *row, uint32_t hash) {
    uint32_t cap = table->more ? table->cap : GYI_TABLE_FEW;
    if (table->count >= cap && cap < UINT32_C(1) << 30) table_grow(table, alloc);
    gyi_row **chain = table_chain(table, hash);
    row->hash = hash;
    row->next = *chain;
    *chain = row;
    table->count++;
}

void gyi_table_remove(gyi_table *table, gyi_row *row) {
    gyi_row **at = table_chain(table, row->hash);
    while (*at != row) at = &(*at)->next;
    *at = row->next;
    table->count--;
}

static gyi_row *table_seek(gyi_row *row, uint32_t hash) {
    while (row && row->hash != hash) row = row->next;
    return row;
}

gyi_row *gyi_table_first(const gyi_table *table, uint32_t hash) {
    return table_seek(*table_chain(table, hash), hash);
}

gyi_row *gyi_table_next(const gyi_row *row) { return table_seek(row->next, row->hash); }

void gyi_table_free(gyi_table *table, const gy_alloc *alloc) {
    gyi_free(alloc, table->more);
    *table = (gyi_table){.more = NULL};
}

/* FNV-1a, and a last step that brings the upper bits into those that choose the chain. */
uint32_t gyi_table_hash(uint32_t from, const char *text) {
    uint32_t hash = from ^ 2166136261u;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash ^ hash >> 15;
}

bool gyi_table_check(const gyi_table *table) {
    uint32_t cap = table->more ? table->cap : GYI_TABLE_FEW, seen = 0;
    for (uint32_t i = 0; i < cap; i++)
        for (const gyi_row *row = *table_chain(table, i); row; row = row->next, seen++)
            if ((row->hash & (cap - 1)) != i || seen > table->count) return false;
    return seen == table->count;
}
