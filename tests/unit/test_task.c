/* SPDX-License-Identifier: ISC */
/* The memory of promises: sizes, slabs, every allocation that can fail, and the end of a loop. */
#include <errno.h>
#include <stdlib.h>

#include "gyre/gyre.h"
#include "gyre/promise.h"
#include "harness.h"
#include "task/task.h"

static struct {
    int live, made, fail_from, fail_at;
} memory;
static int drops, calls, reports;
static gy_loop *loop;

static void *memory_alloc(size_t size, void *ctx) {
    (void)ctx;
    int number = ++memory.made;
    if (number == memory.fail_at || (memory.fail_from && number >= memory.fail_from)) return NULL;
    void *p = malloc(size);
    if (p) memory.live++;
    return p;
}

static void memory_free(void *ptr, void *ctx) {
    (void)ctx;
    memory.live--;
    free(ptr);
}

static void count(gy_loop *l, gy_promise *p) {
    (void)l;
    (void)p;
    reports++;
}

static void begin(void) {
    memory.live = memory.made = memory.fail_from = memory.fail_at = 0;
    drops = calls = reports = 0;
    gy_loop_opts opts = {.backend = "sim", .alloc = {.alloc = memory_alloc, .free = memory_free}};
    CHECK_EQ(gy_loop_new(&loop, opts), 0);
    memory.made = 0;
}

static void end(void) {
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(memory.live, 0);
}

static void drop(void *ptr) {
    (void)ptr;
    drops++;
}

static gy_value same(gy_value v, void *ctx) {
    (void)ctx;
    calls++;
    return v;
}

static gy_value last(void *ctx) {
    (void)ctx;
    calls++;
    return gy_num(0);
}

TEST(task, a_promise_with_its_reaction_has_64_bytes_and_a_value_16) {
    if (sizeof(void *) != 8) SKIP("sizes are of 64-bit machines");
    CHECK_EQ((int)sizeof(gy_value), 16);
    CHECK_EQ((int)sizeof(gy_promise), 64);
    CHECK(sizeof(gyi_task_slab) + GYI_TASK_CELLS * sizeof(gy_promise) <= 4096);
}

TEST(task, the_steady_state_allocates_nothing) {
    begin();
    CHECK_EQ(gy_promise_on_unhandled(loop, count), 0);
    for (int round = 0; round < 100; round++) {
        gy_promise *p, *q;
        CHECK_EQ(gy_promise_new(loop, &p), 0);
        q = p;
        for (int i = 0; i < 60; i++) q = gy_then(q, same, NULL);
        CHECK_EQ(gy_promise_resolve(p, gy_num(1)), 0);
        gy_promise_free(p);
        CHECK_EQ(gy_loop_run(loop), 0);
    }
    CHECK_EQ(memory.made, 3); /* the state, its spare promise, and one slab */
    CHECK_EQ(calls, 6000);
    end();
}

TEST(task, without_memory_then_gives_a_promise_that_has_failed) {
    begin();
    gy_promise *p;
    CHECK_EQ(gy_promise_on_unhandled(loop, count), 0);
    CHECK_EQ(gy_promise_new(loop, &p), 0);
    for (int i = 1; i < GYI_TASK_CELLS; i++) gy_then(p, same, NULL);
    memory.fail_from = 1;
    gy_promise *q = gy_then(p, same, NULL);
    CHECK_EQ(gy_value_err(gy_promise_value(q)), -ENOMEM);
    CHECK(gy_finally(p, last, NULL) == q);
    CHECK(gy_all(loop, &p, 1) == q);
    CHECK(gy_delay(loop, 1) == q);
    CHECK(gy_promise_timeout(p, 1) == q);
    CHECK(gy_catch(q, same, NULL) == q);
    gy_promise_ref(q);
    CHECK_EQ(gy_promise_resolve(p, gy_num(1)), 0);
    gy_promise_free(p);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(calls, GYI_TASK_CELLS - 1);
    CHECK_EQ(reports, 1);
    gy_promise_free(q);
    CHECK_EQ(gy_promise_new(loop, &p), 0); /* from the free cells */
    for (int i = 1; i < GYI_TASK_CELLS; i++) gy_then(p, same, NULL);
    CHECK(gy_then(p, same, NULL) == q);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(reports, 2); /* a new failure */
    gy_promise_free(p);
    end();
}

