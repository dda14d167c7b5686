/* SPDX-License-Identifier: ISC */
/* The slot table: growth, tokens and their generations, and the list of what has changed. */
#include <errno.h>
#include <stdlib.h>

#include "base/slots.h"
#include "harness.h"

static gy_alloc memory(void) {
    gy_alloc a;
    CHECK(gyi_alloc_init(&a, (gy_alloc){.alloc = NULL}));
    return a;
}

static void *no_alloc(size_t size, void *ctx) {
    (void)size;
    (void)ctx;
    return NULL;
}

static void no_free(void *ptr, void *ctx) {
    (void)ptr;
    (void)ctx;
}

TEST(slots, grow_and_keep_what_they_hold) {
    gy_alloc a = memory(), none = {no_alloc, no_free, NULL};
    gyi_slots s;
    gyi_slots_init(&s);
    CHECK(gyi_slots_check(&s));
    CHECK_EQ(gyi_slots_reserve(&s, &none, 0), -ENOMEM);
    CHECK_EQ(gyi_slots_reserve(&s, &a, 3), 0);
    gyi_slot_renew(&s.at[3]);
    uint64_t token = gyi_slot_token(&s.at[3], 3);
    CHECK_EQ(gyi_slots_reserve(&s, &a, 5000), 0);
    CHECK_EQ(s.cap, 5001);
    CHECK(gyi_slots_find(&s, token) == &s.at[3]);
    CHECK_EQ(gyi_slots_reserve(&s, &a, 5001), 0);
    CHECK_EQ(s.cap, 7501); /* half more, so that one by one is cheap */
    uint32_t cap = s.cap;
    CHECK_EQ(gyi_slots_reserve(&s, &none, 4999), 0); /* room already: no memory asked for */
    CHECK_EQ(gyi_slots_reserve(&s, &none, 1000000), -ENOMEM);
    CHECK_EQ(gyi_slots_reserve(&s, &a, INT32_MAX), -ENOMEM);
    CHECK_EQ(s.cap, cap);
    CHECK(gyi_slots_check(&s));
    gyi_free(&a, s.at);
}

TEST(slots, an_old_token_is_stale_and_no_token_is_0) {
    gy_alloc a = memory();
    gyi_slots s;
    gyi_slots_init(&s);
    CHECK_EQ(gyi_slots_reserve(&s, &a, 10), 0);
    CHECK(gyi_slots_find(&s, 7) == NULL && gyi_slots_find(&s, 0) == NULL);
    CHECK(s.at[0].generation != 0); /* as the upper half of the wake-up's token is */
    gyi_slot_renew(&s.at[7]);
    uint64_t old = gyi_slot_token(&s.at[7], 7);
    CHECK_EQ((uint32_t)old, 7);
    CHECK(old >> 32 != 0);
    s.at[7].generation |= GYI_SLOT_QUICK;
    CHECK(gyi_slots_find(&s, old) == &s.at[7]);
    CHECK_EQ(s.at[7].generation, (uint32_t)(old >> 32)); /* what the quick way compares */
    gyi_slot_renew(&s.at[7]);
    CHECK(gyi_slots_find(&s, old) == NULL);
    CHECK(s.at[7].generation < GYI_SLOT_QUICK);
    CHECK(gyi_slots_find(&s, gyi_slot_token(&s.at[7], 7)) == &s.at[7]);
    s.at[7].generation = UINT32_MAX; /* the generation comes round */
    gyi_slot_renew(&s.at[7]);
    CHECK_EQ(s.at[7].generation, 1);
    gyi_free(&a, s.at);
}

TEST(slots, each_change_is_listed_once) {
    gy_alloc a = memory();
    gyi_slots s;
    gyi_slots_init(&s);
    CHECK_EQ(gyi_slots_reserve(&s, &a, 63), 0);
    CHECK_EQ(gyi_slots_take(&s), -1);
    for (int round = 0; round < 2; round++)
        for (int fd = 0; fd < 64; fd += 3) gyi_slots_change(&s, fd);
    CHECK(gyi_slots_check(&s));
    int seen = 0, sum = 0;
    for (int fd; (fd = gyi_slots_take(&s)) >= 0; seen++) sum += fd;
    CHECK_EQ(seen, 22);
    CHECK_EQ(sum, 3 * 21 * 22 / 2);
    CHECK(gyi_slots_check(&s));
    s.at[5].changed = 9; /* marked, and on no list */
    CHECK(!gyi_slots_check(&s));
    gyi_free(&a, s.at);
}

TEST(slots, check_sees_a_watcher_of_another_descriptor) {
    gy_alloc a = memory();
    gyi_slots s;
    gyi_watch w = {.fd = 4};
    gyi_slots_init(&s);
    CHECK_EQ(gyi_slots_reserve(&s, &a, 10), 0);
    s.at[4].first = &w;
    CHECK(gyi_slots_check(&s));
    w.fd = 5;
    CHECK(!gyi_slots_check(&s));
    gyi_free(&a, s.at);
}
