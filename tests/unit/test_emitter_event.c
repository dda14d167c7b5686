/* SPDX-License-Identifier: ISC */
/* The structure under the emitter: many names, long rings, and whether the checker sees what is broken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emitter/emitter.h"
#include "harness.h"

enum { NAMES = 1000 };

static int calls[NAMES];
static void count(gy_listener *listener, const void *payload) {
    (void)payload;
    calls[*(int *)listener->user]++;
}

static void nothing(gy_listener *listener, const void *payload) { (void)listener, (void)payload; }

TEST(emitter_event, a_thousand_names) {
    static char names[NAMES][24], copy[24];
    static gy_listener listeners[NAMES];
    static int number[NAMES];
    gy_emitter e = {0};
    for (int i = 0; i < NAMES; i++) {
        number[i] = i;
        listeners[i].user = &number[i];
        snprintf(names[i], sizeof names[i], "event-%d", i);
        CHECK_EQ(gy_on(&e, names[i], &listeners[i], count), 0);
    }
    CHECK(gyi_emitter_check(&e));
    for (int i = 0; i < NAMES; i += 3) CHECK(gy_off(&listeners[i]));
    CHECK(gyi_emitter_check(&e));
    for (int i = 0; i < NAMES; i++) {
        strcpy(copy, names[i]);
        CHECK_EQ(gy_emit(&e, copy, NULL), i % 3 != 0);
        CHECK_EQ(gy_emit(&e, names[i], NULL), i % 3 != 0);
        CHECK_EQ(calls[i], i % 3 != 0 ? 2 : 0);
    }
    int i = 0;
    for (gy_listener *l = gy_event_first(&e); l; l = gy_event_next(l), i++) {
        if (i % 3 == 0) i++;
        CHECK_STR(l->name, names[i]);
    }
    gy_emitter_close(&e);
    for (i = 0; i < NAMES; i++) CHECK(!gy_listener_active(&listeners[i]));
}

/* The name that stands for an event goes with its first listener, and with it its memory. */
TEST(emitter_event, a_name_is_needed_only_while_its_listener_is_there) {
    gy_emitter e = {0};
    gy_listener a = {0}, b = {0};
    char *one = calloc(1, 8), *two = calloc(1, 8);
    CHECK(one && two);
    strcpy(one, "x"), strcpy(two, "x");
    CHECK_EQ(gy_on(&e, one, &a, nothing), 0);
    CHECK_EQ(gy_on(&e, two, &b, nothing), 0);
    CHECK_EQ(gy_emit(&e, "x", NULL), 2);
    CHECK(gy_off(&a));
    memset(one, 'z', 7), free(one);
    CHECK_EQ(gy_emit(&e, "x", NULL), 1);
    CHECK(gy_event_first(&e)->name == two);
    CHECK(gy_off(&b));
    free(two);
    CHECK_EQ(gy_emit(&e, "x", NULL), 0);
}

TEST(emitter_event, the_monitor_is_known_by_its_address) {
    CHECK(gyi_event_same("ab", (char[]){"ab"}));
    CHECK(!gyi_event_same("ab", "ac"));
    CHECK(gyi_event_same(gy_error_monitor, gy_error_monitor));
    char copy[32];
    strcpy(copy, gy_error_monitor);
    CHECK(!gyi_event_same(copy, gy_error_monitor));
    CHECK(!gyi_event_same(gy_error_monitor, copy));
}

TEST(emitter_event, counting_ends_where_it_is_told) {
    gy_emitter e = {0};
    gy_listener l[5] = {{0}};
    for (int i = 0; i < 5; i++) CHECK_EQ(gy_on(&e, "x", &l[i], nothing), 0);
    CHECK_EQ(gyi_event_count(&l[0], SIZE_MAX), 5);
    CHECK_EQ(gyi_event_count(&l[0], 3), 3);
    CHECK_EQ(gyi_event_count(&l[0], 1), 1);
}

/* Frames on fibers leave in any order. */
TEST(emitter_event, frames_leave_in_any_order) {
    gy_emitter e = {0};
    gy_listener a = {0}, b = {0}, c = {0};
    gyi_emit f[3];
    CHECK_EQ(gy_on(&e, "x", &a, nothing), 0);
    CHECK_EQ(gy_on(&e, "x", &b, nothing), 0);
    CHECK_EQ(gy_on(&e, "x", &c, nothing), 0);
    for (int i = 0; i < 3; i++) gyi_emit_push(&f[i], &e, &a);
    CHECK(gyi_emitter_check(&e));
    CHECK(gy_off(&c));
    for (int i = 0; i < 3; i++) CHECK(f[i].next == &a && f[i].last == &b);
    CHECK(gyi_emit_pop(&f[1]));
    CHECK(gyi_emitter_check(&e));
    CHECK(gy_off(&a));
    CHECK(f[0].next == &b && f[2].next == &b);
    CHECK(gyi_emit_pop(&f[0]));
    CHECK(gyi_emitter_check(&e));
    CHECK(gy_off(&b));
    CHECK(!f[2].next);
    gy_emitter_close(&e);
    CHECK(!gyi_emit_pop(&f[2]));
    CHECK(!e.priv.emits);
}

TEST(emitter_event, the_checker_sees_what_is_broken) {
    gy_emitter e = {0}, other = {0};
    gy_listener a = {0}, b = {0}, c = {0}, d = {0};
    gyi_emit frame;
    CHECK_EQ(gy_on(&e, "x", &a, nothing), 0);
    CHECK_EQ(gy_on(&e, "x", &b, nothing), 0);
    CHECK_EQ(gy_on(&e, "y", &c, nothing), 0);
    CHECK_EQ(gy_on(&e, "newListener", &d, nothing), 0);
    gyi_emit_push(&frame, &e, &a);
    CHECK(gyi_emitter_check(&e));
#define BROKEN(place, value)                                                                                          \
    do {                                                                                                              \
        __typeof__(place) kept = (place);                                                                             \
        (place) = (value);                                                                                            \
        CHECK(!gyi_emitter_check(&e));                                                                                \
        (place) = kept;                                                                                               \
        CHECK(gyi_emitter_check(&e));                                                                                 \
    } while (0)
    BROKEN(a.priv.next, &a);
    BROKEN(b.priv.prev, &b);
    BROKEN(b.priv.next, NULL);
    BROKEN(b.emitter, &other);
    BROKEN(b.name, "z");
    BROKEN(b.priv.fn, NULL);
    BROKEN(b.priv.event_prev, &b);
    BROKEN(b.priv.flags, GYI_LISTENER_WARNED);
    BROKEN(c.priv.flags, GYI_LISTENER_WARNED);
    BROKEN(c.priv.flags, GYI_LISTENER_FIRING);
    BROKEN(c.name, "x");
    BROKEN(c.priv.event_prev, &d);
    BROKEN(a.priv.event_prev, &c);
    BROKEN(c.priv.event_next, NULL);
    BROKEN(e.priv.flags, 0);
    BROKEN(e.priv.flags, GYI_EMITTER_NEW | GYI_EMITTER_MONITOR);
    BROKEN(e.priv.events, &b);
    BROKEN(frame.back, &frame.outer);
    BROKEN(frame.emitter, NULL);
    BROKEN(frame.last, &c);
    BROKEN(frame.firing, &a);
#undef BROKEN
    frame.next = &b, frame.last = &a;
    CHECK(!gyi_emitter_check(&e));
}
