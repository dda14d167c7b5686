/* SPDX-License-Identifier: ISC */
/* Listeners that return promises: rule E34. What Node.js 20 does was seen in a program of the same steps:
 *
 *   async listener, second listener, sync end, tick before, tick after, micro before, micro after, error event,
 *   tick of micro after
 *
 * for a listener that fails at once, a tick and a microtask queued before the emit, both again after it, and a tick
 * queued by the last of these. */
#include <errno.h>
#include <stdlib.h>

#include "emitter/emitter.h"
#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"
#include "scarce.h"
#include "trail.h"

typedef struct scene {
    gy_loop *loop;
    gy_emitter emitter;
    gy_async_listener async, other;
    gy_listener error, plain;
    gy_promise *promise; /* what `async` returns */
    gy_promise *second;  /* what `other` returns */
    trail trail;
    int unhandled, err, called;
    const char *name;
    bool closing; /* the error listener closes the emitter */
} scene;

static scene *now; /* for hooks that have no context */

static void scene_unhandled(gy_loop *loop, gy_promise *promise) {
    (void)loop;
    now->unhandled++;
    now->err = gy_value_err(gy_promise_value(promise));
    trail_add(&now->trail, "unhandled");
}

static void scene_begin(scene *s) {
    *s = (scene){.called = 0};
    now = s;
    CHECK_EQ(gy_loop_new(&s->loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_promise_on_unhandled(s->loop, scene_unhandled), 0);
    CHECK_EQ(gy_promise_new(s->loop, &s->promise), 0);
    s->emitter.loop = s->loop;
}

static void scene_end(scene *s) {
    CHECK_EQ(gy_loop_run(s->loop), 0);
    CHECK(gyi_emitter_check(&s->emitter));
    gy_promise_free(s->promise);
    gy_promise_free(s->second);
    gy_emitter_close(&s->emitter);
    CHECK_EQ(gy_loop_free(s->loop), 0);
}

static gy_promise *works(gy_async_listener *listener, const void *payload) {
    scene *s = GY_OF(listener, scene, async);
    (void)payload;
    trail_add(&s->trail, "async");
    s->called++;
    return s->promise;
}

static gy_promise *works_too(gy_async_listener *listener, const void *payload) {
    scene *s = GY_OF(listener, scene, other);
    (void)payload;
    trail_add(&s->trail, "other");
    return s->second;
}

static void hear_plain(gy_listener *listener, const void *payload) {
    (void)payload;
    trail_add(&GY_OF(listener, scene, plain)->trail, "second");
}

static void hear_error(gy_listener *listener, const void *payload) {
    scene *s = GY_OF(listener, scene, error);
    const gy_rejection *r = payload;
    trail_add(&s->trail, "error");
    s->err = r->err;
    s->name = r->name;
    CHECK_EQ(gy_payload_error(payload), r->err);
    CHECK_EQ(gy_value_err(gy_promise_value(r->promise)), r->err);
    if (s->closing) gy_emitter_close(&s->emitter);
}

typedef struct step {
    gy_job job;
    const char *word;
    struct step *then; /* a tick */
} step;

static void step_run(gy_job *job) {
    step *p = GY_OF(job, step, job);
    trail_add(&now->trail, p->word);
    if (p->then) gy_defer(now->loop, &p->then->job, step_run);
}

TEST(capture, e34_a_rejection_becomes_an_error_event_one_tick_later) {
    scene s;
    step tick = {.word = "tick"}, micro = {.word = "micro"}, tick2 = {.word = "tick2"}, nested = {.word = "nested"},
         micro2 = {.word = "micro2", .then = &nested};
    scene_begin(&s);
    CHECK_EQ(gy_on_async(s.loop, &s.emitter, "x", &s.async, works), 0);
    CHECK_EQ(gy_on(&s.emitter, "x", &s.plain, hear_plain), 0);
    CHECK_EQ(gy_on(&s.emitter, "error", &s.error, hear_error), 0);
    gy_promise_reject(s.promise, -EIO);
    gy_defer(s.loop, &tick.job, step_run);
    gy_microtask(s.loop, &micro.job, step_run);
    CHECK_EQ(gy_emit(&s.emitter, "x", NULL), 2);
    gy_defer(s.loop, &tick2.job, step_run);
    gy_microtask(s.loop, &micro2.job, step_run);
    trail_add(&s.trail, "sync");
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "async second sync tick tick2 micro micro2 error nested");
    CHECK_EQ(s.err, -EIO);
    CHECK_STR(s.name, "x");
    CHECK_EQ(s.unhandled, 0);
    scene_end(&s);
}

