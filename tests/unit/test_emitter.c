/* SPDX-License-Identifier: ISC */
/* The emitter's rules, one test for each: the names carry the rule's number, and docs/internals/emitter.md has the
 * table. A listener here is an `ear`: it writes its letter into a log and then does what the test wants. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emitter/emitter.h"
#include "harness.h"

typedef struct ear ear;
struct ear {
    gy_listener on;
    char id;
    void (*then)(ear *self, const void *payload);
    ear *other;
    gy_emitter *emitter;
};

static char heard[128];
static const void *last_payload;

static void note(char id) {
    size_t len = strlen(heard);
    CHECK(len + 1 < sizeof heard);
    heard[len] = id;
    heard[len + 1] = 0;
}

static void hear(gy_listener *listener, const void *payload) {
    ear *self = GY_OF(listener, ear, on);
    last_payload = payload;
    CHECK(gyi_emitter_check(listener->emitter));
    note(self->id);
    if (self->then) self->then(self, payload);
}

/* What an emit of `name` says in the log. */
static const char *said(gy_emitter *emitter, const char *name) {
    heard[0] = 0;
    (void)gy_emit(emitter, name, NULL);
    CHECK(gyi_emitter_check(emitter));
    return heard;
}

static void on(gy_emitter *emitter, const char *name, ear *e) {
    CHECK_EQ(gy_on(emitter, name, &e->on, hear), 0);
    CHECK(gyi_emitter_check(emitter));
}

static void drop_other(ear *self, const void *payload) {
    (void)payload;
    CHECK(gy_off(&self->other->on));
}

static void add_other(ear *self, const void *payload) {
    (void)payload;
    (void)gy_on(self->on.emitter, self->on.name, &self->other->on, hear);
}

static void emit_again(ear *self, const void *payload) {
    (void)payload;
    (void)gy_emit(self->on.emitter, self->on.name, NULL);
}

/* ---- registration -------------------------------------------------------------------------------------------- */

TEST(emitter, e01_on_appends) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, c = {.id = 'c'};
    on(&e, "x", &a), on(&e, "x", &b), on(&e, "x", &c);
    CHECK_STR(said(&e, "x"), "abc");
    CHECK(a.on.emitter == &e);
    CHECK_STR(a.on.name, "x");
}

TEST(emitter, e03_one_function_in_two_listeners_is_called_twice) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'};
    on(&e, "x", &a), on(&e, "x", &b);
    CHECK_EQ(gy_on(&e, "x", &a.on, hear), -EALREADY);
    CHECK_EQ(gy_once(&e, "y", &a.on, hear), -EALREADY);
    CHECK_STR(said(&e, "x"), "ab");
    CHECK_STR(said(&e, "y"), "");
}

TEST(emitter, e04_prepend_puts_first) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, c = {.id = 'c'};
    CHECK_EQ(gy_prepend(&e, "x", &a.on, hear), 0);
    CHECK_EQ(gy_prepend(&e, "x", &b.on, hear), 0);
    CHECK_EQ(gy_prepend_once(&e, "x", &c.on, hear), 0);
    CHECK_STR(said(&e, "x"), "cba");
    CHECK_STR(said(&e, "x"), "ba");
}

TEST(emitter, e05_once_is_removed_before_its_call) {
    gy_emitter e = {0};
    ear a = {.id = 'a', .then = emit_again}, b = {.id = 'b'};
    CHECK_EQ(gy_once(&e, "x", &a.on, hear), 0);
    CHECK(a.on.once);
    on(&e, "x", &b);
    CHECK_STR(said(&e, "x"), "abb");
    CHECK(!gy_listener_active(&a.on));
}

TEST(emitter, e06_once_runs_once_though_two_emits_could) {
    gy_emitter e = {0};
    ear a = {.id = 'a', .then = emit_again}, b = {.id = 'b'};
    CHECK_EQ(gy_once(&e, "x", &a.on, hear), 0);
    CHECK_EQ(gy_once(&e, "x", &b.on, hear), 0);
    CHECK_STR(said(&e, "x"), "ab");
    CHECK_EQ(gy_emit(&e, "x", NULL), 0);
}

TEST(emitter, e07_nothing_changes_without_function_or_name) {
    gy_emitter e = {0};
    ear a = {.id = 'a'};
    CHECK_EQ(gy_on(&e, "x", &a.on, NULL), -EINVAL);
    CHECK_EQ(gy_once(&e, NULL, &a.on, hear), -EINVAL);
    CHECK_EQ(gy_prepend(&e, "x", &a.on, NULL), -EINVAL);
    CHECK_EQ(gy_prepend_once(&e, NULL, &a.on, hear), -EINVAL);
    CHECK_EQ(gy_emit(&e, NULL, NULL), -EINVAL);
    CHECK(!a.on.emitter && !a.on.name && !gy_event_first(&e));
    CHECK_EQ(gy_listener_count(&e, NULL), 0);
}

