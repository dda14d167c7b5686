/* SPDX-License-Identifier: ISC */
/* Events for fibers: none is lost, the order is kept, what is too much is told of, and closing is possible any time. */
#include <errno.h>
#include <stdlib.h>

#include "gyre/gyre.h"
#include "harness.h"

static gy_loop *loop;
static gy_emitter emitter;
static gy_events events, more;
static int got[64], count, result;
static bool no_memory;

static void *events_alloc(size_t size, void *ctx) {
    (void)ctx;
    return no_memory ? NULL : malloc(size);
}

static void events_free(void *ptr, void *ctx) {
    (void)ctx;
    free(ptr);
}

static void begin(gy_events_opts opts) {
    emitter = (gy_emitter){0};
    events = (gy_events){0};
    count = 0;
    result = 1;
    no_memory = false;
    gy_loop_opts how = {.backend = "sim", .alloc = {.alloc = events_alloc, .free = events_free}};
    CHECK_EQ(gy_loop_new(&loop, how), 0);
    CHECK_EQ(gy_await_event(&events, NULL), GY_ECLOSED);
    CHECK_EQ(gy_events_open(loop, &events, &emitter, opts), 0);
    CHECK_EQ(gy_events_open(loop, &events, &emitter, opts), -EALREADY);
    CHECK_EQ(gy_await_event(&events, NULL), -EPERM);
}