TEST(capture, e34_a_fulfilled_promise_is_of_no_interest_early_or_late) {
    scene s;
    scene_begin(&s);
    gy_on_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_on(&s.emitter, "error", &s.error, hear_error);
    gy_emit(&s.emitter, "x", NULL);
    gy_promise_resolve(s.promise, gy_num(1));
    CHECK_EQ(gy_loop_run(s.loop), 0);
    gy_emit(&s.emitter, "x", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "async async");
    scene_end(&s);
}

TEST(capture, each_call_is_captured_on_its_own) {
    scene s;
    scene_begin(&s);
    gy_on_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_on(&s.emitter, "error", &s.error, hear_error);
    for (int i = 0; i < 3; i++) gy_emit(&s.emitter, "x", NULL);
    gy_promise_reject(s.promise, -EPIPE);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "async async async error error error");
    scene_end(&s);
}

/* Node: "error listener first, UNHANDLED again1". */
TEST(capture, e34_what_error_listeners_return_meanwhile_is_left_alone) {
    scene s;
    scene_begin(&s);
    CHECK_EQ(gy_promise_new(s.loop, &s.second), 0);
    gy_on_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_on_async(s.loop, &s.emitter, "error", &s.other, works_too);
    gy_promise_reject(s.promise, -EIO);
    gy_emit(&s.emitter, "x", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "async other");
    gy_promise_reject(s.second, -EPIPE);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "async other unhandled");
    CHECK_EQ(s.err, -EPIPE);
    scene_end(&s);
}

/* Node: "error listener plain, error listener again11, UNHANDLED again12". */
TEST(capture, e34_an_error_listener_may_fail_in_an_ordinary_emit) {
    scene s;
    scene_begin(&s);
    gy_on_async(s.loop, &s.emitter, "error", &s.async, works);
    gy_promise_reject(s.promise, -EIO);
    gy_emit(&s.emitter, "error", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "async async");
    CHECK_EQ(s.unhandled, 0); /* it is the same promise twice, and counts as handled */
    scene_end(&s);
}

static gy_promise *emits_inside(gy_async_listener *listener, const void *payload) {
    scene *s = GY_OF(listener, scene, other);
    (void)payload;
    gy_emit(&s->emitter, "y", NULL);
    return NULL;
}

static gy_promise *fails(gy_async_listener *listener, const void *payload) {
    (void)payload;
    gy_promise *p;
    if (gy_promise_new(now->loop, &p)) return NULL;
    gy_promise *q = gy_then(p, NULL, listener);
    gy_promise_reject(p, -EPROTO);
    gy_promise_free(p);
    return q;
}

/* Node: "error of once, UNHANDLED of y". */
TEST(capture, e34_nested_emits_of_the_error_are_not_captured_either) {
    scene s;
    gy_async_listener y = {0};
    scene_begin(&s);
    gy_once_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_on_async(s.loop, &s.emitter, "y", &y, fails);
    gy_on_async(s.loop, &s.emitter, "error", &s.other, emits_inside);
    gy_promise_reject(s.promise, -EIO);
    gy_emit(&s.emitter, "x", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "async unhandled");
    CHECK_EQ(s.err, -EPROTO);
    gy_emit(&s.emitter, "y", NULL); /* by itself it is: the "error" emits "y", whose failure is left alone */
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.unhandled, 2);
    scene_end(&s);
}

static gy_async_listener late;

static void starts_anew(gy_listener *listener, const void *payload) {
    scene *s = GY_OF(listener, scene, error);
    (void)payload;
    gy_off_all(&s->emitter, NULL);
    gy_on_async(s->loop, &s->emitter, "y", &late, fails);
    gy_emit(&s->emitter, "y", NULL);
}

TEST(capture, e34_nor_are_they_when_the_error_listener_removes_all) {
    scene s;
    scene_begin(&s);
    gy_on_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_on(&s.emitter, "error", &s.error, starts_anew);
    gy_promise_reject(s.promise, -EIO);
    gy_emit(&s.emitter, "x", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "async unhandled");
    CHECK_EQ(s.err, -EPROTO);
    scene_end(&s);
}

static int reports;
static void report(gy_loop *loop, gy_emitter *emitter, const char *name, const void *payload) {
    (void)loop;
    (void)emitter;
    CHECK_STR(name, "error");
    CHECK_EQ(gy_payload_error(payload), -EIO);
    reports++;
}