TEST(emitter, e08_every_text_is_a_name) {
    static const char *const names[] = {"", "__proto__", "toString", "constructor", "errorMonitor", "7", "\xc3\xa9"};
    enum { COUNT = sizeof names / sizeof *names };
    gy_emitter e = {0};
    ear ears[COUNT] = {{.id = 0}};
    for (size_t i = 0; i < COUNT; i++) {
        ears[i].id = (char)('a' + i);
        on(&e, names[i], &ears[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        char copy[16], expected[2] = {(char)('a' + i), 0};
        strcpy(copy, names[i]);
        CHECK_STR(said(&e, copy), expected);
    }
    CHECK_STR(said(&e, "hasOwnProperty"), "");
}

/* ---- removal ------------------------------------------------------------------------------------------------- */

TEST(emitter, e09_off_removes_the_listener_that_is_named) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, c = {.id = 'c'};
    on(&e, "x", &a), on(&e, "x", &b), on(&e, "x", &c);
    CHECK(gy_off(&b.on));
    CHECK_STR(said(&e, "x"), "ac");
    CHECK(gy_off(&a.on));
    CHECK_STR(said(&e, "x"), "c");
    on(&e, "x", &b), on(&e, "x", &a);
    CHECK(gy_off(&a.on));
    CHECK_STR(said(&e, "x"), "cb");
}

TEST(emitter, e10_off_removes_a_once_listener) {
    gy_emitter e = {0};
    ear a = {.id = 'a'};
    CHECK_EQ(gy_once(&e, "x", &a.on, hear), 0);
    CHECK(gy_off(&a.on));
    CHECK_STR(said(&e, "x"), "");
}

TEST(emitter, e11_off_of_an_idle_listener_is_no_error) {
    gy_emitter e = {0};
    ear a = {.id = 'a'};
    CHECK(!gy_off(&a.on));
    on(&e, "x", &a);
    CHECK(gy_off(&a.on));
    CHECK(!gy_off(&a.on));
    gy_emitter_close(&e);
    memset(&e, 0xA5, sizeof e);
    CHECK(!gy_off(&a.on));
}

static void note_removed(ear *self, const void *payload) {
    const gy_listener_event *event = payload;
    (void)self;
    CHECK(!gy_listener_active(event->listener));
    CHECK(event->name == event->listener->name);
    note(GY_OF(event->listener, ear, on)->id);
}

TEST(emitter, e12_off_all_tells_of_each_last_first) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, c = {.id = 'c'}, r = {.id = '-', .then = note_removed};
    ear q = {.id = '=', .then = note_removed};
    on(&e, "x", &a), on(&e, "removeListener", &r), on(&e, "x", &b), on(&e, "y", &c);
    heard[0] = 0;
    gy_off_all(&e, "x");
    CHECK_STR(heard, "-b-a");
    CHECK_EQ(gy_listener_count(&e, "y"), 1);
    gy_off_all(&e, "nobody");
    on(&e, "x", &a), on(&e, "removeListener", &q);
    heard[0] = 0;
    gy_off_all(&e, NULL);
    CHECK_STR(heard, "-c=c-a=a-=");
    CHECK(!gy_event_first(&e));
    CHECK(gyi_emitter_check(&e));
}

static void add_removed(ear *self, const void *payload) {
    const gy_listener_event *event = payload;
    (void)gy_on(self->on.emitter, event->name, event->listener, hear);
}

TEST(emitter, e13_nothing_is_left_after_off_all) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, r = {.id = 'r', .then = add_removed}, s = {.id = 's', .then = add_other};
    ear late = {.id = 'l'};
    s.other = &late;
    on(&e, "x", &a), on(&e, "y", &b), on(&e, "removeListener", &r);
    CHECK_EQ(gy_once(&e, "removeListener", &s.on, hear), 0);
    gy_off_all(&e, NULL);
    CHECK(!gy_event_first(&e));
    CHECK(!gy_listener_active(&a.on) && !gy_listener_active(&r.on) && !gy_listener_active(&late.on));
    CHECK(gyi_emitter_check(&e));
    on(&e, "x", &a), on(&e, "removeListener", &r);
    gy_off_all(&e, "x");
    CHECK(gy_listener_active(&a.on));
}

