/* SPDX-License-Identifier: ISC */
/* The next event as a promise: rules E37 and E38. What Node.js 20 does was seen in a program of the same steps: one
 * listener of the event and one of "error" while it waits, none after either outcome, and a promise that is told in a
 * microtask, after the ticks. When the event is emitted by a handler of "newListener" that hears of the second
 * listener, Node's stays on "error" for ever; here it goes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emitter/emitter.h"
#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"
#include "trail.h"

typedef struct stage {
    gy_loop *loop;
    gy_emitter emitter;
    gy_cancel token;
    gy_listener adding, removing, again;
    outcome out;
    int payload;
    trail trail;
} stage;

static stage *now;

static void stage_begin(stage *s) {
    *s = (stage){.payload = 5};
    now = s;
    CHECK_EQ(gy_loop_new(&s->loop, (gy_loop_opts){.backend = "sim"}), 0);
}

static size_t listeners(const stage *s) {
    return gy_listener_count(&s->emitter, "x") + gy_listener_count(&s->emitter, "error");
}

/* In every case, its listeners are gone, and no tie is left. */
static void stage_end(stage *s) {
    CHECK_EQ(gy_loop_run(s->loop), 0);
    CHECK_EQ(s->out.count, 1);
    CHECK_EQ(listeners(s), 0);
    CHECK(s->emitter.priv.ties == NULL);
    CHECK(gyi_emitter_check(&s->emitter));
    gy_cancel_close(&s->token);
    gy_emitter_close(&s->emitter);
    CHECK_EQ(gy_loop_free(s->loop), 0);
}

static gy_value note(gy_value value, void *ctx) {
    trail_add(&now->trail, "fulfilled");
    return outcome_note(value, ctx);
}

static void tick(gy_job *job) {
    (void)job;
    trail_add(&now->trail, "tick");
}

TEST(once, e37_the_next_event_fulfils_and_both_listeners_go) {
    stage s;
    gy_job job = {0};
    stage_begin(&s);
    gy_promise *p = gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){0});
    CHECK_EQ(gy_listener_count(&s.emitter, "x"), 1);
    CHECK_EQ(gy_listener_count(&s.emitter, "error"), 1);
    gy_then(p, note, &s.out);
    gy_defer(s.loop, &job, tick);
    CHECK_EQ(gy_emit(&s.emitter, "x", &s.payload), 1);
    CHECK_EQ(listeners(&s), 0);
    CHECK_EQ(gy_emit(&s.emitter, "x", NULL), 0);
    CHECK_EQ(s.out.count, 0);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "tick fulfilled");
    CHECK(s.out.value.ptr == &s.payload);
    stage_end(&s);
}

static gy_value copy_of(gy_value value, void *ctx) {
    memcpy(ctx, value.ptr, sizeof(int));
    return outcome_note(value, &now->out);
}

TEST(once, a_copy_is_the_promises) {
    stage s;
    int got = 0;
    stage_begin(&s);
    gy_promise *p = gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){.size = sizeof(int)});
    gy_promise_ref(p);
    gy_then(p, copy_of, &got);
    gy_emit(&s.emitter, "x", &s.payload);
    s.payload = -1;
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(got, 5);
    CHECK_EQ(*(int *)gy_promise_value(p).ptr, 5);
    gy_promise_free(p);
    p = gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){.size = sizeof(int)});
    gy_then(p, copy_of, &got);
    gy_emit(&s.emitter, "x", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(got, 0);
    s.out.count--;
    stage_end(&s);
}

TEST(once, a_copy_that_nobody_wants_goes) {
    stage s;
    stage_begin(&s);
    gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){.size = 100});
    char text[100] = "gone";
    gy_emit(&s.emitter, "x", text);
    s.out.count = 1;
    stage_end(&s);
}

TEST(once, e37_an_error_first_rejects) {
    stage s;
    outcome other = {.count = 0};
    stage_begin(&s);
    s.payload = -ENETDOWN;
    gy_once_opts opts = {.error = gy_payload_error};
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", opts), &s.out);
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){0}), &other);
    CHECK_EQ(gy_emit(&s.emitter, "error", &s.payload), 2);
    CHECK_EQ(listeners(&s), 0);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.out.err, -ENETDOWN);
    CHECK_EQ(other.err, GY_EEMITTED);
    stage_end(&s);
}