TEST(capture, e24_e34_without_an_error_listener_it_is_reported_as_any_error_event) {
    scene s;
    scene_begin(&s);
    reports = 0;
    s.emitter.unhandled = report;
    gy_on_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_promise_reject(s.promise, -EIO);
    gy_emit(&s.emitter, "x", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(reports, 1);
    CHECK_EQ(s.unhandled, 0);
    scene_end(&s);
}

static void told_instead(gy_emitter *emitter, const gy_rejection *rejection) {
    scene *s = GY_OF(emitter, scene, emitter);
    trail_add(&s->trail, "instead");
    s->err = rejection->err;
}

TEST(capture, e34_a_listener_may_have_a_function_of_its_own_for_it) {
    scene s;
    scene_begin(&s);
    s.async.rejected = told_instead;
    gy_prepend_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_on(&s.emitter, "error", &s.error, hear_error);
    gy_emit(&s.emitter, "x", NULL);
    gy_promise_reject(s.promise, -EIO);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "async instead");
    CHECK_EQ(s.err, -EIO);
    scene_end(&s);
}

TEST(capture, e34_a_removed_and_freed_listener_still_has_its_rejection_told) {
    scene s;
    scene_begin(&s);
    gy_async_listener *own = calloc(1, sizeof *own);
    CHECK(own != NULL);
    gy_on(&s.emitter, "error", &s.error, hear_error);
    gy_once_async(s.loop, &s.emitter, "x", own, fails);
    gy_emit(&s.emitter, "x", NULL);
    CHECK(!gy_off(&own->listener));
    free(own);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.err, -EPROTO);
    CHECK_STR(s.trail.text, "error");
    scene_end(&s);
}

static gy_promise *frees_everything(gy_async_listener *listener, const void *payload) {
    gy_emitter *emitter = listener->listener.emitter;
    (void)payload;
    gy_emitter_close(emitter);
    free(listener);
    free(emitter);
    gy_promise *p;
    if (gy_promise_new(now->loop, &p)) return NULL;
    gy_promise *q = gy_then(p, NULL, NULL);
    gy_promise_reject(p, -EPROTO);
    gy_promise_free(p);
    return q;
}

TEST(capture, a_listener_may_free_itself_and_the_emitter_and_its_rejection_is_reported) {
    scene s;
    scene_begin(&s);
    gy_emitter *emitter = calloc(1, sizeof *emitter);
    gy_async_listener *own = calloc(1, sizeof *own);
    CHECK(emitter != NULL && own != NULL);
    gy_on_async(s.loop, emitter, "x", own, frees_everything);
    CHECK_EQ(gy_emit(emitter, "x", NULL), 1);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "unhandled");
    CHECK_EQ(s.err, -EPROTO);
    scene_end(&s);
}

TEST(capture, a_rejection_after_the_close_is_reported_and_not_lost) {
    scene s;
    scene_begin(&s);
    gy_on_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_emit(&s.emitter, "x", NULL);
    gy_emitter_close(&s.emitter);
    gy_promise_reject(s.promise, -EIO);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "async unhandled");
    CHECK_EQ(s.err, -EIO);
    scene_end(&s);
}

static void close_emitter(gy_job *job) {
    (void)job;
    gy_emitter_close(&now->emitter);
}

static void close_by_tick(gy_job *job) { gy_defer(now->loop, job, close_emitter); }

TEST(capture, nor_is_one_when_a_tick_closes_the_emitter_just_before) {
    scene s;
    gy_job job = {0};
    scene_begin(&s);
    gy_on_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_promise_reject(s.promise, -EIO);
    gy_microtask(s.loop, &job, close_by_tick); /* its tick is queued before that of the rejection */
    gy_emit(&s.emitter, "x", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "async unhandled");
    scene_end(&s);
}

TEST(capture, the_error_listener_may_close_the_emitter_or_remove_all) {
    scene s;
    scene_begin(&s);
    s.closing = true;
    gy_on_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_on(&s.emitter, "error", &s.error, hear_error);
    gy_promise_reject(s.promise, -EIO);
    gy_emit(&s.emitter, "x", NULL);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_STR(s.trail.text, "async error");
    CHECK_EQ(s.emitter.priv.flags, 0);
    scene_end(&s);
}

