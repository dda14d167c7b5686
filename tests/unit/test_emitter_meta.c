/* SPDX-License-Identifier: ISC */
/* The events that mean something: "error" and its monitor, "newListener", "removeListener", and the leak hook. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emitter/emitter.h"
#include "harness.h"

typedef struct ear ear;
struct ear {
    gy_listener on;
    char id;
    void (*then)(ear *self, const gy_listener_event *event);
    ear *other;
    const char *name; /* what `then` listens to */
};

static char heard[128];

static void note(char id) {
    size_t len = strlen(heard);
    CHECK(len + 1 < sizeof heard);
    heard[len] = id;
    heard[len + 1] = 0;
}

static void hear(gy_listener *listener, const void *payload) {
    ear *self = GY_OF(listener, ear, on);
    CHECK(gyi_emitter_check(listener->emitter));
    note(self->id);
    if (self->then) self->then(self, payload);
}

static void on(gy_emitter *emitter, const char *name, ear *e) {
    CHECK_EQ(gy_on(emitter, name, &e->on, hear), 0);
    CHECK(gyi_emitter_check(emitter));
}

static void note_subject(ear *self, const gy_listener_event *event) {
    (void)self;
    note(GY_OF(event->listener, ear, on)->id);
}

/* ---- error --------------------------------------------------------------------------------------------------- */

static int reports;
static void report(gy_loop *loop, gy_emitter *emitter, const char *name, const void *payload) {
    CHECK(!loop);
    CHECK_STR(name, "error");
    CHECK(payload == &reports);
    reports++;
    gy_emitter_close(emitter);
}

TEST(emitter_meta, e24_an_unheard_error_goes_to_the_hook) {
    gy_emitter e = {.unhandled = report};
    ear a = {.id = 'a'};
    char error[] = "error";
    CHECK_EQ(gy_emit(&e, error, &reports), GY_EUNHANDLED);
    CHECK_EQ(reports, 1);
    on(&e, "error", &a);
    CHECK_EQ(gy_emit(&e, error, &reports), 1);
    CHECK_EQ(gy_emit(&e, "errors", &reports), 0);
    CHECK_EQ(reports, 1);
}

static gy_emitter *seen;
static void loop_report(gy_loop *loop, gy_emitter *emitter, const char *name, const void *payload) {
    CHECK(loop && loop == emitter->loop);
    CHECK_STR(name, "error");
    CHECK(!payload);
    seen = emitter;
}