TEST(once, an_error_without_a_number_is_one_all_the_same) {
    stage s;
    int good = 3;
    stage_begin(&s);
    CHECK_EQ(gy_payload_error(NULL), GY_EEMITTED);
    CHECK_EQ(gy_payload_error(&good), GY_EEMITTED);
    gy_once_opts opts = {.error = gy_payload_error};
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", opts), &s.out);
    gy_emit(&s.emitter, "error", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.out.err, GY_EEMITTED);
    stage_end(&s);
}

TEST(once, e37_unless_error_is_what_is_waited_for) {
    stage s;
    stage_begin(&s);
    outcome_of(gy_once_promise(s.loop, &s.emitter, "error", (gy_once_opts){0}), &s.out);
    CHECK_EQ(listeners(&s), 1);
    gy_emit(&s.emitter, "error", &s.payload);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.out.err, 0);
    CHECK(s.out.value.ptr == &s.payload);
    stage_end(&s);
}

TEST(once, e37_a_token_calls_it_off) {
    stage s;
    stage_begin(&s);
    gy_once_opts opts = {.token = &s.token};
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", opts), &s.out);
    gy_cancel_now(&s.token, -EIO);
    CHECK_EQ(listeners(&s), 0);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.out.err, GY_ECANCELED);
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", opts), &s.out);
    CHECK_EQ(listeners(&s), 0);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.out.count, 2);
    CHECK_EQ(s.out.err, GY_ECANCELED);
    s.out.count--;
    stage_end(&s);
}

TEST(once, a_token_that_lives_long_gathers_nothing) {
    stage s;
    stage_begin(&s);
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){.token = &s.token}), &s.out);
    gy_emit(&s.emitter, "x", NULL);
    CHECK(s.token.priv.hooks.next == &s.token.priv.hooks);
    stage_end(&s);
}

static gy_value waits_twice(void *arg) {
    stage *s = arg;
    if (gy_value_err(gy_await(gy_once_promise(s->loop, &s->emitter, "x", (gy_once_opts){0})))) return gy_err(-EIO);
    trail_add(&s->trail, "first");
    gy_await(gy_once_promise(s->loop, &s->emitter, "y", (gy_once_opts){0}));
    trail_add(&s->trail, "second");
    return gy_num(0);
}

/* Node: "b seen false". */
TEST(once, e38_two_events_in_one_go_are_not_seen_one_after_the_other) {
    stage s;
    stage_begin(&s);
    gy_fiber_start(s.loop, (gy_fiber_opts){.fn = waits_twice, .arg = &s});
    gy_emit(&s.emitter, "x", NULL);
    gy_emit(&s.emitter, "y", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "first");
    gy_emit(&s.emitter, "y", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "first second");
    s.out.count = 1;
    stage_end(&s);
}

TEST(once, closing_the_emitter_rejects) {
    stage s;
    stage_begin(&s);
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){.token = &s.token}), &s.out);
    gy_emitter_close(&s.emitter);
    memset(&s.emitter, 0x55, sizeof s.emitter); /* freed, as it were */
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.out.err, GY_ECLOSED);
    s.emitter = (gy_emitter){0};
    stage_end(&s);
}

TEST(once, removing_all_listeners_of_the_event_rejects) {
    stage s;
    outcome other = {.count = 0}, third = {.count = 0};
    stage_begin(&s);
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){0}), &s.out);
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){0}), &third);
    outcome_of(gy_once_promise(s.loop, &s.emitter, "y", (gy_once_opts){0}), &other);
    gy_off_all(&s.emitter, "x");
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.out.err, GY_ECLOSED);
    CHECK_EQ(third.err, GY_ECLOSED);
    CHECK_EQ(listeners(&s), 1);
    CHECK_EQ(other.count, 0);
    gy_off_all(&s.emitter, NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(other.err, GY_ECLOSED);
    stage_end(&s);
}

TEST(once, losing_only_the_listener_of_errors_goes_on) {
    stage s;
    stage_begin(&s);
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){0}), &s.out);
    gy_off_all(&s.emitter, "error");
    CHECK_EQ(listeners(&s), 1);
    gy_emit(&s.emitter, "x", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.out.err, 0);
    stage_end(&s);
}

/* ---- handlers of "newListener" and "removeListener" that interfere ------------------------------------------------
 * */

static const char *on_name; /* at whose listener they act */

static void emit_x(gy_listener *listener, const void *payload) {
    const gy_listener_event *e = payload;
    if (strcmp(e->name, on_name) == 0) gy_emit(listener->emitter, "x", &now->payload);
}

