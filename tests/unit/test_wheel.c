/* SPDX-License-Identifier: ISC */
/* The timer wheel: its borders one by one, and then at random against a model that is an array.
 *
 * The model knows nothing of slots or laziness: its next timer is the least of all by (due, start order). The wheel has
 * to yield exactly those, at no time before they are due and at none after. The seed of a random run is printed;
 * GYRE_TEST_SEED repeats it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/wheel.h"
#include "harness.h"
#include "sys/clock.h"

enum { ITEMS_MOST = 160 };

struct item {
    gyi_timed timed;
    gy_ns due;
    uint64_t start;
    bool in;
};

struct model {
    gyi_wheel wheel;
    struct item item[ITEMS_MOST];
    unsigned count, in;
    uint64_t starts, random;
    gy_ns now;
};

static uint64_t seed_of_run(void) {
    const char *text = getenv("GYRE_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)gyi_clock_mono();
    printf("GYRE_TEST_SEED=%" PRIu64 "\n", seed);
    return seed;
}

static uint64_t draw(struct model *m, uint64_t below) { return gyi_random(&m->random) % below; }

/* A duration of any magnitude: as many below a microsecond as around a month. */
static gy_ns draw_span(struct model *m, unsigned bits) {
    return (gy_ns)(gyi_random(&m->random) & ((UINT64_C(1) << draw(m, bits)) - 1));
}

static struct item *model_first(struct model *m) {
    struct item *first = NULL;
    for (unsigned i = 0; i < m->count; i++) {
        struct item *x = &m->item[i];
        if (x->in && (!first || x->due < first->due || (x->due == first->due && x->start < first->start))) first = x;
    }
    return first;
}

/* Due soon, late, at the same time as somebody else, beyond the wheel, or gone by. */
static gy_ns draw_due(struct model *m) {
    gy_ns due = m->now + draw_span(m, 61);
    uint64_t kind = draw(m, 8);
    if (kind == 0) due = m->item[draw(m, m->count)].due;
    if (kind == 1) due = m->now - draw_span(m, 40);
    if (kind == 2) due = m->now + draw_span(m, 24);
    if (kind == 3) due = (m->now + draw_span(m, 50)) & -(INT64_C(1) << GYI_TICK_BITS);
    return due < 0 ? 0 : due;
}

static void model_insert(struct model *m, struct item *x) {
    x->due = draw_due(m);
    x->start = ++m->starts;
    x->in = true;
    m->in++;
    gyi_wheel_insert(&m->wheel, &x->timed, x->due);
    CHECK(x->timed.due == x->due);
}

static void model_remove(struct model *m, struct item *x) {
    gyi_wheel_remove(&m->wheel, &x->timed);
    CHECK_EQ(x->timed.order & GYI_TIMED_STATE, 0);
    x->in = false;
    m->in--;
}

static void model_postpone(struct model *m, struct item *x) {
    if (!(x->timed.order & GYI_TIMED_WHEEL)) return;
    x->due += draw_span(m, 56);
    x->start = ++m->starts;
    gyi_wheel_postpone(&m->wheel, &x->timed, x->due);
}

static void model_pop(struct model *m) {
    m->now += draw_span(m, draw(m, 64) ? 34 : 58);
    for (;;) {
        struct item *first = model_first(m);
        gyi_timed *got = gyi_wheel_pop(&m->wheel, m->now);
        if (!first || first->due > m->now) {
            CHECK(got == NULL);
            return;
        }
        CHECK(got == &first->timed);
        CHECK_EQ(got->due, first->due);
        CHECK_EQ(got->order & GYI_TIMED_STATE, 0);
        first->in = false;
        m->in--;
    }
}

static void model_next(struct model *m) {
    struct item *first = model_first(m);
    gy_ns next = gyi_wheel_next(&m->wheel);
    if (!first) {
        CHECK_EQ(next, GY_FOREVER);
        return;
    }
    CHECK(next <= first->due);
    /* So few that no slot can be crowded: then the answer is exact. */
    if (m->count <= 12) CHECK_EQ(next, first->due);
}

