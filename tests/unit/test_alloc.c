/* SPDX-License-Identifier: ISC */
/* Memory through a given allocator: what is zeroed, what is copied, what stays when there is none. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "harness.h"

struct account {
    int allocs, frees, left; /* left: how many more succeed; negative: all */
};

static void *account_alloc(size_t size, void *ctx) {
    struct account *a = ctx;
    if (a->left == 0) return NULL;
    if (a->left > 0) a->left--;
    void *p = malloc(size);
    if (p) memset(p, 0xa5, size); /* what is not zeroed shows */
    a->allocs++;
    return p;
}

static void account_free(void *ptr, void *ctx) {
    ((struct account *)ctx)->frees++;
    free(ptr);
}

static bool all_are(const char *p, size_t len, char what) {
    for (size_t i = 0; i < len; i++)
        if (p[i] != what) return false;
    return true;
}

TEST(alloc, half_an_allocator_is_refused) {
    gy_alloc a;
    CHECK(!gyi_alloc_init(&a, (gy_alloc){.alloc = account_alloc}));
    CHECK(!gyi_alloc_init(&a, (gy_alloc){.free = account_free}));
}

TEST(alloc, none_means_malloc) {
    gy_alloc a;
    CHECK(gyi_alloc_init(&a, (gy_alloc){.alloc = NULL}));
    char *p = gyi_alloc_zero(&a, 100);
    CHECK(p != NULL);
    CHECK(all_are(p, 100, 0));
    gyi_free(&a, p);
    gyi_free(&a, NULL);
}

TEST(alloc, zeroes_grows_and_frees_through_the_given_one) {
    struct account account = {.left = -1};
    gy_alloc a;
    CHECK(gyi_alloc_init(&a, (gy_alloc){account_alloc, account_free, &account}));
    char *p = gyi_alloc_zero(&a, 64);
    CHECK(p != NULL && all_are(p, 64, 0));
    memset(p, 7, 64);
    p = gyi_alloc_grow(&a, p, 64, 256);
    CHECK(p != NULL && all_are(p, 64, 7) && all_are(p + 64, 192, 0));
    CHECK_EQ(account.frees, 1);
    gyi_free(&a, p);
    gyi_free(&a, NULL);
    p = gyi_alloc_grow(&a, NULL, 0, 16);
    CHECK(p != NULL && all_are(p, 16, 0));
    gyi_free(&a, p);
    CHECK_EQ(account.allocs, account.frees);
    CHECK_EQ(account.allocs, 3);
}

TEST(alloc, growing_without_memory_leaves_the_old_block) {
    struct account account = {.left = 1};
    gy_alloc a;
    CHECK(gyi_alloc_init(&a, (gy_alloc){account_alloc, account_free, &account}));
    char *p = gyi_alloc_zero(&a, 8);
    CHECK(p != NULL);
    memset(p, 9, 8);
    CHECK(gyi_alloc_grow(&a, p, 8, 64) == NULL);
    CHECK(all_are(p, 8, 9));
    CHECK(gyi_alloc_zero(&a, 8) == NULL);
    CHECK_EQ(account.frees, 0);
    gyi_free(&a, p);
}
