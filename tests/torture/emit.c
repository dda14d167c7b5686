/* SPDX-License-Identifier: ISC */
/* Events and promises under torture: listeners that return promises, emits that wait for them, and the next event,
 * while any allocation may fail. Every promise is settled whatever happens, and no failure is lost: it comes as the
 * rejection of a promise that was returned, as an "error" event, or as a rejection that nobody handles. */
#include <errno.h>

#include "torture.h"

enum { CLERKS = 2, PROMISES = 4 };

typedef struct shop {
    torture t;
    gy_emitter emitter;
    gy_async_listener clerk[CLERKS], fails;
    gy_listener error;
    gy_job job;
    int successes;
} shop;

static shop *the_shop; /* for the hook, which has no context */

/* The promises are settled, and the one failure that is meant to happen has been heard of. */
static void shop_success(shop *s) { s->t.done = ++s->successes == PROMISES + 1; }

static gy_promise *shop_serve(gy_async_listener *listener, const void *payload) {
    shop *s = listener->user;
    (void)payload;
    return gy_delay(s->t.loop, GY_US(100));
}

static gy_value shop_broken(gy_value value, void *ctx) {
    (void)value;
    (void)ctx;
    return gy_err(GY_EADDRESS); /* an error that no allocation has */
}

static gy_promise *shop_fail(gy_async_listener *listener, const void *payload) {
    shop *s = listener->user;
    (void)payload;
    return gy_then(gy_delay(s->t.loop, GY_US(50)), shop_broken, NULL);
}

static void shop_error(gy_listener *listener, const void *payload) {
    shop *s = GY_OF(listener, shop, error);
    int err = gy_payload_error(payload);
    if (err == GY_EADDRESS) shop_success(s);
    else torture_try(&s->t, err);
}

static void shop_unhandled(gy_loop *loop, gy_promise *promise) {
    (void)loop;
    torture_try(&the_shop->t, gy_value_err(gy_promise_value(promise)));
}

static gy_value shop_settled(gy_value value, void *ctx) {
    shop *s = ctx;
    if (torture_try(&s->t, gy_value_err(value))) shop_success(s);
    return gy_num(0);
}

static void shop_emit(gy_job *job) {
    shop *s = GY_OF(job, shop, job);
    int order = 1;
    gy_emit(&s->emitter, "order", &order);
    gy_emit(&s->emitter, "trouble", NULL);
}

static void shop_wait(shop *s, gy_promise *promise) {
    gy_promise *p = gy_then_catch(promise, shop_settled, shop_settled, s);
    if (!p || gy_promise_state_of(p) == GY_REJECTED) torture_try(&s->t, -ENOMEM);
}

static void shop_begin(torture *t) {
    shop *s = (shop *)t;
    gy_loop *loop = t->loop;
    the_shop = s;
    s->emitter.loop = loop;
    s->fails.user = s;
    if (!torture_try(t, gy_promise_on_unhandled(loop, shop_unhandled))) return;
    for (int i = 0; i < CLERKS; i++) {
        s->clerk[i].user = s;
        if (!torture_try(t, gy_on_async(loop, &s->emitter, "order", &s->clerk[i], shop_serve))) return;
    }
    if (!torture_try(t, gy_on(&s->emitter, "error", &s->error, shop_error))) return;
    shop_wait(s, gy_once_promise(loop, &s->emitter, "order", (gy_once_opts){.size = sizeof(int)}));
    shop_wait(s, gy_once_promise(loop, &s->emitter, "order", (gy_once_opts){0}));
    shop_wait(s, gy_emit_async(loop, &s->emitter, "order", &loop));
    shop_wait(s, gy_emit_serial(loop, &s->emitter, "order", &loop));
    if (!torture_try(t, gy_on_async(loop, &s->emitter, "trouble", &s->fails, shop_fail))) return;
    gy_immediate(loop, &s->job, shop_emit);
}

static void shop_end(torture *t) {
    shop *s = (shop *)t;
    gy_job_cancel(&s->job);
    gy_emitter_close(&s->emitter);
}

TEST_BACKENDS(torture, events_and_promises) {
    torture_run(backend, &(torture_scenario){.size = sizeof(shop), .begin = shop_begin, .end = shop_end});
}