TEST(emitter_meta, e24_without_hook_the_loop_is_told) {
    gy_loop *loop;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim", .unhandled = loop_report}), 0);
    gy_emitter e = {.loop = loop};
    CHECK_EQ(gy_emit(&e, "error", NULL), GY_EUNHANDLED);
    CHECK(seen == &e);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(emitter_meta, e24_without_a_loop_it_is_on_standard_error) {
    gy_emitter e = {0};
    char line[128] = "";
    int ends[2], kept = dup(2);
    CHECK(kept >= 0 && pipe(ends) == 0);
    CHECK_EQ(dup2(ends[1], 2), 2);
    int got = gy_emit(&e, "error", NULL);
    CHECK_EQ(dup2(kept, 2), 2);
    CHECK_EQ(got, GY_EUNHANDLED);
    ssize_t length = read(ends[0], line, sizeof line - 1);
    CHECK(length > 0 && line[length - 1] == '\n');
    CHECK(strstr(line, "error"));
    close(ends[0]), close(ends[1]), close(kept);
}

static void drop_other(ear *self, const gy_listener_event *event) {
    (void)event;
    CHECK(gy_off(&self->other->on));
}

static void add_other(ear *self, const gy_listener_event *event) {
    (void)event;
    if (!gy_listener_active(&self->other->on)) on(self->on.emitter, self->name, self->other);
}

TEST(emitter_meta, e25_the_monitor_comes_first_and_does_not_count) {
    gy_emitter e = {.unhandled = report};
    ear m = {.id = 'm'}, a = {.id = 'a'};
    on(&e, "error", &a), on(&e, gy_error_monitor, &m);
    CHECK_EQ(gy_emit(&e, "error", &reports), 1);
    CHECK_STR(heard, "ma");
    CHECK_EQ(gy_emit(&e, "x", NULL), 0);
    CHECK_EQ(gy_emit(&e, "errorMonitor", NULL), 0);
    CHECK(gy_off(&a.on));
    CHECK_EQ(gy_emit(&e, "error", &reports), GY_EUNHANDLED);
    CHECK_EQ(reports, 1);
    CHECK_STR(heard, "mam");
}

TEST(emitter_meta, e25_a_monitor_may_change_who_listens) {
    gy_emitter e = {.unhandled = report};
    ear a = {.id = 'a'}, m = {.id = 'm', .then = add_other, .other = &a, .name = "error"};
    on(&e, gy_error_monitor, &m);
    CHECK_EQ(gy_emit(&e, "error", &reports), 1);
    m.then = drop_other;
    CHECK_EQ(gy_emit(&e, "error", &reports), GY_EUNHANDLED);
    CHECK_EQ(reports, 1);
    CHECK_STR(heard, "mam");
}

static void close_emitter(ear *self, const gy_listener_event *event) {
    gy_emitter *emitter = self->on.emitter;
    (void)event;
    gy_emitter_close(emitter);
    memset(emitter, 0xA5, sizeof *emitter);
}

TEST(emitter_meta, e25_a_monitor_may_close_the_emitter) {
    gy_emitter e = {.unhandled = report};
    ear a = {.id = 'a'}, m = {.id = 'm', .then = close_emitter};
    on(&e, "error", &a), on(&e, gy_error_monitor, &m);
    CHECK_EQ(gy_emit(&e, "error", &reports), GY_EUNHANDLED);
    CHECK_EQ(reports, 0);
    CHECK_STR(heard, "m");
}

/* ---- newListener --------------------------------------------------------------------------------------------- */

static void expect_idle(ear *self, const gy_listener_event *event) {
    CHECK(!gy_listener_active(event->listener));
    CHECK_STR(event->name, self->name);
    note(GY_OF(event->listener, ear, on)->id);
}

TEST(emitter_meta, e26_new_listener_comes_before_the_listener_is_added) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, n = {.id = '+', .then = expect_idle, .name = "x"};
    on(&e, "newListener", &n);
    on(&e, "x", &a);
    CHECK_EQ(gy_once(&e, "x", &b.on, hear), 0);
    CHECK_STR(heard, "+a+b");
    CHECK(gy_listener_first(&e, "x") == &a.on);
}

TEST(emitter_meta, e26_what_a_handler_adds_comes_first) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, n = {.id = '+', .then = add_other, .other = &b, .name = "x"};
    CHECK_EQ(gy_once(&e, "newListener", &n.on, hear), 0);
    on(&e, "x", &a);
    heard[0] = 0;
    CHECK_EQ(gy_emit(&e, "x", NULL), 2);
    CHECK_STR(heard, "ba");
}

TEST(emitter_meta, e27_the_second_new_listener_is_told_to_the_first) {
    gy_emitter e = {0};
    ear m = {.id = 'm', .then = note_subject}, n = {.id = 'n', .then = note_subject};
    on(&e, "newListener", &m);
    CHECK_STR(heard, "");
    on(&e, "newListener", &n);
    CHECK_STR(heard, "mn");
}

static void take_away(ear *self, const gy_listener_event *event) {
    CHECK(gy_off(&self->on));
    CHECK_EQ(gy_on(self->on.emitter, "elsewhere", event->listener, hear), 0);
}

TEST(emitter_meta, e28_a_handler_that_uses_the_listener_itself_wins) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, n = {.id = 'n', .then = take_away};
    on(&e, "newListener", &n);
    CHECK_EQ(gy_on(&e, "x", &a.on, hear), -EALREADY);
    CHECK_STR(a.on.name, "elsewhere");
    CHECK_EQ(gy_listener_count(&e, "x"), 0);
    CHECK(gyi_emitter_check(&e));
}

TEST(emitter_meta, e28_a_handler_may_close_the_emitter) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, n = {.id = 'n', .then = close_emitter};
    on(&e, "newListener", &n);
    CHECK_EQ(gy_on(&e, "x", &a.on, hear), GY_ECLOSED);
    CHECK(!gy_listener_active(&a.on) && !a.on.emitter);
}