static void model_step(struct model *m) {
    struct item *x = &m->item[draw(m, m->count)];
    switch (draw(m, 8)) {
    case 0:
    case 1:
    case 2:
        if (!x->in) model_insert(m, x);
        break;
    case 3:
        if (x->in) model_remove(m, x);
        break;
    case 4:
    case 5:
        if (x->in) model_postpone(m, x);
        break;
    case 6:
        model_next(m);
        break;
    default:
        model_pop(m);
    }
}

/* Empties the wheel and begins again, near the origin of time or at any other point. */
static void model_begin(struct model *m) {
    for (unsigned i = 0; i < m->count; i++)
        if (m->item[i].in) model_remove(m, &m->item[i]);
    m->now = draw(m, 4) ? draw_span(m, 60) : 0;
    gyi_wheel_init(&m->wheel, m->now);
}

static void model_run(unsigned count, unsigned steps, unsigned interval) {
    struct model *m = calloc(1, sizeof *m);
    CHECK(m != NULL);
    m->random = seed_of_run() + count;
    m->count = count;
    model_begin(m);
    for (unsigned i = 1; i <= steps; i++) {
        model_step(m);
        CHECK_EQ(m->wheel.count, m->in);
        if (i % interval == 0) CHECK(gyi_wheel_check(&m->wheel));
        if (m->now > INT64_C(1) << 61 || draw(m, 50000) == 0) model_begin(m);
    }
    free(m);
}

TEST(wheel, agrees_with_a_model_at_every_step) { model_run(40, 30000, 1); }
TEST(wheel, agrees_with_a_model_exactly_when_few_wait) { model_run(12, 300000, 500); }
TEST(wheel, agrees_with_a_model_over_a_million_steps) { model_run(ITEMS_MOST, 1000000, 2000); }

/* ---- one by one -------------------------------------------------------------------------------------------------- */

static gyi_wheel wheel;

TEST(wheel, is_empty_at_first) {
    gyi_wheel_init(&wheel, GY_S(5));
    CHECK(gyi_wheel_check(&wheel));
    CHECK_EQ(gyi_wheel_next(&wheel), GY_FOREVER);
    CHECK(gyi_wheel_pop(&wheel, GY_S(100)) == NULL);
}

TEST(wheel, yields_equal_times_in_the_order_of_their_start) {
    gyi_timed t[50] = {{0}};
    gyi_wheel_init(&wheel, 0);
    for (int i = 0; i < 50; i++) gyi_wheel_insert(&wheel, &t[(i * 7) % 50], GY_S(3));
    CHECK(gyi_wheel_pop(&wheel, GY_S(3) - 1) == NULL);
    for (int i = 0; i < 50; i++) CHECK(gyi_wheel_pop(&wheel, GY_S(3)) == &t[(i * 7) % 50]);
    CHECK(gyi_wheel_pop(&wheel, GY_S(3)) == NULL);
}

TEST(wheel, is_exact_to_the_nanosecond_on_both_sides_of_every_slot) {
    for (unsigned bits = GYI_TICK_BITS; bits < 62; bits++) {
        for (gy_ns off = -1; off <= 1; off++) {
            gyi_timed t = {0};
            gy_ns due = (INT64_C(1) << bits) + off;
            gyi_wheel_init(&wheel, 12345);
            gyi_wheel_insert(&wheel, &t, due);
            CHECK_EQ(gyi_wheel_next(&wheel), due);
            CHECK(gyi_wheel_pop(&wheel, due - 1) == NULL);
            CHECK(gyi_wheel_check(&wheel));
            CHECK_EQ(gyi_wheel_next(&wheel), due);
            CHECK(gyi_wheel_pop(&wheel, due) == &t);
        }
    }
}

