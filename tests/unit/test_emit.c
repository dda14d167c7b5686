/* SPDX-License-Identifier: ISC */
/* Emits that are waited for. The rules of emits themselves (E15 to E18) hold as in test_emitter.c. */
#include <errno.h>
#include <stdlib.h>

#include "emitter/emitter.h"
#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"
#include "scarce.h"
#include "trail.h"

enum { WORKERS = 3 };

typedef struct crew crew;

typedef struct worker {
    gy_async_listener listens;
    crew *crew;
    gy_promise *promise; /* what it returns; NULL: done at once */
    const char *word;
    gy_listener *removes; /* what it takes off; NULL: nothing */
    bool closes;
} worker;

struct crew {
    gy_loop *loop;
    gy_emitter emitter;
    worker worker[WORKERS];
    gy_listener plain, error, late;
    trail trail;
    int unhandled;
    outcome out;
};

static crew *now;

static void crew_unhandled(gy_loop *loop, gy_promise *promise) {
    (void)loop;
    (void)promise;
    now->unhandled++;
}

static gy_promise *work(gy_async_listener *listener, const void *payload) {
    worker *w = GY_OF(listener, worker, listens);
    (void)payload;
    trail_add(&w->crew->trail, w->word);
    if (w->removes) gy_off(w->removes);
    if (w->closes) gy_emitter_close(&w->crew->emitter);
    return w->promise;
}

static void hear(gy_listener *listener, const void *payload) {
    (void)listener;
    (void)payload;
    trail_add(&now->trail, "plain");
}

static void hear_error(gy_listener *listener, const void *payload) {
    (void)listener;
    (void)payload;
    trail_add(&now->trail, "error");
}