TEST(emitter, e14_names_go_with_their_last_listener_and_come_back_last) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, c = {.id = 'c'};
    on(&e, "x", &a), on(&e, "y", &b), on(&e, "x", &c);
    CHECK(gy_off(&a.on));
    CHECK_STR(gy_event_first(&e)->name, "x");
    CHECK(gy_off(&c.on));
    CHECK_STR(gy_event_first(&e)->name, "y");
    CHECK(!gy_event_next(gy_event_first(&e)));
    on(&e, "x", &a);
    CHECK_STR(gy_event_next(gy_event_first(&e))->name, "x");
}

/* ---- emission ------------------------------------------------------------------------------------------------ */

TEST(emitter, e15_e16_emit_calls_now_and_in_order) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, c = {.id = 'c'};
    on(&e, "x", &b), on(&e, "x", &c);
    CHECK_EQ(gy_prepend(&e, "x", &a.on, hear), 0);
    heard[0] = 0;
    CHECK_EQ(gy_emit(&e, "x", NULL), 3);
    CHECK_STR(heard, "abc");
}

TEST(emitter, e17_added_ones_wait_and_removed_ones_are_not_called) {
    gy_emitter e = {0};
    ear a = {.id = 'a', .then = drop_other}, b = {.id = 'b', .then = add_other}, c = {.id = 'c'}, d = {.id = 'd'};
    a.other = &c;
    b.other = &c;
    on(&e, "x", &a), on(&e, "x", &b), on(&e, "x", &c), on(&e, "x", &d);
    CHECK_STR(said(&e, "x"), "abd"); /* c was removed, and added again behind d */
    a.then = NULL;
    CHECK_STR(said(&e, "x"), "abdc");
}

static void prepend_other(ear *self, const void *payload) {
    (void)payload;
    (void)gy_prepend(self->on.emitter, self->on.name, &self->other->on, hear);
}

TEST(emitter, e17_one_listener_may_add_to_itself) {
    gy_emitter e = {0};
    ear a = {.id = 'a', .then = add_other}, b = {.id = 'b', .then = prepend_other}, c = {.id = 'c'};
    a.other = &b;
    b.other = &c;
    on(&e, "x", &a);
    CHECK_STR(said(&e, "x"), "a");
    CHECK_STR(said(&e, "x"), "ab");
    CHECK_STR(said(&e, "x"), "cab");
}

static void drop_all(ear *self, const void *payload) {
    (void)payload;
    gy_off_all(self->on.emitter, self->on.name);
}

TEST(emitter, e17_removing_all_ends_the_emit) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b', .then = drop_all}, c = {.id = 'c'};
    on(&e, "x", &a), on(&e, "x", &b), on(&e, "x", &c);
    heard[0] = 0;
    CHECK_EQ(gy_emit(&e, "x", NULL), 2);
    CHECK_STR(heard, "ab");
}

static void emit_twice_deep(ear *self, const void *payload) {
    (void)payload;
    if (strlen(heard) < 4) (void)gy_emit(self->on.emitter, self->on.name, NULL);
}

TEST(emitter, e18_nested_emits_end_first) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b', .then = emit_twice_deep}, c = {.id = 'c'};
    on(&e, "x", &a), on(&e, "x", &b), on(&e, "x", &c);
    CHECK_STR(said(&e, "x"), "ababcc");
}

TEST(emitter, e19_emit_returns_how_many_were_called) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'};
    CHECK_EQ(gy_emit(&e, "x", NULL), 0);
    on(&e, "x", &a);
    CHECK_EQ(gy_emit(&e, "x", NULL), 1);
    on(&e, "x", &b);
    CHECK_EQ(gy_emit(&e, "x", NULL), 2);
    CHECK_EQ(gy_emit(&e, "y", NULL), 0);
}

struct message {
    int number;
};
GY_EVENT(message, struct message);
GY_EVENT_NAMED(room_tick, "tick", void);

static int sum;
static void add_number(gy_listener *listener, const struct message *m) {
    sum += m->number * *(int *)listener->user;
}
static void count_tick(gy_listener *listener, const void *nothing) {
    (void)listener;
    sum += nothing ? 0 : 1000;
}

