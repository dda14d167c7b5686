/* SPDX-License-Identifier: ISC */
/* Fibers under torture: a scope whose children sleep, wait for each other and for events, while any allocation, mapping
 * or guard may fail. Whatever fails, all fibers end, and everything that they had is given back. */
#include <errno.h>
#include <stdlib.h>

#include "torture.h"

enum { CHILDREN = 5 };

typedef struct family {
    torture t;
    gy_emitter emitter;
    gy_promise *gate, *parent;
    int ended;
} family;

/* Told by a child to its scope, so that the others end too. */
static gy_value family_result(family *s, int err) {
    s->ended++;
    return err ? gy_err(err) : gy_num(1);
}

static gy_value family_waits(void *arg) {
    family *s = arg;
    char *mine = malloc(100); /* what it has on its own must be freed by it, whatever happens */
    int err = mine ? gy_value_err(gy_await(s->gate)) : -ENOMEM;
    free(mine);
    return family_result(s, err);
}

static gy_value family_listens(void *arg) {
    family *s = arg;
    gy_events events = {0};
    int payload = 0, err = gy_events_open(s->t.loop, &events, &s->emitter, (gy_events_opts){"data", sizeof payload, 0});
    while (!err && payload != 12) err = gy_await_event(&events, &payload);
    gy_events_close(&events);
    return family_result(s, err);
}

static gy_value family_emits(void *arg) {
    family *s = arg;
    int err = gy_fiber_sleep(s->t.loop, GY_US(300));
    for (int i = 1; !err && i <= 12; i++) {
        gy_emit(&s->emitter, "data", &i);
        if (i % 4 == 0) err = gy_fiber_yield(s->t.loop);
    }
    gy_promise_resolve(s->gate, gy_num(1));
    return family_result(s, err);
}

static gy_value family_parent(void *arg) {
    family *s = arg;
    gy_scope scope = {0};
    gy_fiber_fn *const fn[CHILDREN] = {family_waits, family_listens, family_waits, family_listens, family_emits};
    for (int i = 0; i < CHILDREN; i++) {
        size_t stack = i % 2 ? 0 : 32768;
        gy_scope_start(s->t.loop, &scope, (gy_fiber_opts){.fn = fn[i], .arg = s, .stack = stack});
    }
    int err = gy_scope_wait(&scope);
    if (!err && s->ended != CHILDREN) err = -ENOMEM; /* the scope itself could not be made */
    return err ? gy_err(err) : gy_num(1);
}

static gy_value family_over(gy_value v, void *ctx) {
    family *s = ctx;
    if (torture_try(&s->t, gy_value_err(v))) s->t.done = true;
    return gy_num(0);
}

static void family_quiet(gy_loop *loop, gy_promise *promise) {
    (void)loop;
    (void)promise;
}

static void family_begin(torture *t) {
    family *s = (family *)t;
    if (!torture_try(t, gy_promise_on_unhandled(t->loop, family_quiet))) return;
    if (!torture_try(t, gy_fiber_tune(t->loop, (gy_fiber_tuning){.keep = 1}))) return;
    if (!torture_try(t, gy_promise_new(t->loop, &s->gate))) return;
    s->parent = gy_promise_ref(gy_fiber_start(t->loop, (gy_fiber_opts){.fn = family_parent, .arg = s}));
    gy_promise *over = gy_then_catch(s->parent, family_over, family_over, s);
    torture_try(t, gy_promise_state_of(over) == GY_REJECTED ? -ENOMEM : 0);
}

/* An early failure leaves fibers that wait for each other: they are asked to end. */
static void family_end(torture *t) {
    family *s = (family *)t;
    gy_fiber_cancel(s->parent);
}

static bool family_ended(torture *t) {
    family *s = (family *)t;
    if (s->parent && gy_promise_state_of(s->parent) == GY_PENDING) return false;
    gy_promise_free(s->parent);
    gy_promise_free(s->gate);
    s->parent = s->gate = NULL;
    gy_emitter_close(&s->emitter);
    return true;
}

TEST_BACKENDS(torture, fibers) {
    torture_run(backend, &(torture_scenario){
                             .size = sizeof(family), .begin = family_begin, .end = family_end, .ended = family_ended});
}