static void crew_begin(crew *c) {
    static const char *const words[WORKERS] = {"a", "b", "c"};
    *c = (crew){.unhandled = 0};
    now = c;
    CHECK_EQ(gy_loop_new(&c->loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_promise_on_unhandled(c->loop, crew_unhandled), 0);
    c->emitter.loop = c->loop;
    for (int i = 0; i < WORKERS; i++) {
        worker *w = &c->worker[i];
        w->crew = c;
        w->word = words[i];
        CHECK_EQ(gy_promise_new(c->loop, &w->promise), 0);
        CHECK_EQ(gy_on_async(c->loop, &c->emitter, "x", &w->listens, work), 0);
    }
    CHECK_EQ(gy_on(&c->emitter, "x", &c->plain, hear), 0);
    CHECK_EQ(gy_on(&c->emitter, "error", &c->error, hear_error), 0);
}

static void crew_end(crew *c) {
    CHECK_EQ(gy_loop_run(c->loop), 0);
    CHECK(gyi_emitter_check(&c->emitter));
    for (int i = 0; i < WORKERS; i++) gy_promise_free(c->worker[i].promise);
    gy_emitter_close(&c->emitter);
    CHECK_EQ(gy_loop_free(c->loop), 0);
}

static void settle(crew *c, int i, gy_value value) {
    gy_promise_resolve(c->worker[i].promise, value);
    CHECK_EQ(gy_loop_run(c->loop), 0);
}

TEST(emit, all_are_called_now_and_waited_for) {
    crew c;
    crew_begin(&c);
    outcome_of(gy_emit_async(c.loop, &c.emitter, "x", NULL), &c.out);
    CHECK_STR(c.trail.text, "a b c plain");
    for (int i = WORKERS - 1; i >= 0; i--) {
        CHECK_EQ(gy_loop_run(c.loop), 0);
        CHECK_EQ(c.out.count, 0);
        settle(&c, i, gy_num(i));
    }
    CHECK_EQ(c.out.count, 1);
    CHECK_EQ(c.out.err, 0);
    CHECK_EQ(c.out.value.num, 4);
    CHECK_STR(c.trail.text, "a b c plain");
    crew_end(&c);
}

TEST(emit, the_first_failure_is_told_when_all_are_done_and_is_no_error_event) {
    crew c;
    crew_begin(&c);
    outcome_of(gy_emit_async(c.loop, &c.emitter, "x", NULL), &c.out);
    settle(&c, 1, gy_err(-EIO));
    settle(&c, 2, gy_err(-EPIPE));
    CHECK_EQ(c.out.count, 0);
    settle(&c, 0, gy_num(0));
    CHECK_EQ(c.out.count, 1);
    CHECK_EQ(c.out.err, -EIO);
    CHECK_STR(c.trail.text, "a b c plain");
    CHECK_EQ(c.unhandled, 0);
    crew_end(&c);
}

TEST(emit, a_failure_that_nobody_looks_at_is_one_unhandled_rejection) {
    crew c;
    crew_begin(&c);
    gy_emit_async(c.loop, &c.emitter, "x", NULL);
    for (int i = 0; i < WORKERS; i++) settle(&c, i, gy_err(-EIO));
    CHECK_EQ(c.unhandled, 1);
    crew_end(&c);
}

TEST(emit, without_promises_it_is_settled_at_once_and_may_be_used_until_the_jobs_are_done) {
    crew c;
    crew_begin(&c);
    for (int i = 0; i < WORKERS; i++) {
        gy_promise_free(c.worker[i].promise);
        c.worker[i].promise = NULL;
    }
    gy_promise *p = gy_emit_async(c.loop, &c.emitter, "x", NULL);
    CHECK_EQ(gy_promise_state_of(p), GY_FULFILLED);
    outcome_of(p, &c.out);
    p = gy_emit_serial(c.loop, &c.emitter, "x", NULL);
    CHECK_EQ(gy_promise_value(p).num, 4);
    p = gy_emit_async(c.loop, &c.emitter, "nobody", NULL);
    CHECK_EQ(gy_promise_state_of(p), GY_FULFILLED);
    CHECK_EQ(gy_promise_value(p).num, 0);
    CHECK_EQ(gy_loop_run(c.loop), 0);
    CHECK_EQ(c.out.value.num, 4);
    crew_end(&c);
}

TEST(emit, one_after_the_other) {
    crew c;
    crew_begin(&c);
    outcome_of(gy_emit_serial(c.loop, &c.emitter, "x", NULL), &c.out);
    CHECK_STR(c.trail.text, "a");
    settle(&c, 1, gy_num(0)); /* it is asked for later */
    CHECK_STR(c.trail.text, "a");
    settle(&c, 0, gy_num(0));
    CHECK_STR(c.trail.text, "a b c");
    CHECK_EQ(c.out.count, 0);
    settle(&c, 2, gy_num(0));
    CHECK_STR(c.trail.text, "a b c plain");
    CHECK_EQ(c.out.count, 1);
    CHECK_EQ(c.out.value.num, 4);
    crew_end(&c);
}

TEST(emit, one_after_the_other_ends_at_the_first_failure) {
    crew c;
    crew_begin(&c);
    outcome_of(gy_emit_serial(c.loop, &c.emitter, "x", NULL), &c.out);
    settle(&c, 0, gy_num(0));
    settle(&c, 1, gy_err(-EIO));
    CHECK_STR(c.trail.text, "a b");
    CHECK_EQ(c.out.err, -EIO);
    CHECK(c.emitter.priv.emits == NULL);
    crew_end(&c);
}

TEST(emit, e17_one_after_the_other_leaves_out_what_is_added_or_removed_meanwhile) {
    crew c;
    crew_begin(&c);
    outcome_of(gy_emit_serial(c.loop, &c.emitter, "x", NULL), &c.out);
    gy_on(&c.emitter, "x", &c.late, hear);
    gy_off(&c.worker[1].listens.listener);
    CHECK(gyi_emitter_check(&c.emitter));
    settle(&c, 0, gy_num(0));
    settle(&c, 2, gy_num(0));
    CHECK_STR(c.trail.text, "a c plain");
    CHECK_EQ(c.out.value.num, 3);
    crew_end(&c);
}

TEST(emit, e18_several_may_be_on_their_way) {
    crew c;
    outcome second = {.count = 0};
    crew_begin(&c);
    outcome_of(gy_emit_serial(c.loop, &c.emitter, "x", NULL), &c.out);
    outcome_of(gy_emit_serial(c.loop, &c.emitter, "x", NULL), &second);
    outcome_of(gy_emit_async(c.loop, &c.emitter, "x", NULL), &second);
    CHECK(gyi_emitter_check(&c.emitter));
    for (int i = 0; i < WORKERS; i++) settle(&c, i, gy_num(0));
    CHECK_STR(c.trail.text, "a a a b c plain b b c c plain plain");
    CHECK_EQ(c.out.value.num, 4);
    CHECK_EQ(second.count, 2);
    crew_end(&c);
}

TEST(emit, e41_the_emitter_may_be_closed_inside_and_those_that_were_called_are_waited_for) {
    crew c;
    crew_begin(&c);
    c.worker[1].closes = true;
    outcome_of(gy_emit_async(c.loop, &c.emitter, "x", NULL), &c.out);
    CHECK_STR(c.trail.text, "a b");
    settle(&c, 1, gy_num(0));
    CHECK_EQ(c.out.count, 0);
    settle(&c, 0, gy_num(0));
    CHECK_EQ(c.out.value.num, 2);
    crew_end(&c);
}

TEST(emit, e41_closing_it_meanwhile_makes_the_listener_at_work_the_last) {
    crew c;
    crew_begin(&c);
    outcome_of(gy_emit_serial(c.loop, &c.emitter, "x", NULL), &c.out);
    settle(&c, 0, gy_num(0));
    gy_emitter_close(&c.emitter);
    memset(&c.emitter, 0x55, sizeof c.emitter); /* freed, as it were */
    CHECK_EQ(gy_loop_run(c.loop), 0);
    CHECK_EQ(c.out.count, 0);
    settle(&c, 1, gy_num(0));
    CHECK_EQ(c.out.value.num, 2);
    CHECK_STR(c.trail.text, "a b");
    c.emitter = (gy_emitter){0};
    crew_end(&c);
}

TEST(emit, a_listener_may_remove_another_one_before_its_turn) {
    crew c;
    crew_begin(&c);
    c.worker[0].removes = &c.worker[2].listens.listener;
    outcome_of(gy_emit_async(c.loop, &c.emitter, "x", NULL), &c.out);
    CHECK_STR(c.trail.text, "a b plain");
    settle(&c, 0, gy_num(0));
    settle(&c, 1, gy_num(0));
    CHECK_EQ(c.out.value.num, 3);
    crew_end(&c);
}

TEST(emit, a_promise_that_goes_away_is_an_error) {
    crew c;
    outcome serial = {.count = 0};
    crew_begin(&c);
    outcome_of(gy_emit_async(c.loop, &c.emitter, "x", NULL), &c.out);
    outcome_of(gy_emit_serial(c.loop, &c.emitter, "x", NULL), &serial);
    gy_promise_free(c.worker[0].promise);
    c.worker[0].promise = NULL;
    CHECK_EQ(gy_loop_run(c.loop), 0);
    CHECK_EQ(serial.err, GY_ECLOSED);
    CHECK_EQ(c.out.count, 0);
    settle(&c, 1, gy_num(0));
    settle(&c, 2, gy_err(-EIO)); /* not the first */
    CHECK_EQ(c.out.err, GY_ECLOSED);
    crew_end(&c);
}

TEST(emit, a_promise_of_another_loop_is_refused) {
    crew c;
    outcome serial = {.count = 0};
    gy_loop *other;
    gy_promise *foreign;
    crew_begin(&c);
    CHECK_EQ(gy_loop_new(&other, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_promise_new(other, &foreign), 0);
    gy_promise *own = c.worker[0].promise;
    c.worker[0].promise = foreign;
    outcome_of(gy_emit_serial(c.loop, &c.emitter, "x", NULL), &serial);
    outcome_of(gy_emit_async(c.loop, &c.emitter, "x", NULL), &c.out);
    CHECK_EQ(gy_loop_run(c.loop), 0);
    CHECK_EQ(serial.err, -EINVAL);
    settle(&c, 1, gy_num(0));
    settle(&c, 2, gy_num(0));
    CHECK_EQ(c.out.err, -EINVAL);
    CHECK_STR(c.trail.text, "a a b c plain");
    c.worker[0].promise = own;
    gy_promise_free(foreign);
    CHECK_EQ(gy_loop_free(other), 0);
    crew_end(&c);
}

static int reports;
static void report(gy_loop *loop, gy_emitter *emitter, const char *name, const void *payload) {
    (void)loop;
    (void)emitter;
    (void)name;
    (void)payload;
    reports++;
}

TEST(emit, e24_an_unheard_error_is_reported_once) {
    crew c;
    outcome serial = {.count = 0};
    crew_begin(&c);
    gy_off(&c.error);
    c.emitter.unhandled = report;
    reports = 0;
    gy_promise *p = gy_emit_async(c.loop, &c.emitter, "error", NULL);
    CHECK_EQ(gy_value_err(gy_promise_value(p)), GY_EUNHANDLED);
    CHECK_EQ(gy_loop_run(c.loop), 0);
    CHECK_EQ(reports, 1);
    CHECK_EQ(c.unhandled, 0);
    outcome_of(gy_emit_serial(c.loop, &c.emitter, "error", NULL), &serial);
    CHECK_EQ(gy_loop_run(c.loop), 0);
    CHECK_EQ(serial.err, GY_EUNHANDLED);
    outcome_of(gy_emit_async(c.loop, &c.emitter, NULL, NULL), &c.out);
    CHECK_EQ(gy_loop_run(c.loop), 0);
    CHECK_EQ(c.out.err, -EINVAL);
    crew_end(&c);
}

static gy_promise *monitor_fails(gy_async_listener *listener, const void *payload) {
    (void)listener;
    (void)payload;
    trail_add(&now->trail, "monitor");
    gy_promise *p;
    if (gy_promise_new(now->loop, &p)) return NULL;
    gy_promise *q = gy_then(p, NULL, NULL);
    gy_promise_reject(p, -EPROTO);
    gy_promise_free(p);
    return q;
}

/* Node: "monitor plain, error plain, monitor of monitor, error of monitor, UNHANDLED of monitor". */
TEST(emit, e25_monitors_come_first_and_are_not_waited_for) {
    crew c;
    gy_async_listener monitor = {0};
    crew_begin(&c);
    gy_on_async(c.loop, &c.emitter, gy_error_monitor, &monitor, monitor_fails);
    outcome_of(gy_emit_async(c.loop, &c.emitter, "error", NULL), &c.out);
    CHECK_STR(c.trail.text, "monitor error");
    CHECK_EQ(gy_loop_run(c.loop), 0);
    CHECK_EQ(c.out.value.num, 1);
    CHECK_STR(c.trail.text, "monitor error monitor error");
    CHECK_EQ(c.unhandled, 1);
    crew_end(&c);
}

static gy_value waits(void *arg) {
    int payload = 7;
    crew *c = arg;
    gy_value v = gy_await_shielded(gy_emit_async(c->loop, &c->emitter, "x", &payload));
    payload = -1;
    return v;
}

TEST(emit, a_fiber_may_wait_with_the_payload_on_its_stack) {
    crew c;
    crew_begin(&c);
    outcome_of(gy_fiber_start(c.loop, (gy_fiber_opts){.fn = waits, .arg = &c}), &c.out);
    for (int i = 0; i < WORKERS; i++) settle(&c, i, gy_num(0));
    CHECK_EQ(c.out.value.num, 4);
    crew_end(&c);
}

TEST(emit, they_may_be_on_their_way_when_the_loop_ends) {
    crew c;
    crew_begin(&c);
    gy_emit_async(c.loop, &c.emitter, "x", NULL);
    gy_emit_serial(c.loop, &c.emitter, "x", NULL);
    CHECK_EQ(gy_loop_free(c.loop), 0);
    CHECK(c.emitter.priv.emits == NULL);
    CHECK(gyi_emitter_check(&c.emitter));
    gy_emitter_close(&c.emitter);
}

struct order {
    int number;
};
GY_EVENT(order, struct order);
GY_EVENT_ASYNC(order, struct order);
GY_EVENT_ASYNC_NAMED(shop_closes, "closes", void);

static gy_promise *pack(gy_async_listener *listener, const struct order *o) {
    crew *c = listener->user;
    trail_add(&c->trail, o->number == 3 ? "packed" : "what?");
    return c->worker[0].promise;
}

static gy_promise *lock(gy_async_listener *listener, const void *nothing) {
    crew *c = listener->user;
    trail_add(&c->trail, nothing ? "what?" : "locked");
    return NULL;
}

TEST(emit, e20_typed_events_have_typed_listeners_that_return_promises) {
    crew c;
    outcome closed = {.count = 0};
    crew_begin(&c);
    gy_async_listener packs = {.user = &c}, once = packs, first = packs, single = packs, locks = packs;
    CHECK_EQ(order_on_async(c.loop, &c.emitter, &packs, pack), 0);
    CHECK_EQ(order_on_async(c.loop, &c.emitter, &packs, pack), -EALREADY);
    CHECK_EQ(order_once_async(c.loop, &c.emitter, &once, NULL), -EINVAL);
    CHECK_EQ(order_once_async(c.loop, &c.emitter, &once, pack), 0);
    CHECK_EQ(order_prepend_async(c.loop, &c.emitter, &first, pack), 0);
    CHECK_EQ(order_prepend_once_async(c.loop, &c.emitter, &single, pack), 0);
    struct order o = {3};
    outcome_of(order_emit_async(c.loop, &c.emitter, &o), &c.out);
    settle(&c, 0, gy_num(0));
    CHECK_EQ(c.out.value.num, 4);
    CHECK_EQ(order_emit(&c.emitter, &o), 2);
    CHECK_STR(c.trail.text, "packed packed packed packed packed packed");
    c.trail.text[0] = 0;
    CHECK_EQ(shop_closes_on_async(c.loop, &c.emitter, &locks, lock), 0);
    outcome_of(shop_closes_emit_serial(c.loop, &c.emitter, NULL), &closed);
    CHECK_EQ(gy_loop_run(c.loop), 0);
    CHECK_STR(c.trail.text, "locked");
    CHECK_EQ(closed.value.num, 1);
    crew_end(&c);
}

TEST(emit, without_memory_nobody_is_called) {
    crew c = {.unhandled = 0};
    now = &c;
    gy_loop_opts how = {.backend = "sim", .alloc = scarce_memory()};
    CHECK_EQ(gy_loop_new(&c.loop, how), 0);
    no_memory = true;
    CHECK(gy_emit_async(c.loop, &c.emitter, "x", NULL) == NULL);
    CHECK(gy_emit_serial(c.loop, &c.emitter, "x", NULL) == NULL);
    CHECK(gy_once_promise(c.loop, &c.emitter, "x", (gy_once_opts){0}) == NULL);
    no_memory = false;
    CHECK_EQ(gy_promise_on_unhandled(c.loop, crew_unhandled), 0);
    gy_on(&c.emitter, "x", &c.plain, hear);
    no_memory = true;
    CHECK_EQ(gy_value_err(gy_promise_value(gy_emit_async(c.loop, &c.emitter, "x", NULL))), -ENOMEM);
    CHECK_EQ(gy_value_err(gy_promise_value(gy_emit_serial(c.loop, &c.emitter, "x", NULL))), -ENOMEM);
    CHECK_EQ(gy_loop_run(c.loop), 0);
    no_memory = false;
    CHECK(c.unhandled > 0);
    CHECK_STR(c.trail.text, "");
    gy_emitter_close(&c.emitter);
    CHECK_EQ(gy_loop_free(c.loop), 0);
}