TEST(emitter, e20_the_payload_is_handed_over_typed_or_not) {
    gy_emitter e = {0};
    ear a = {.id = 'a'};
    int one = 1, ten = 10, payload = 0;
    gy_listener l = {.user = &one}, m = {.user = &ten}, t = {0};
    struct message seven = {7};
    on(&e, "x", &a);
    CHECK_EQ(gy_emit(&e, "x", &payload), 1);
    CHECK(last_payload == &payload);
    CHECK_EQ(message_on(&e, &l, NULL), -EINVAL);
    CHECK_EQ(message_on(&e, &l, add_number), 0);
    CHECK_EQ(message_prepend_once(&e, &m, add_number), 0);
    CHECK_EQ(room_tick_on(&e, &t, count_tick), 0);
    CHECK_EQ(message_emit(&e, &seven), 2);
    CHECK_EQ(sum, 77);
    CHECK_EQ(gy_emit(&e, "message", &seven), 1);
    CHECK_EQ(sum, 84);
    CHECK_EQ(room_tick_emit(&e, NULL), 1);
    CHECK_EQ(sum, 1084);
}

static void note_place(ear *self, const void *payload) {
    (void)payload;
    CHECK(self->on.emitter == self->emitter);
    CHECK_STR(self->on.name, "x");
}

TEST(emitter, e21_a_listener_finds_its_emitter_event_and_owner) {
    gy_emitter e = {0};
    ear a = {.id = 'a', .then = note_place, .emitter = &e}, b = a;
    on(&e, "x", &a);
    CHECK_EQ(gy_once(&e, "x", &b.on, hear), 0);
    CHECK_EQ(gy_emit(&e, "x", NULL), 2);
}

/* ---- freeing and limits -------------------------------------------------------------------------------------- */

struct room { /* an emitter that its own listener frees */
    gy_emitter emitter;
    ear a, b, c;
};

static void free_room(ear *self, const void *payload) {
    struct room *room = GY_OF(self->emitter, struct room, emitter);
    (void)payload;
    gy_emitter_close(&room->emitter);
    memset(room, 0xA5, sizeof *room);
    free(room);
}

TEST(emitter, e40_a_removed_listener_may_be_freed_during_an_emit) {
    gy_emitter e = {0};
    ear a = {.id = 'a', .then = drop_other}, *b = calloc(1, sizeof *b), c = {.id = 'c'};
    CHECK(b);
    b->id = 'b';
    a.other = b;
    on(&e, "x", &a), on(&e, "x", b), on(&e, "x", &c);
    CHECK_STR(said(&e, "x"), "ac");
    memset(b, 0xA5, sizeof *b);
    free(b);
    a.then = NULL;
    CHECK_STR(said(&e, "x"), "ac");
}

TEST(emitter, e41_closing_inside_an_emit_ends_it_and_the_memory_may_go) {
    for (int depth = 0; depth < 3; depth++) {
        struct room *room = calloc(1, sizeof *room);
        CHECK(room);
        room->a = (ear){.id = 'a', .then = depth ? emit_twice_deep : free_room, .emitter = &room->emitter};
        room->b = (ear){.id = 'b', .then = free_room, .emitter = &room->emitter};
        room->c = (ear){.id = 'c'};
        on(&room->emitter, "x", &room->a);
        if (depth == 2) CHECK_EQ(gy_once(&room->emitter, "x", &room->b.on, hear), 0);
        else on(&room->emitter, "x", &room->b);
        on(&room->emitter, "x", &room->c);
        heard[0] = 0;
        CHECK_EQ(gy_emit(&room->emitter, "x", NULL), 1);
        CHECK_STR(heard, depth ? "aaaab" : "a");
    }
}

TEST(emitter, e41_a_closed_emitter_starts_anew) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, r = {.id = 'r'};
    on(&e, "x", &a), on(&e, "removeListener", &r);
    heard[0] = 0;
    gy_emitter_close(&e);
    gy_emitter_close(&e);
    CHECK_STR(heard, "");
    CHECK(!gy_listener_active(&a.on) && !gy_event_first(&e));
    on(&e, "x", &a);
    CHECK_STR(said(&e, "x"), "a");
}

TEST(emitter, e31_e32_e33_counting_and_listing) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, c = {.id = 'c'};
    on(&e, "x", &a), on(&e, "y", &b);
    CHECK_EQ(gy_once(&e, "x", &c.on, hear), 0);
    CHECK_EQ(gy_listener_count(&e, "x"), 2);
    CHECK_EQ(gy_listener_count(&e, "z"), 0);
    gy_listener *l = gy_listener_first(&e, "x");
    CHECK(l == &a.on && !l->once);
    l = gy_listener_next(l);
    CHECK(l == &c.on && l->once);
    CHECK(!gy_listener_next(l));
    CHECK(!gy_listener_first(&e, "z"));
    CHECK(!gy_listener_next(&(gy_listener){0}));
    l = gy_event_first(&e);
    CHECK_STR(l->name, "x");
    l = gy_event_next(l);
    CHECK_STR(l->name, "y");
    CHECK(!gy_event_next(l));
}