TEST(wheel, yields_at_once_what_is_due_in_the_past) {
    gyi_timed a = {0}, b = {0}, c = {0};
    gyi_wheel_init(&wheel, GY_S(100));
    gyi_wheel_insert(&wheel, &a, GY_S(50));
    gyi_wheel_insert(&wheel, &b, 0);
    gyi_wheel_insert(&wheel, &c, GY_S(100));
    CHECK_EQ(gyi_wheel_next(&wheel), 0);
    CHECK(gyi_wheel_pop(&wheel, GY_S(100)) == &b);
    CHECK(gyi_wheel_pop(&wheel, GY_S(100)) == &a);
    CHECK(gyi_wheel_pop(&wheel, GY_S(100)) == &c);
}

TEST(wheel, keeps_timers_that_are_years_away) {
    const gy_ns year = GY_S(31556952);
    gyi_timed t[4] = {{0}};
    gyi_wheel_init(&wheel, year);
    gyi_wheel_insert(&wheel, &t[3], GY_FOREVER - 1);
    gyi_wheel_insert(&wheel, &t[2], 250 * year);
    gyi_wheel_insert(&wheel, &t[1], 12 * year);
    gyi_wheel_insert(&wheel, &t[0], 11 * year + 1);
    CHECK_EQ(gyi_wheel_next(&wheel), 11 * year + 1);
    for (int i = 1; i < 11; i++) {
        CHECK(gyi_wheel_pop(&wheel, (1 + i) * year) == NULL);
        CHECK(gyi_wheel_check(&wheel));
        CHECK_EQ(gyi_wheel_next(&wheel), 11 * year + 1);
    }
    CHECK(gyi_wheel_pop(&wheel, 12 * year) == &t[0]);
    CHECK(gyi_wheel_pop(&wheel, 12 * year) == &t[1]);
    CHECK(gyi_wheel_pop(&wheel, 249 * year) == NULL);
    CHECK_EQ(gyi_wheel_next(&wheel), 250 * year);
    CHECK(gyi_wheel_pop(&wheel, 250 * year) == &t[2]);
    CHECK(gyi_wheel_pop(&wheel, GY_FOREVER - 1) == &t[3]);
    CHECK_EQ(gyi_wheel_next(&wheel), GY_FOREVER);
}

/* The clock runs past the end of a whole level, at 2.3 years, while a timer waits far beyond. It must not hide the
 * nearer ones. */
TEST(wheel, crosses_the_end_of_a_level) {
    const gy_ns end = INT64_C(1) << 56; /* the end of six levels */
    gyi_timed far = {0}, a = {0}, b = {0};
    gyi_wheel_init(&wheel, end - GY_MS(2));
    gyi_wheel_insert(&wheel, &far, GY_FOREVER - 1);
    CHECK(gyi_wheel_pop(&wheel, end) == NULL);
    gyi_wheel_insert(&wheel, &a, end + GY_S(1));
    gyi_wheel_insert(&wheel, &b, end + GY_S(2));
    CHECK(gyi_wheel_pop(&wheel, end + GY_S(1)) == &a);
    CHECK_EQ(gyi_wheel_next(&wheel), end + GY_S(2));
    CHECK(gyi_wheel_pop(&wheel, end + GY_S(2)) == &b);
    CHECK_EQ(gyi_wheel_next(&wheel), GY_FOREVER - 1);
}

TEST(wheel, postpones_without_losing_the_old_slot) {
    gyi_timed a = {0}, b = {0};
    gyi_wheel_init(&wheel, 0);
    gyi_wheel_insert(&wheel, &a, GY_S(1));
    gyi_wheel_insert(&wheel, &b, GY_S(60));
    gyi_wheel_postpone(&wheel, &a, GY_S(60));
    CHECK(gyi_wheel_check(&wheel));
    CHECK_EQ(gyi_wheel_next(&wheel), GY_S(60));
    CHECK(gyi_wheel_pop(&wheel, GY_S(59)) == NULL);
    CHECK(gyi_wheel_pop(&wheel, GY_S(60)) == &b); /* a was started anew after b */
    CHECK(gyi_wheel_pop(&wheel, GY_S(60)) == &a);
}