static void emit_error(gy_listener *listener, const void *payload) {
    const gy_listener_event *e = payload;
    if (strcmp(e->name, on_name) == 0) gy_emit(listener->emitter, "error", NULL);
}

static void cancel(gy_listener *listener, const void *payload) {
    const gy_listener_event *e = payload;
    (void)listener;
    if (strcmp(e->name, on_name) == 0) gy_cancel_now(&now->token, GY_ECANCELED);
}

static void close_it(gy_listener *listener, const void *payload) {
    const gy_listener_event *e = payload;
    if (strcmp(e->name, on_name) == 0) gy_emitter_close(listener->emitter);
}

/* The second one that is told of a listener, which has to be there still. */
static void look(gy_listener *listener, const void *payload) {
    const gy_listener_event *e = payload;
    (void)listener;
    if (e) trail_add(&now->trail, e->listener->name ? e->name : "?");
}

static void interfere(gy_listener_fn *handler, const char *meta, const char *name, gy_emitter *emitter) {
    on_name = name;
    CHECK_EQ(gy_on(emitter, meta, &now->adding, handler), 0);
    CHECK_EQ(gy_on(emitter, meta, &now->again, look), 0);
}

/* Node: "newListener x, newListener error, [ 'inside' ] 0 1". */
TEST(once, e26_a_handler_that_emits_the_event_during_the_start_fulfils) {
    stage s;
    stage_begin(&s);
    interfere(emit_x, "newListener", "error", &s.emitter);
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){.size = sizeof(int)}), &s.out);
    CHECK_EQ(listeners(&s), 0);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.out.count, 1);
    CHECK_EQ(s.out.err, 0);
    gy_off_all(&s.emitter, "newListener");
    stage_end(&s);
}

TEST(once, e28_a_handler_may_close_the_emitter_or_cancel_during_the_start) {
    static const char *const names[] = {"x", "error"};
    for (int i = 0; i < 4; i++) {
        stage s;
        stage_begin(&s);
        interfere(i & 2 ? cancel : close_it, "newListener", names[i & 1], &s.emitter);
        outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){.token = &s.token}), &s.out);
        CHECK_EQ(listeners(&s), 0);
        CHECK_EQ(gy_loop_run(s.loop), 0);
        CHECK_EQ(s.out.err, i & 2 ? GY_ECANCELED : GY_ECLOSED);
        gy_off_all(&s.emitter, "newListener");
        stage_end(&s);
    }
}

static void remove_all(gy_listener *listener, const void *payload) {
    const gy_listener_event *e = payload;
    if (strcmp(e->name, on_name) == 0) gy_off_all(listener->emitter, "x");
}

TEST(once, a_handler_may_remove_all_listeners_during_the_start) {
    stage s;
    stage_begin(&s);
    interfere(remove_all, "newListener", "x", &s.emitter); /* its own is not there yet */
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){0}), &s.out);
    CHECK_EQ(listeners(&s), 2);
    on_name = "error"; /* now it is */
    outcome other = {.count = 0};
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){0}), &other);
    CHECK_EQ(listeners(&s), 0);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(other.err, GY_ECLOSED);
    CHECK_EQ(s.out.err, GY_ECLOSED);
    gy_off_all(&s.emitter, "newListener");
    stage_end(&s);
}

static void close_for_good(gy_emitter *emitter, const gy_leak *leak) {
    (void)leak;
    gy_emitter_close(emitter);
    memset(emitter, 0x55, sizeof *emitter); /* freed, as it were */
}

TEST(once, a_leak_hook_may_close_the_emitter_during_the_start) {
    for (int i = 0; i < 2; i++) {
        stage s;
        gy_listener there = {0};
        stage_begin(&s);
        gy_on(&s.emitter, i ? "error" : "x", &there, look);
        gy_emitter_set_max_listeners(&s.emitter, 1);
        s.emitter.leak = close_for_good;
        outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){0}), &s.out);
        CHECK_EQ(gy_loop_run(s.loop), 0);
        CHECK_EQ(s.out.err, GY_ECLOSED);
        s.emitter = (gy_emitter){0};
        stage_end(&s);
    }
}

static void emit_at_once(gy_emitter *emitter, const gy_leak *leak) { gy_emit(emitter, leak->name, NULL); }

