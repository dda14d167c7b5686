/* SPDX-License-Identifier: ISC */
/* The pairing heap: the shapes that would break recursion, and at random against a model that is an array. The seed of
 * a random run is printed; GYRE_TEST_SEED repeats it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/heap.h"
#include "harness.h"
#include "sys/clock.h"

enum { NODES = 128 };

struct model {
    gyi_timed *root, node[NODES];
    bool in[NODES];
    size_t count;
    uint64_t random, order;
};

static uint64_t seed_of_run(void) {
    const char *text = getenv("GYRE_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)gyi_clock_mono();
    printf("GYRE_TEST_SEED=%" PRIu64 "\n", seed);
    return seed;
}

static gyi_timed *model_first(struct model *m) {
    gyi_timed *first = NULL;
    for (int i = 0; i < NODES; i++)
        if (m->in[i] && (!first || gyi_timed_before(&m->node[i], first))) first = &m->node[i];
    return first;
}

static void model_step(struct model *m) {
    uint64_t what = gyi_random(&m->random) % 4;
    size_t i = (size_t)(gyi_random(&m->random) % NODES);
    if (what < 2 && !m->in[i]) {
        m->node[i].due = (gy_ns)(gyi_random(&m->random) % 64); /* few values: many are equal */
        m->node[i].order = ++m->order;
        m->in[i] = true;
        m->count++;
        gyi_heap_insert(&m->root, &m->node[i]);
    } else if (what == 2 && m->in[i]) {
        gyi_heap_remove(&m->root, &m->node[i]);
        m->in[i] = false;
        m->count--;
    } else if (what == 3 && m->count) {
        gyi_timed *first = model_first(m), *got = gyi_heap_pop(&m->root);
        CHECK(got == first);
        m->in[first - m->node] = false;
        m->count--;
    }
    CHECK((m->root == NULL) == (m->count == 0));
}

static void model_run(unsigned steps, unsigned interval) {
    struct model *m = calloc(1, sizeof *m);
    CHECK(m != NULL);
    m->random = seed_of_run();
    for (unsigned i = 1; i <= steps; i++) {
        model_step(m);
        size_t count = 0;
        if (i % interval) continue;
        CHECK(gyi_heap_check(m->root, &count));
        CHECK_EQ(count, m->count);
        CHECK(m->root == model_first(m));
    }
    free(m);
}

TEST(heap, agrees_with_a_model_at_every_step) { model_run(50000, 1); }
TEST(heap, agrees_with_a_model_over_a_million_steps) { model_run(1000000, 997); }

TEST(heap, orders_by_time_and_then_by_start) {
    gyi_timed a = {.due = 1, .order = 2}, b = {.due = 1, .order = 1}, c = {.due = 0, .order = 9}, *root = NULL;
    CHECK(gyi_timed_before(&b, &a) && !gyi_timed_before(&a, &b) && gyi_timed_before(&c, &b));
    CHECK(!gyi_timed_before(&a, &a));
    gyi_heap_insert(&root, &a);
    gyi_heap_insert(&root, &b);
    gyi_heap_insert(&root, &c);
    CHECK(gyi_heap_pop(&root) == &c);
    CHECK(gyi_heap_pop(&root) == &b);
    CHECK(gyi_heap_pop(&root) == &a);
    CHECK(root == NULL);
}

/* A hundred thousand nodes inserted in one direction make the widest or the deepest heap there is. The checker walks
 * back along the siblings of every node, so it looks while the heap is not yet so wide. */
static void long_run(bool falling) {
    enum { MANY = 100000, CHECKED = 3000 };
    gyi_timed *node = calloc(MANY, sizeof *node), *root = NULL;
    size_t count = 0;
    CHECK(node != NULL);
    for (int i = 0; i < MANY; i++) {
        node[i].due = falling ? MANY - i : i;
        gyi_heap_insert(&root, &node[i]);
        if (i == CHECKED - 1) CHECK(gyi_heap_check(root, &count));
    }
    CHECK_EQ(count, CHECKED);
    for (int i = 0; i < MANY; i++) CHECK(gyi_heap_pop(&root) == &node[falling ? MANY - 1 - i : i]);
    CHECK(root == NULL);
    free(node);
}

TEST(heap, takes_many_in_rising_order) { long_run(false); }
TEST(heap, takes_many_in_falling_order) { long_run(true); }

TEST(heap, check_sees_a_broken_order_and_a_broken_link) {
    gyi_timed a = {.due = 1}, b = {.due = 2}, c = {.due = 3}, *root = NULL;
    size_t count;
    CHECK(gyi_heap_check(NULL, &count));
    CHECK_EQ(count, 0);
    gyi_heap_insert(&root, &a);
    gyi_heap_insert(&root, &b);
    gyi_heap_insert(&root, &c);
    CHECK(gyi_heap_check(root, &count));
    CHECK_EQ(count, 3);
    c.due = 0;
    CHECK(!gyi_heap_check(root, &count));
    c.due = 3;
    b.at.link.prev = NULL;
    CHECK(!gyi_heap_check(root, &count));
}