/* ---- removeListener ------------------------------------------------------------------------------------------ */

TEST(emitter_meta, e29_remove_listener_comes_after_the_removal) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, r = {.id = '-', .then = expect_idle, .name = "x"};
    on(&e, "x", &a), on(&e, "removeListener", &r);
    CHECK_EQ(gy_once(&e, "x", &b.on, hear), 0);
    CHECK_EQ(gy_emit(&e, "x", NULL), 2);
    CHECK_STR(heard, "a-bb"); /* of the once listener before its call */
    CHECK(gy_off(&a.on));
    CHECK_STR(heard, "a-bb-a");
    CHECK(gy_off(&r.on)); /* nobody is left to hear of this one */
    CHECK_STR(heard, "a-bb-a");
}

static void off_and_wipe(ear *self, const gy_listener_event *event) {
    ear *subject = GY_OF(event->listener, ear, on);
    (void)self;
    CHECK_EQ(gy_on(&(gy_emitter){0}, "y", event->listener, hear), -EALREADY);
    CHECK(gy_off(event->listener));
    CHECK(!gy_off(event->listener));
    memset(subject, 0xA5, sizeof *subject);
}

TEST(emitter_meta, e29_a_handler_may_take_the_one_call_away) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, r = {.id = '-', .then = off_and_wipe};
    on(&e, "removeListener", &r);
    CHECK_EQ(gy_once(&e, "x", &a.on, hear), 0);
    on(&e, "x", &b);
    CHECK_EQ(gy_emit(&e, "x", NULL), 1);
    CHECK_STR(heard, "-b");
    CHECK(gyi_emitter_check(&e));
}

static void clear_event(ear *self, const gy_listener_event *event) {
    if (GY_OF(event->listener, ear, on)->id == 'a') gy_off_all(self->on.emitter, self->name);
}

TEST(emitter_meta, e29_off_all_takes_the_one_call_away) {
    for (int all = 0; all < 2; all++) {
        gy_emitter e = {0};
        ear a = {.id = 'a'}, b = {.id = 'b'}, r = {.id = '-', .then = clear_event, .name = all ? NULL : "x"};
        on(&e, "removeListener", &r);
        CHECK_EQ(gy_once(&e, "x", &a.on, hear), 0);
        on(&e, "x", &b);
        heard[0] = 0;
        CHECK_EQ(gy_emit(&e, "x", NULL), 0);
        CHECK_STR(heard, "--");
        CHECK_EQ(gy_listener_active(&r.on), !all);
        CHECK_EQ(gy_on(&e, "x", &a.on, hear), 0);
    }
}

TEST(emitter_meta, e30_handlers_may_close_the_emitter) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, r = {.id = '-', .then = close_emitter};
    for (int way = 0; way < 4; way++) {
        e = (gy_emitter){0};
        heard[0] = 0;
        CHECK_EQ(gy_once(&e, "x", &a.on, hear), 0);
        on(&e, "x", &b), on(&e, "removeListener", &r);
        if (way == 0) CHECK_EQ(gy_emit(&e, "x", NULL), 0);
        if (way == 1) CHECK(gy_off(&a.on));
        if (way == 2) gy_off_all(&e, "x");
        if (way == 3) gy_off_all(&e, NULL);
        CHECK_STR(heard, "-");
        CHECK(!gy_listener_active(&a.on) && !gy_listener_active(&b.on) && !gy_off(&a.on));
    }
}

TEST(emitter_meta, e30_handlers_may_remove_and_add) {
    gy_emitter e = {0};
    ear a = {.id = 'a'}, b = {.id = 'b'}, c = {.id = 'c'};
    ear r = {.id = '-', .then = drop_other, .other = &a}, n = {.id = '+', .then = add_other, .other = &c, .name = "y"};
    on(&e, "x", &a), on(&e, "x", &b);
    CHECK_EQ(gy_once(&e, "removeListener", &r.on, hear), 0);
    gy_off_all(&e, "x"); /* b goes, r hears of it and removes a, of which nobody hears: r was there for one call */
    CHECK_STR(heard, "-");
    CHECK(!gy_event_first(&e));
    CHECK_EQ(gy_once(&e, "newListener", &n.on, hear), 0);
    on(&e, "x", &a);
    CHECK(gy_listener_active(&c.on));
}