TEST(once, what_is_over_before_it_listens_hears_nothing) {
    stage s;
    gy_listener there = {0};
    stage_begin(&s);
    interfere(cancel, "newListener", "x", &s.emitter);
    gy_on(&s.emitter, "x", &there, look);
    gy_emitter_set_max_listeners(&s.emitter, 1);
    s.emitter.leak = emit_at_once;
    s.token = (gy_cancel){0};
    outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){.token = &s.token}), &s.out);
    CHECK_EQ(listeners(&s), 1);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.out.err, GY_ECANCELED);
    gy_off_all(&s.emitter, NULL);
    stage_end(&s);
}

TEST(once, e29_handlers_of_the_removal_may_emit_cancel_or_close) {
    gy_listener_fn *const all[] = {emit_x, emit_error, cancel, close_it};
    static const char *const names[] = {"x", "error"};
    for (int i = 0; i < 32; i++) {
        stage s;
        stage_begin(&s);
        interfere(all[i & 3], "removeListener", names[(i >> 2) & 1], &s.emitter);
        outcome_of(gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){.token = &s.token}), &s.out);
        if (i < 8) gy_emit(&s.emitter, "x", &s.payload);
        else if (i < 16) gy_emit(&s.emitter, "error", NULL);
        else if (i < 24) gy_off_all(&s.emitter, "x");
        else gy_cancel_now(&s.token, GY_ECANCELED);
        CHECK_EQ(gy_loop_run(s.loop), 0);
        CHECK_EQ(s.out.count, 1);
        gy_off_all(&s.emitter, "removeListener");
        stage_end(&s);
    }
}

TEST(once, wrong_names_are_refused) {
    stage s;
    stage_begin(&s);
    outcome_of(gy_once_promise(s.loop, &s.emitter, NULL, (gy_once_opts){0}), &s.out);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.out.err, -EINVAL);
    gy_promise *p = gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){.size = SIZE_MAX});
    CHECK_EQ(gy_value_err(gy_promise_value(p)), -ENOMEM);
    outcome_of(p, &s.out);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    s.out.count--;
    stage_end(&s);
}

TEST(once, it_may_wait_when_the_loop_ends) {
    stage s;
    stage_begin(&s);
    gy_once_promise(s.loop, &s.emitter, "x", (gy_once_opts){.token = &s.token});
    gy_promise *p = gy_once_promise(s.loop, &s.emitter, "y", (gy_once_opts){.size = 4});
    gy_emit(&s.emitter, "y", NULL);
    CHECK_EQ(gy_promise_state_of(p), GY_FULFILLED);
    CHECK_EQ(gy_loop_free(s.loop), 0);
    CHECK_EQ(listeners(&s), 0);
    CHECK(s.emitter.priv.ties == NULL);
    gy_cancel_close(&s.token);
    gy_emitter_close(&s.emitter);
}

/* ---- handlers that wait ------------------------------------------------------------------------------------------ */

/* Handlers that are told of a listener may wait, in fibers: until they are back, the call that told them is not. */
static void adding_slowly(gy_listener *listener, const void *payload) {
    (void)listener;
    if (strcmp(((const gy_listener_event *)payload)->name, "error") == 0) gy_fiber_sleep(now->loop, GY_MS(1));
}

static void removing_slowly(gy_listener *listener, const void *payload) {
    (void)listener;
    if (strcmp(((const gy_listener_event *)payload)->name, "x") == 0) gy_fiber_sleep(now->loop, GY_MS(9));
}

static gy_value asks(void *arg) {
    stage *s = arg;
    outcome_of(gy_once_promise(s->loop, &s->emitter, "x", (gy_once_opts){.token = &s->token}), &s->out);
    return gy_num(0);
}

static gy_value cancels(void *arg) {
    gy_cancel_now(&((stage *)arg)->token, -EIO);
    return gy_num(0);
}

TEST(once, a_record_stays_while_somebody_takes_it_apart) {
    stage s;
    stage_begin(&s);
    CHECK_EQ(gy_on(&s.emitter, "newListener", &s.adding, adding_slowly), 0);
    CHECK_EQ(gy_on(&s.emitter, "removeListener", &s.removing, removing_slowly), 0);
    gy_fiber_start(s.loop, (gy_fiber_opts){.fn = asks, .arg = &s});
    CHECK_EQ(listeners(&s), 1);
    gy_fiber_start(s.loop, (gy_fiber_opts){.fn = cancels, .arg = &s});
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.out.err, GY_ECANCELED);
    stage_end(&s);
}