/* Something of everything, more than one slab of it. */
static void scenario(void) {
    gy_promise *p[40] = {0}, *none;
    int made = 0;
    for (int i = 0; i < 40; i++) made += gy_promise_new(loop, &p[i]) == 0;
    gy_promise_on_unhandled(loop, count);
    if (made == 40) {
        gy_all(loop, p, 40);
        gy_race(loop, p, 40);
    }
    for (int i = 0; i < 40; i++) {
        gy_then(gy_finally(gy_then(p[i], same, NULL), last, NULL), NULL, NULL);
        gy_promise_timeout(p[i], GY_MS(1));
    }
    gy_any(loop, NULL, 0);
    gy_catch(gy_delay(loop, GY_MS(1)), same, NULL);
    for (int i = 0; i < 40; i++) {
        if (!p[i]) continue;
        if (i % 3 == 0) gy_promise_reject(p[i], -EIO);
        else if (i % 3 == 1) gy_promise_resolve(p[i], gy_own(&drops, drop));
        else gy_promise_resolve(p[i], gy_adopt(p[i - 1]));
    }
    for (int i = 0; i < 40; i++) gy_promise_free(p[i]);
    CHECK_EQ(gy_loop_run(loop), 0);
    if (gy_promise_new(loop, &none) == 0) gy_promise_free(none);
}

TEST(task, any_allocation_may_fail) {
    begin();
    scenario();
    int all = memory.made, destroyed = drops;
    end();
    CHECK(all > 40);
    CHECK_EQ(destroyed, 13);
    for (int n = 1; n <= all; n++) {
        begin();
        memory.fail_at = n;
        scenario();
        CHECK(drops <= destroyed);
        end();
        begin();
        memory.fail_from = n;
        scenario();
        end();
    }
}

TEST(task, the_very_first_allocation_may_fail) {
    gy_promise *p;
    for (int n = 1; n <= 3; n++) {
        begin();
        memory.fail_from = n;
        CHECK_EQ(gy_promise_new(loop, &p), -ENOMEM);
        CHECK(p == NULL);
        CHECK((gy_delay(loop, 1) == NULL) == (n < 3));
        CHECK((gy_all(loop, NULL, 0) == NULL) == (n < 3));
        CHECK_EQ(gy_promise_on_unhandled(loop, count), n < 3 ? -ENOMEM : 0);
        CHECK_EQ(gy_promise_on_handled(loop, NULL), n < 3 ? -ENOMEM : 0);
        end();
    }
}

static void drop_promise(void *ptr) {
    drops++;
    gy_promise_free(ptr);
}

TEST(task, a_loop_takes_its_promises_along_and_destroys_their_values_once) {
    begin();
    gy_promise *p[200];
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(gy_promise_new(loop, &p[i]), 0);
        if (i % 2) gy_promise_resolve(p[i], gy_own(p[i - 1], drop_promise));
        else gy_promise_resolve(p[i], gy_own(&drops, drop));
    }
    gy_all(loop, p, 200);
    gy_then(p[0], same, NULL);
    gy_promise_free(p[0]);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(drops, 200);
    CHECK_EQ(calls, 0);
    CHECK_EQ(memory.live, 0);
}

TEST(task, a_loop_takes_a_finished_list_along) {
    begin();
    gy_promise *p;
    CHECK_EQ(gy_promise_new(loop, &p), 0);
    gy_promise_ref(gy_all(loop, &p, 1));
    gy_promise_resolve(p, gy_own(&drops, drop));
    gy_promise_free(p);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(drops, 1);
    CHECK_EQ(memory.live, 0);
}