TEST(wheel, keeps_the_flags_of_the_owner) {
    gyi_timed t = {.order = GYI_TIMED_UNREF};
    gyi_wheel_init(&wheel, 0);
    gyi_wheel_insert(&wheel, &t, GY_S(1));
    CHECK_EQ(t.order & GYI_TIMED_FLAGS, GYI_TIMED_UNREF | GYI_TIMED_WHEEL);
    gyi_wheel_postpone(&wheel, &t, GY_S(2));
    CHECK_EQ(t.order & GYI_TIMED_FLAGS, GYI_TIMED_UNREF | GYI_TIMED_WHEEL);
    gyi_wheel_remove(&wheel, &t);
    CHECK_EQ(t.order & GYI_TIMED_FLAGS, GYI_TIMED_UNREF);
    CHECK_EQ(wheel.count, 0);
}

TEST(wheel, says_the_beginning_of_a_crowded_far_slot_and_then_the_truth) {
    gyi_timed t[40] = {{0}};
    gyi_wheel_init(&wheel, 0);
    for (int i = 0; i < 40; i++) gyi_wheel_insert(&wheel, &t[i], GY_S(3600) + GY_MS(i));
    gy_ns next = gyi_wheel_next(&wheel);
    wheel.soonest = GYI_WHEEL_UNKNOWN; /* looks for it, instead of remembering the insertion */
    next = gyi_wheel_next(&wheel);
    CHECK(next <= GY_S(3600) && next > 0);
    CHECK(gyi_wheel_pop(&wheel, next) == NULL || next == GY_S(3600));
    int rounds = 0;
    while (next < GY_S(3600) && rounds++ < GYI_WHEEL_LEVELS) {
        CHECK(gyi_wheel_pop(&wheel, next) == NULL);
        CHECK(gyi_wheel_next(&wheel) > next); /* each look gets nearer, so there are few */
        next = gyi_wheel_next(&wheel);
    }
    CHECK_EQ(next, GY_S(3600));
}

TEST(wheel, check_sees_what_is_broken) {
    gyi_timed t = {0};
    gyi_wheel_init(&wheel, 0);
    gyi_wheel_insert(&wheel, &t, GY_S(1));
    CHECK(gyi_wheel_check(&wheel));
    t.due = GY_MS(1);
    CHECK(!gyi_wheel_check(&wheel));
    t.due = GY_S(1);
    wheel.count++;
    CHECK(!gyi_wheel_check(&wheel));
}

/* The next due time of a full slot is known as its beginning only. When that has come and the slot has run empty, the
 * wheel must not go on saying that something is due. */
TEST(wheel, the_beginning_of_a_slot_that_has_run_empty_is_forgotten) {
    enum { MANY = 40 };
    gyi_wheel w;
    gyi_timed many[MANY] = {{.due = 0}}, first = {.due = 0}, far = {.due = 0};
    const gy_ns tick = (gy_ns)1 << GYI_TICK_BITS;
    gyi_wheel_init(&w, 0);
    gyi_wheel_insert(&w, &first, tick + 10);
    gyi_wheel_insert(&w, &far, 100 * tick + 5);
    for (int i = 0; i < MANY; i++) gyi_wheel_insert(&w, &many[i], tick + 20 + i);
    gyi_wheel_remove(&w, &first);
    CHECK_EQ(gyi_wheel_next(&w), tick);
    for (int i = 0; i < MANY; i++) gyi_wheel_remove(&w, &many[i]);
    CHECK(gyi_wheel_pop(&w, tick) == NULL);
    CHECK_EQ(gyi_wheel_next(&w), 100 * tick + 5);
    CHECK(gyi_wheel_check(&w));
    CHECK(gyi_wheel_pop(&w, 100 * tick + 5) == &far);
}