static void end(void) {
    CHECK_EQ(gy_loop_run(loop), 0);
    gy_events_close(&events);
    gy_events_close(&events);
    CHECK_EQ(gy_listener_count(&emitter, "data"), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    gy_emitter_close(&emitter);
}

/* A local that is gone afterwards. */
static void emit(int n) {
    int payload = n;
    gy_emit(&emitter, "data", &payload);
    payload = -1;
}

static gy_value collect(void *arg) {
    int n = 0;
    (void)arg;
    while (!(result = gy_await_event(&events, &n))) got[count++ % 64] = n;
    return gy_num(0);
}

static gy_promise *start(gy_fiber_fn *fn) { return gy_fiber_start(loop, (gy_fiber_opts){.fn = fn}); }

static const gy_events_opts ints = {.name = "data", .size = sizeof(int)};

TEST(events, none_is_lost_and_the_order_is_kept) {
    begin(ints);
    for (int i = 0; i < 20; i++) emit(i); /* before anybody waits */
    start(collect);
    CHECK_EQ(count, 20);
    for (int i = 20; i < 60; i++) {
        emit(i);
        if (i % 7 == 0) CHECK_EQ(gy_loop_run(loop), 0);
    }
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(count, 60);
    for (int i = 0; i < 60; i++) CHECK_EQ(got[i], i);
    gy_events_close(&events);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(result, GY_ECLOSED);
    end();
}

static gy_value pointers(void *arg) {
    const void *payload = NULL;
    int err = gy_await_event(&events, &payload);
    result = err ? err : payload == arg;
    err = gy_await_event(&events, NULL);
    return gy_num(err);
}

TEST(events, without_a_size_the_pointer_is_kept) {
    static const char text[] = "stays";
    begin((gy_events_opts){.name = "data"});
    gy_fiber_opts opts = {.fn = pointers, .arg = (void *)(uintptr_t)text};
    gy_promise *f = gy_promise_ref(gy_fiber_start(loop, opts));
    gy_emit(&emitter, "data", text);
    gy_emit(&emitter, "data", NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(result, 1);
    CHECK_EQ(gy_promise_value(f).num, 0);
    gy_promise_free(f);
    end();
}

TEST(events, too_many_are_told_of_after_those_that_there_was_room_for) {
    gy_events_opts opts = ints;
    opts.most = 10;
    begin(opts);
    for (int i = 0; i < 30; i++) emit(i);
    CHECK_EQ(gy_listener_count(&emitter, "data"), 0);
    start(collect);
    CHECK_EQ(count, 10);
    CHECK_EQ(got[9], 9);
    CHECK_EQ(result, GY_EBACKLOG);
    end();
}

TEST(events, without_memory_it_is_told_of) {
    begin(ints);
    for (int i = 0; i < 8; i++) emit(i);
    no_memory = true;
    emit(8);
    no_memory = false;
    emit(9);
    start(collect);
    CHECK_EQ(count, 8);
    CHECK_EQ(result, -ENOMEM);
    end();
}

TEST(events, an_event_without_payload_is_zeroes) {
    begin(ints);
    start(collect);
    gy_emit(&emitter, "data", NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(count, 1);
    CHECK_EQ(got[0], 0);
    gy_events_close(&events);
    end();
}

TEST(events, cancelling_ends_the_wait_and_keeps_the_events) {
    begin(ints);
    gy_promise *f = gy_promise_ref(start(collect));
    gy_fiber_cancel(f);
    emit(5);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(result, GY_ECANCELED);
    CHECK_EQ(count, 0);
    start(collect);
    CHECK_EQ(count, 1);
    CHECK_EQ(got[0], 5);
    gy_events_close(&events);
    gy_promise_free(f);
    end();
}

TEST(events, they_may_be_closed_and_freed_while_the_fiber_is_on_its_way) {
    begin(ints);
    start(collect);
    emit(1); /* wakes it */
    gy_events_close(&events);
    events.priv.first = 77; /* it does not look here any more */
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(result, GY_ECLOSED);
    CHECK_EQ(count, 0);
    end();
}

static gy_value second(void *arg) {
    (void)arg;
    return gy_num(gy_await_event(&events, NULL));
}

TEST(events, one_fiber_waits_at_a_time) {
    begin(ints);
    start(collect);
    gy_promise *p = start(second);
    CHECK_EQ(gy_promise_value(p).num, -EBUSY);
    gy_events_close(&events);
    end();
}

TEST(events, a_closed_emitter_is_noticed_by_the_next_wait) {
    begin(ints);
    emit(3);
    gy_emitter_close(&emitter);
    start(collect);
    CHECK_EQ(count, 1);
    CHECK_EQ(result, GY_ECLOSED);
    end();
}

TEST(events, closing_the_emitter_wakes_who_waits) {
    begin(ints);
    start(collect);
    emit(4);
    gy_emitter_close(&emitter);
    emitter = (gy_emitter){.user = &emitter}; /* freed, as it were */
    CHECK_EQ(count, 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(count, 1); /* what had been emitted before is not lost */
    CHECK_EQ(got[0], 4);
    CHECK_EQ(result, GY_ECLOSED);
    end();
}

TEST(events, removing_all_listeners_wakes_who_waits_if_its_own_is_among_them) {
    begin(ints);
    start(collect);
    gy_off_all(&emitter, "other");
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(result, 1); /* it waits on */
    gy_off_all(&emitter, "data");
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(result, GY_ECLOSED);
    gy_events_close(&events); /* and may be opened again */
    CHECK_EQ(gy_events_open(loop, &events, &emitter, ints), 0);
    start(collect);
    emit(6);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(got[0], 6);
    gy_events_close(&events);
    end();
}

static void close_for_good(gy_emitter *e, const gy_leak *leak) {
    (void)leak;
    gy_emitter_close(e);
    *e = (gy_emitter){.user = e}; /* freed, as it were */
}

TEST(events, a_leak_hook_may_close_the_emitter_when_they_are_opened) {
    begin(ints);
    gy_emitter_set_max_listeners(&emitter, 1);
    emitter.leak = close_for_good;
    CHECK_EQ(gy_events_open(loop, &more, &emitter, ints), 0);
    CHECK(emitter.priv.ties == NULL);
    start(collect);
    CHECK_EQ(result, GY_ECLOSED);
    gy_events_close(&more);
    end();
}

static void emit_at_once(gy_emitter *e, const gy_leak *leak) {
    int n = 8;
    gy_emit(e, leak->name, &n);
}

static void close_more(gy_listener *listener, const void *payload) {
    (void)listener;
    (void)payload;
    gy_events_close(&more);
}

TEST(events, handlers_may_emit_or_close_them_when_they_are_opened) {
    gy_listener on_new = {0};
    begin(ints);
    gy_emitter_set_max_listeners(&emitter, 1);
    emitter.leak = emit_at_once;
    CHECK_EQ(gy_events_open(loop, &more, &emitter, ints), 0);
    gy_events_close(&more);
    gy_on(&emitter, "newListener", &on_new, close_more);
    CHECK_EQ(gy_events_open(loop, &more, &emitter, ints), GY_ECLOSED);
    CHECK_EQ(gy_listener_count(&emitter, "data"), 1);
    gy_off(&on_new);
    start(collect);
    CHECK_EQ(count, 2);
    CHECK_EQ(got[1], 8);
    gy_events_close(&events);
    end();
}

static gy_value on_its_stack(void *arg) {
    gy_events mine = {0};
    (void)arg;
    if (!gy_events_open(loop, &mine, &emitter, ints)) gy_await_event(&mine, NULL);
    return gy_num(0);
}

TEST(events, a_loop_closes_those_that_are_open) {
    begin(ints);
    emit(1);
    start(on_its_stack);
    CHECK_EQ(gy_listener_count(&emitter, "data"), 2);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(gy_listener_count(&emitter, "data"), 0);
    gy_events_close(&events);
    gy_emitter_close(&emitter);
}

TEST(events, wrong_names_are_refused) {
    begin(ints);
    gy_events bad = {0};
    CHECK_EQ(gy_events_open(loop, &bad, &emitter, (gy_events_opts){.size = 1}), -EINVAL);
    gy_events_close(&bad);
    end();
}

/* ---- closing that takes long ------------------------------------------------------------------------------------- */

static gy_ns slept;

static void remove_slowly(gy_listener *listener, const void *payload) {
    (void)listener;
    (void)payload;
    gy_fiber_sleep(loop, GY_MS(5));
}

static gy_value waits(void *arg) {
    (void)arg;
    result = gy_await_event(&events, NULL);
    return gy_num(0);
}

static gy_value closes(void *arg) {
    (void)arg;
    gy_events_close(&events);
    return gy_num(0);
}

static gy_value sleeps(void *arg) {
    gy_ns begun = gy_loop_now(loop);
    (void)arg;
    CHECK_EQ(gy_fiber_sleep(loop, GY_MS(100)), 0);
    slept = gy_loop_now(loop) - begun;
    return gy_num(0);
}

/* While the handler waits, the fiber that waited ends, and another one has its stack. */
TEST(events, closing_may_take_longer_than_the_fiber_that_waits) {
    gy_listener on_remove = {0};
    begin(ints);
    CHECK_EQ(gy_on(&emitter, "removeListener", &on_remove, remove_slowly), 0);
    gy_promise *waiting = gy_promise_ref(gy_fiber_start(loop, (gy_fiber_opts){.fn = waits}));
    start(closes);
    gy_fiber_cancel(waiting);
    while (gy_promise_state_of(waiting) == GY_PENDING) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    gy_promise_free(waiting);
    start(sleeps);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(slept, GY_MS(100));
    CHECK_EQ(result, GY_ECLOSED);
    end();
}
