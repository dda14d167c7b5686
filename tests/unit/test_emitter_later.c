/* SPDX-License-Identifier: ISC */
/* Queued emits, on a real loop in virtual time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emitter/emitter.h"
#include "gyre/timer.h"
#include "harness.h"

struct post {
    gy_emission emission;
    int number;
};
GY_EVENT(post, struct post);

static gy_loop *loop;
static char heard[64];

static gy_loop *start(void) {
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    return loop;
}

static const char *run(gy_emitter *emitter) {
    heard[0] = 0;
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(gyi_emitter_check(emitter));
    return heard;
}

static void hear(gy_listener *listener, const void *payload) {
    (void)listener;
    strcat(heard, payload ? payload : "-");
}

TEST(emitter_later, e15_it_is_emitted_by_the_loop_and_not_before) {
    gy_emitter e = {.loop = start()};
    gy_listener a = {0};
    gy_emission one = {0}, two = {0};
    CHECK_EQ(gy_on(&e, "x", &a, hear), 0);
    CHECK_EQ(gy_emit_later(loop, &e, "x", &one, "1"), 0);
    CHECK_EQ(gy_emit_later(loop, &e, "x", &two, "2"), 0);
    CHECK(gyi_emitter_check(&e));
    CHECK(gy_emission_active(&one) && one.emitter == &e);
    CHECK_STR(heard, "");
    CHECK_STR(run(&e), "12");
    CHECK(!gy_emission_active(&one) && !gy_emission_active(&two));
    CHECK_STR(run(&e), "");
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(emitter_later, a_queued_one_keeps_its_place_and_gets_the_new_payload) {
    gy_emitter e = {.loop = start()}, other = {0};
    gy_listener a = {0};
    gy_emission one = {0}, two = {0};
    gy_loop *elsewhere;
    char name[] = "x";
    CHECK_EQ(gy_loop_new(&elsewhere, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_on(&e, "x", &a, hear), 0);
    CHECK_EQ(gy_emit_later(loop, &e, "x", &one, "1"), 0);
    CHECK_EQ(gy_emit_later(loop, &e, "x", &two, "2"), 0);
    CHECK_EQ(gy_emit_later(loop, &e, name, &one, "3"), 1);
    CHECK_EQ(gy_emit_later(loop, &e, "y", &one, "4"), -EALREADY);
    CHECK_EQ(gy_emit_later(loop, &other, "x", &one, "5"), -EALREADY);
    CHECK_EQ(gy_emit_later(elsewhere, &e, "x", &one, "6"), -EALREADY);
    CHECK_EQ(gy_emit_later(loop, &e, NULL, &one, "7"), -EINVAL);
    CHECK_STR(one.payload, "3");
    CHECK_STR(run(&e), "32");
    CHECK_EQ(gy_loop_free(elsewhere), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(emitter_later, cancelling_takes_it_off_the_queue) {
    gy_emitter e = {.loop = start()};
    gy_listener a = {0};
    gy_emission m[3] = {{0}};
    const char *const texts[] = {"1", "2", "3"};
    CHECK_EQ(gy_on(&e, "x", &a, hear), 0);
    CHECK(!gy_emission_cancel(&m[0]));
    for (int gone = 0; gone < 3; gone++) {
        char expected[3] = {0};
        for (int i = 0; i < 3; i++) {
            CHECK_EQ(gy_emit_later(loop, &e, "x", &m[i], texts[i]), 0);
            if (i != gone) strcat(expected, texts[i]);
        }
        CHECK(gy_emission_cancel(&m[gone]));
        CHECK(!gy_emission_cancel(&m[gone]));
        CHECK(gyi_emitter_check(&e));
        CHECK_STR(run(&e), expected);
    }
    CHECK_EQ(gy_loop_free(loop), 0);
}

static int rounds;
static void go_on(gy_listener *listener, const struct post *p) {
    struct post *next = listener->user;
    CHECK(!gy_emission_active(&p->emission));
    if (++rounds < 5) CHECK_EQ(post_emit_later(loop, listener->emitter, &next->emission, p), 0);
    else free(next);
}

TEST(emitter_later, a_listener_may_queue_it_anew_or_free_it) {
    gy_emitter e = {.loop = start()};
    struct post *p = calloc(1, sizeof *p);
    CHECK(p);
    gy_listener a = {.user = p};
    CHECK_EQ(post_on(&e, &a, go_on), 0);
    CHECK_EQ(post_emit_later(loop, &e, &p->emission, p), 0);
    (void)run(&e);
    CHECK_EQ(rounds, 5);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static bool fired;
static void on_timer(gy_timer *timer) {
    (void)timer;
    fired = true;
}

static void until_fired(gy_listener *listener, const struct post *p) {
    (void)p;
    struct post *again = listener->user;
    if (++rounds < 1000 && !fired) CHECK_EQ(post_emit_later(loop, listener->emitter, &again->emission, NULL), 0);
}

TEST(emitter_later, an_event_that_queues_itself_does_not_starve_the_loop) {
    gy_emitter e = {.loop = start()};
    struct post p = {.number = 0};
    gy_listener a = {.user = &p};
    gy_timer timer = {0};
    CHECK_EQ(post_on(&e, &a, until_fired), 0);
    CHECK_EQ(post_emit_later(loop, &e, &p.emission, NULL), 0);
    gy_timer_start(loop, &timer, (gy_timer_opts){.fn = on_timer});
    (void)run(&e);
    CHECK(fired && rounds < 5);
    CHECK_EQ(gy_loop_free(loop), 0);
}

struct room {
    gy_emitter emitter;
    gy_listener listener;
    gy_emission own, next;
};

static void free_room(gy_listener *listener, const void *payload) {
    struct room *room = GY_OF(listener, struct room, listener);
    (void)payload;
    strcat(heard, "!");
    gy_emitter_close(&room->emitter);
    CHECK(!gy_emission_active(&room->next));
    memset(room, 0xA5, sizeof *room);
    free(room);
}

TEST(emitter_later, closing_the_emitter_cancels) {
    struct room *room = calloc(1, sizeof *room);
    gy_emitter e = {.loop = start()};
    gy_emission other = {0};
    gy_listener a = {0};
    CHECK(room);
    CHECK_EQ(gy_on(&room->emitter, "x", &room->listener, free_room), 0);
    CHECK_EQ(gy_on(&e, "x", &a, hear), 0);
    CHECK_EQ(gy_emit_later(loop, &room->emitter, "x", &room->own, NULL), 0);
    CHECK_EQ(gy_emit_later(loop, &e, "x", &other, NULL), 0);
    CHECK_EQ(gy_emit_later(loop, &room->emitter, "x", &room->next, NULL), 0);
    CHECK_STR(run(&e), "!-");
    CHECK_EQ(gy_emit_later(loop, &e, "x", &other, NULL), 0);
    gy_emitter_close(&e);
    CHECK(!gy_emission_active(&other));
    CHECK_STR(run(&e), "");
    CHECK_EQ(gy_loop_free(loop), 0);
}

static int reports;
static void report(gy_loop *where, gy_emitter *emitter, const char *name, const void *payload) {
    (void)where, (void)emitter, (void)name, (void)payload;
    reports++;
}

TEST(emitter_later, e24_an_unheard_error_is_reported_from_the_loop) {
    gy_emitter e = {.loop = start(), .unhandled = report};
    gy_emission one = {0};
    CHECK_EQ(gy_emit_later(loop, &e, "error", &one, NULL), 0);
    CHECK_EQ(reports, 0);
    (void)run(&e);
    CHECK_EQ(reports, 1);
    CHECK_EQ(gy_loop_free(loop), 0);
}
