/* SPDX-License-Identifier: ISC */
/* The hash table: finding, removing, the order of equal ones while it grows, and going on without memory. */
#include <stdlib.h>

#include "base/table.h"
#include "harness.h"

typedef struct word {
    gyi_row row;
    int number;
} word;

static bool table_mute;

static void *table_alloc(size_t size, void *ctx) {
    (void)ctx;
    return table_mute ? NULL : malloc(size);
}

static void table_gone(void *ptr, void *ctx) {
    (void)ctx;
    free(ptr);
}

static const gy_alloc table_memory = {table_alloc, table_gone, NULL};

/* A hundred hashes, each ten times. */
static void fill_and_empty(void) {
    enum { WORDS = 1000, HASHES = 100 };
    static word words[WORDS];
    gyi_table t = {.more = NULL};
    for (int i = 0; i < WORDS; i++) {
        words[i] = (word){.number = i};
        gyi_table_add(&t, &table_memory, &words[i].row, (uint32_t)(i % HASHES) * 2654435761u);
        CHECK(gyi_table_check(&t));
    }
    for (int i = 0; i < HASHES; i++) {
        int expect = WORDS - HASHES + i;
        for (gyi_row *r = gyi_table_first(&t, (uint32_t)i * 2654435761u); r; r = gyi_table_next(r), expect -= HASHES)
            CHECK_EQ(GY_OF(r, word, row)->number, expect);
        CHECK_EQ(expect, i - HASHES);
    }
    CHECK(gyi_table_first(&t, 1) == NULL);
    for (int i = 0; i < WORDS; i += 2) {
        gyi_table_remove(&t, &words[i].row);
        CHECK(gyi_table_check(&t));
    }
    CHECK(t.count == WORDS / 2 && !gyi_table_first(&t, 0));
    CHECK(GY_OF(gyi_table_first(&t, 2654435761u), word, row)->number == WORDS - HASHES + 1);
    gyi_table_free(&t, &table_memory);
    CHECK(t.count == 0 && gyi_table_check(&t));
}

TEST(table, newest_first) { fill_and_empty(); }

TEST(table, without_memory) {
    table_mute = true;
    fill_and_empty();
    table_mute = false;
}

TEST(table, hashes_of_texts) {
    CHECK(gyi_table_hash(0, "a") == gyi_table_hash(0, "a"));
    CHECK(gyi_table_hash(0, "a") != gyi_table_hash(0, "b") && gyi_table_hash(0, "a") != gyi_table_hash(1, "a"));
}