TEST(capture, a_promise_that_goes_away_is_forgotten) {
    scene s;
    scene_begin(&s);
    gy_on_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_emit(&s.emitter, "x", NULL);
    CHECK(s.emitter.priv.ties != NULL);
    gy_promise_free(s.promise);
    s.promise = NULL;
    CHECK(s.emitter.priv.ties == NULL);
    scene_end(&s);
}

static gy_promise *runs_a_fiber(gy_async_listener *listener, const void *payload);

static gy_value fiber_fails(void *arg) {
    int err = gy_fiber_sleep(now->loop, GY_MS(1));
    (void)arg;
    return gy_err(err ? err : -ECONNREFUSED);
}

static gy_promise *runs_a_fiber(gy_async_listener *listener, const void *payload) {
    (void)listener;
    (void)payload;
    return gy_fiber_start(now->loop, (gy_fiber_opts){.fn = fiber_fails});
}

TEST(capture, a_listener_may_be_a_fiber) {
    scene s;
    scene_begin(&s);
    gy_prepend_once_async(s.loop, &s.emitter, "x", &s.async, runs_a_fiber);
    gy_on(&s.emitter, "error", &s.error, hear_error);
    CHECK_EQ(gy_emit(&s.emitter, "x", NULL), 1);
    CHECK_EQ(gy_emit(&s.emitter, "x", NULL), 0);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    CHECK_EQ(s.err, -ECONNREFUSED);
    CHECK_EQ(s.unhandled, 0);
    scene_end(&s);
}

TEST(capture, it_may_wait_when_the_loop_ends) {
    scene s;
    scene_begin(&s);
    gy_on_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_emit(&s.emitter, "x", NULL);
    gy_promise_free(s.promise);
    CHECK_EQ(gy_promise_new(s.loop, &s.promise), 0);
    gy_emit(&s.emitter, "x", NULL);
    CHECK_EQ(gy_loop_free(s.loop), 0);
    CHECK(gyi_emitter_check(&s.emitter));
    CHECK(s.emitter.priv.ties == NULL);
    gy_emitter_close(&s.emitter);
}

TEST(capture, e07_listening_is_refused_as_by_gy_on) {
    scene s;
    scene_begin(&s);
    CHECK_EQ(gy_on_async(s.loop, &s.emitter, "x", &s.async, NULL), -EINVAL);
    CHECK_EQ(gy_on_async(s.loop, &s.emitter, NULL, &s.async, works), -EINVAL);
    CHECK_EQ(gy_on_async(s.loop, &s.emitter, "x", &s.async, works), 0);
    CHECK_EQ(gy_once_async(s.loop, &s.emitter, "x", &s.async, works), -EALREADY);
    CHECK(gy_off(&s.async.listener));
    scene_end(&s);
}

TEST(capture, without_memory_the_rejection_is_reported_instead) {
    scene s = {.called = 0};
    now = &s;
    gy_loop_opts how = {.backend = "sim", .alloc = scarce_memory()};
    CHECK_EQ(gy_loop_new(&s.loop, how), 0);
    no_memory = true;
    CHECK_EQ(gy_on_async(s.loop, &s.emitter, "x", &s.async, works), -ENOMEM);
    no_memory = false;
    CHECK_EQ(gy_promise_on_unhandled(s.loop, scene_unhandled), 0);
    CHECK_EQ(gy_promise_new(s.loop, &s.promise), 0);
    gy_on_async(s.loop, &s.emitter, "x", &s.async, works);
    gy_on(&s.emitter, "error", &s.error, hear_error);
    no_memory = true;
    gy_emit(&s.emitter, "x", NULL);
    gy_promise_reject(s.promise, -EIO);
    CHECK_EQ(gy_loop_run(s.loop), 0);
    no_memory = false;
    CHECK_STR(s.trail.text, "async unhandled");
    scene_end(&s);
}

TEST(capture, the_steady_state_allocates_nothing) {
    scene s = {.called = 0};
    now = &s;
    gy_loop_opts how = {.backend = "sim", .alloc = scarce_memory()};
    CHECK_EQ(gy_loop_new(&s.loop, how), 0);
    gy_on_async(s.loop, &s.emitter, "x", &s.async, fails);
    gy_on(&s.emitter, "error", &s.error, hear_error);
    for (int i = 0; i < 100; i++) {
        if (i == 3) allocations = 0;
        s.err = 0;
        gy_emit(&s.emitter, "x", NULL);
        CHECK_EQ(gy_loop_run(s.loop), 0);
        CHECK_EQ(s.err, -EPROTO);
    }
    CHECK_EQ(allocations, 0);
    scene_end(&s);
}