/* ---- the limit ----------------------------------------------------------------------------------------------- */

static size_t warned_count, warned_limit;
static int warnings;
static void warn(gy_emitter *emitter, const gy_leak *leak) {
    CHECK(gyi_emitter_check(emitter));
    CHECK(gy_listener_active(leak->listener) && leak->name == leak->listener->name);
    warned_count = leak->count;
    warned_limit = leak->limit;
    warnings++;
}

TEST(emitter_meta, e35_too_many_listeners_are_told_once) {
    gy_emitter e = {.leak = warn};
    gy_listener many[13] = {{0}}, front = {0};
    for (int i = 0; i < 10; i++) CHECK_EQ(gy_on(&e, "x", &many[i], hear), 0);
    CHECK_EQ(warnings, 0);
    for (int i = 10; i < 13; i++) CHECK_EQ(gy_on(&e, "x", &many[i], hear), 0);
    CHECK_EQ(warnings, 1);
    CHECK_EQ(warned_count, 11);
    CHECK_EQ(warned_limit, 10);
    CHECK_EQ(gy_prepend(&e, "x", &front, hear), 0);
    for (int i = 0; i < 12; i++) CHECK(gy_off(&many[i])); /* two are left: not few enough */
    for (int i = 0; i < 12; i++) CHECK_EQ(gy_on(&e, "x", &many[i], hear), 0);
    CHECK_EQ(warnings, 1);
    for (int i = 0; i < 13; i++) CHECK(gy_off(&many[i])); /* one is left */
    for (int i = 0; i < 12; i++) CHECK_EQ(gy_prepend(&e, "x", &many[i], hear), 0);
    CHECK_EQ(warnings, 2);
    CHECK(gyi_emitter_check(&e));
}

TEST(emitter_meta, e35_the_limit_is_the_emitters) {
    gy_emitter e = {.leak = warn}, quiet = {0};
    gy_listener many[30] = {{0}}, more[30] = {{0}};
    CHECK_EQ(gy_emitter_set_max_listeners(&e, 0), 0);
    for (int i = 0; i < 28; i++) CHECK_EQ(gy_on(&e, "x", &many[i], hear), 0);
    for (int i = 0; i < 28; i++) CHECK_EQ(gy_on(&quiet, "x", &more[i], hear), 0);
    CHECK_EQ(warnings, 0);
    CHECK_EQ(gy_emitter_set_max_listeners(&e, 2), 0);
    CHECK_EQ(gy_prepend(&e, "x", &many[28], hear), 0);
    CHECK_EQ(warnings, 1);
    CHECK_EQ(warned_count, 29);
    CHECK_EQ(warned_limit, 2);
    gy_emitter_close(&e);
    CHECK_EQ(gy_on(&e, "x", &many[0], hear), 0);
    CHECK_EQ(gy_on(&e, "y", &many[1], hear), 0);
    CHECK_EQ(warnings, 1);
}

static void close_on_leak(gy_emitter *emitter, const gy_leak *leak) {
    (void)leak;
    gy_emitter_close(emitter);
    memset(emitter, 0xA5, sizeof *emitter);
}

TEST(emitter_meta, e35_the_hook_may_close_the_emitter) {
    gy_emitter e = {.leak = close_on_leak};
    gy_listener a = {0}, b = {0};
    CHECK_EQ(gy_emitter_set_max_listeners(&e, 1), 0);
    CHECK_EQ(gy_on(&e, "x", &a, hear), 0);
    CHECK_EQ(gy_on(&e, "x", &b, hear), 0);
    CHECK(!gy_listener_active(&a) && !gy_listener_active(&b));
}

TEST(emitter_meta, e36_a_limit_is_not_negative) {
    gy_emitter e = {0};
    CHECK_EQ(gy_emitter_set_max_listeners(&e, -1), -EINVAL);
    CHECK_EQ(e.priv.limit, 0);
}
