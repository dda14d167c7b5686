/* SPDX-License-Identifier: ISC */
/* Ties: everybody is told, whatever others do meanwhile. */
#include <string.h>

#include "emitter/emitter.h"
#include "gyre/gyre.h"
#include "harness.h"

typedef struct knot {
    gyi_tie tie;
    int closed, off;
    struct knot *unties; /* another one, or itself */
    gy_emitter *closes;
    bool called; /* what it answers */
} knot;

static void close_for_good(gy_emitter *emitter) {
    gy_emitter_close(emitter);
    memset(emitter, 0x55, sizeof *emitter); /* freed, as it were */
}

static bool knot_told(gyi_tie *tie, int how) {
    knot *k = GY_OF(tie, knot, tie);
    if (how == GYI_TIE_CLOSED) k->closed++;
    else k->off++;
    if (k->unties) gyi_untie(&k->unties->tie);
    if (k->closes && how == GYI_TIE_OFF) close_for_good(k->closes);
    return k->called;
}

static void knots(gy_emitter *emitter, knot *k, int count) {
    *emitter = (gy_emitter){0};
    for (int i = 0; i < count; i++) {
        k[i] = (knot){.closed = 0};
        gyi_tie_to(emitter, &k[i].tie, knot_told);
        CHECK(gyi_emitter_check(emitter));
    }
}

TEST(tie, closing_tells_all_and_unties_them) {
    gy_emitter e;
    knot k[4];
    knots(&e, k, 4);
    gyi_untie(&k[1].tie);
    gyi_untie(&k[1].tie);
    CHECK(gyi_emitter_check(&e));
    gy_emitter_close(&e);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(k[i].closed, i != 1);
        CHECK(!gyi_tied(&k[i].tie));
    }
    gy_emitter_close(&e);
    CHECK_EQ(k[0].closed, 1);
}

TEST(tie, removing_all_tells_and_leaves_them) {
    gy_emitter e;
    knot k[3];
    knots(&e, k, 3);
    gy_off_all(&e, "x");
    gy_off_all(&e, NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(k[i].off, 2);
        CHECK_EQ(k[i].closed, 0);
    }
    CHECK(gyi_emitter_check(&e));
    gy_emitter_close(&e);
}

TEST(tie, who_is_told_may_untie_others) {
    gy_emitter e;
    knot k[3]; /* told from the last to the first */
    knots(&e, k, 3);
    k[2].unties = &k[1];
    k[2].called = true; /* so the walk begins anew; it must not answer so for ever */
    gyi_untie(&k[2].tie);
    gyi_ties_tell(&e);
    CHECK_EQ(k[1].off, 1);
    gyi_tie_to(&e, &k[2].tie, knot_told);
    k[2].unties = &k[2];
    gyi_ties_tell(&e);
    CHECK_EQ(k[2].off, 1);
    CHECK_EQ(k[1].off, 2);
    CHECK_EQ(k[0].off, 2);
    CHECK(!gyi_tied(&k[2].tie));
    CHECK(gyi_emitter_check(&e));
    gy_emitter_close(&e);
}

TEST(tie, and_may_close_the_emitter) {
    gy_emitter e;
    knot k[3];
    knots(&e, k, 3);
    k[1].closes = &e;
    k[1].called = true;
    gy_off_all(&e, NULL);
    CHECK_EQ(k[2].off, 1);
    CHECK_EQ(k[1].off, 1);
    CHECK_EQ(k[0].off, 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(k[i].closed, 1);
}

static void on_remove(gy_listener *listener, const void *payload) {
    (void)payload;
    close_for_good(listener->emitter);
}

static void idle(gy_listener *listener, const void *payload) {
    (void)listener;
    (void)payload;
}

TEST(tie, nobody_is_told_twice_when_a_handler_closes_the_emitter_before) {
    const char *const names[] = {"x", NULL};
    for (int i = 0; i < 2; i++) {
        gy_emitter e;
        knot k[2];
        gy_listener x = {0}, removed = {0};
        knots(&e, k, 2);
        CHECK_EQ(gy_on(&e, "x", &x, idle), 0);
        CHECK_EQ(gy_on(&e, "removeListener", &removed, on_remove), 0);
        gy_off_all(&e, names[i]);
        CHECK_EQ(k[0].off, 0);
        CHECK_EQ(k[1].off, 0);
        CHECK_EQ(k[0].closed, 1);
        CHECK_EQ(k[1].closed, 1);
    }
}
