/* SPDX-License-Identifier: ISC */
/* Several promises at once: rules P9 and P10, who owns the list, and what happens when the inputs go. */
#include <errno.h>

#include "gyre/gyre.h"
#include "gyre/promise.h"
#include "harness.h"
#include "task/task.h"

static gy_loop *loop;
static gy_promise *in[3];
static int drops, reports;

static void drop(void *ptr) {
    (void)ptr;
    drops++;
}

static void count(gy_loop *l, gy_promise *p) {
    (void)l;
    (void)p;
    reports++;
}

static void begin(void) {
    drops = reports = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_promise_on_unhandled(loop, count), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(gy_promise_new(loop, &in[i]), 0);
}

static gyi_task *task(void) { return loop->task; }

static void run(void) { CHECK_EQ(gy_loop_run(loop), 0); }

/* The inputs are given back first: what the library holds must be enough. */
static void end(gy_promise *result) {
    for (int i = 0; i < 3; i++) gy_promise_free(in[i]);
    gy_promise_free(result);
    run();
    CHECK(gyi_list_empty(&task()->blocks));
    CHECK_EQ(gy_loop_free(loop), 0);
}

static gy_list list_of(gy_promise *p) { return *(gy_list *)gy_promise_value(p).ptr; }

TEST(combine, p09_all_has_the_values_in_the_order_of_the_promises) {
    begin();
    gy_promise *r = gy_promise_ref(gy_all(loop, in, 3));
    gy_promise_resolve(in[2], gy_num(30));
    gy_promise_resolve(in[0], gy_num(10));
    run();
    CHECK_EQ(gy_promise_state_of(r), GY_PENDING);
    gy_promise_resolve(in[1], gy_num(20));
    run();
    CHECK_EQ(gy_promise_state_of(r), GY_FULFILLED);
    CHECK_EQ((int)list_of(r).count, 3);
    for (int i = 0; i < 3; i++) CHECK_EQ(list_of(r).at[i].num, 10 * i + 10);
    end(r);
}

TEST(combine, p09_all_rejects_with_the_first_rejection) {
    begin();
    gy_promise *r = gy_promise_ref(gy_all(loop, in, 3));
    gy_promise_reject(in[1], -EIO);
    gy_promise_reject(in[0], -EPIPE);
    run();
    CHECK_EQ(gy_value_err(gy_promise_value(r)), -EIO);
    CHECK_EQ(reports, 1); /* the result's; the second rejection counts as handled */
    end(r);
}

TEST(combine, p09_all_settled_never_rejects) {
    begin();
    gy_promise *r = gy_promise_ref(gy_all_settled(loop, in, 3));
    gy_promise_reject(in[0], -EIO);
    gy_promise_resolve(in[1], gy_num(2));
    gy_promise_reject(in[2], -EPIPE);
    run();
    CHECK_EQ(gy_promise_state_of(r), GY_FULFILLED);
    CHECK_EQ(gy_value_err(list_of(r).at[0]), -EIO);
    CHECK_EQ(gy_value_err(list_of(r).at[1]), 0);
    CHECK_EQ(list_of(r).at[1].num, 2);
    CHECK_EQ(gy_value_err(list_of(r).at[2]), -EPIPE);
    CHECK_EQ(reports, 0);
    end(r);
}

TEST(combine, p09_any_has_the_first_value_or_all_the_errors) {
    begin();
    gy_promise *r = gy_promise_ref(gy_any(loop, in, 3)), *none = gy_promise_ref(gy_any(loop, in, 1));
    gy_promise_reject(in[0], -EIO);
    gy_promise_resolve(in[2], gy_num(3));
    gy_promise_resolve(in[1], gy_num(2));
    run();
    CHECK_EQ(gy_promise_value(r).num, 3);
    CHECK_EQ(gy_promise_state_of(none), GY_REJECTED);
    CHECK_EQ(gy_value_err(gy_promise_value(none)), -EIO);
    CHECK_EQ((int)list_of(none).count, 1);
    CHECK_EQ(reports, 1);
    gy_promise_free(none);
    end(r);
}

TEST(combine, p09_any_of_nothing_rejects_and_all_of_nothing_fulfils) {
    begin();
    gy_promise *any = gy_promise_ref(gy_any(loop, NULL, 0)), *all = gy_promise_ref(gy_all(loop, NULL, 0));
    CHECK_EQ(gy_promise_state_of(any), GY_REJECTED);
    CHECK_EQ(gy_value_err(gy_promise_value(any)), -ENOENT);
    CHECK_EQ(gy_promise_state_of(all), GY_FULFILLED);
    CHECK_EQ((int)list_of(all).count, 0);
    gy_promise_free(all);
    end(any);
    CHECK_EQ(reports, 1);
}

TEST(combine, p09_race_settles_as_the_first_and_of_nothing_never) {
    begin();
    gy_promise *r = gy_promise_ref(gy_race(loop, in, 3)), *never = gy_promise_ref(gy_race(loop, NULL, 0));
    gy_race(loop, NULL, 0);
    gy_promise_reject(in[1], -EIO);
    gy_promise_resolve(in[0], gy_num(1));
    run();
    CHECK_EQ(gy_value_err(gy_promise_value(r)), -EIO);
    CHECK_EQ(gy_promise_state_of(never), GY_PENDING);
    gy_promise_free(never);
    end(r);
}

TEST(combine, p10_losers_are_let_go_of) {
    begin();
    gy_promise_resolve(in[1], gy_num(1));
    for (int i = 0; i < 1000; i++) {
        gy_race(loop, in, 3);
        gy_any(loop, in, 3);
        run();
        CHECK(in[0]->reactions == NULL && in[2]->reactions == NULL);
    }
    CHECK(task()->slabs && !task()->slabs->next);
    gy_promise_reject(in[2], -EIO);
    end(NULL);
    CHECK_EQ(reports, 0); /* it lost: handled */
}

static gy_value take_all(gy_value v, void *ctx) {
    *(int64_t *)ctx = ((const gy_list *)v.ptr)->at[1].num;
    return v;
}

TEST(combine, the_list_and_its_values_live_as_long_as_a_promise_that_has_them) {
    int64_t seen = 0;
    begin();
    gy_promise *r = gy_promise_ref(gy_then(gy_all(loop, in, 3), take_all, &seen));
    gy_promise_resolve(in[0], gy_own(&drops, drop));
    gy_promise_resolve(in[1], gy_num(5));
    gy_promise_resolve(in[2], gy_own(&drops, drop));
    for (int i = 0; i < 3; i++) gy_promise_free(in[i]);
    run();
    CHECK_EQ(seen, 5);
    CHECK_EQ(drops, 0);
    CHECK(list_of(r).at[2].ptr == &drops);
    gy_promise_free(r);
    CHECK_EQ(drops, 2);
    in[0] = in[1] = in[2] = NULL;
    end(NULL);
}

static gy_value same(gy_value v, void *ctx) {
    (void)ctx;
    return v;
}

TEST(combine, the_errors_of_any_pass_through_chains) {
    begin();
    gy_promise *r = gy_promise_ref(gy_catch(gy_then(gy_any(loop, in, 2), same, NULL), same, NULL));
    gy_promise_reject(in[0], -EIO);
    gy_promise_reject(in[1], -EPIPE);
    run();
    CHECK_EQ(gy_promise_state_of(r), GY_REJECTED);
    CHECK_EQ(gy_value_err(list_of(r).at[1]), -EPIPE);
    end(r);
}

TEST(combine, one_promise_may_be_there_twice) {
    begin();
    gy_promise *twice[] = {in[0], in[0]};
    gy_promise *r = gy_promise_ref(gy_all(loop, twice, 2)), *race = gy_promise_ref(gy_race(loop, twice, 2));
    gy_promise_resolve(in[0], gy_num(4));
    run();
    CHECK_EQ(list_of(r).at[1].num, 4);
    CHECK_EQ(gy_promise_value(race).num, 4);
    gy_promise_free(race);
    end(r);
}

TEST(combine, inputs_that_go_take_the_result_along_when_nothing_else_can_settle_it) {
    begin();
    gy_promise *twice[] = {in[0], in[0]};
    gy_promise *all = gy_promise_ref(gy_all(loop, in, 3)), *race = gy_promise_ref(gy_race(loop, in, 3));
    gy_promise *both = gy_promise_ref(gy_race(loop, twice, 2));
    gy_promise_free(in[0]);
    gy_promise_resolve(in[1], gy_num(1));
    gy_promise_free(in[2]);
    in[0] = in[2] = NULL;
    run();
    CHECK_EQ(gy_promise_state_of(all), GY_PENDING);
    CHECK_EQ(gy_promise_value(race).num, 1);
    CHECK(gyi_list_empty(&task()->blocks));
    gy_promise_free(race);
    gy_promise_free(both);
    end(all);
}

TEST(combine, what_cannot_be_waited_for_rejects) {
    begin();
    gy_promise *hole[] = {in[0], NULL};
    gy_promise *r = gy_promise_ref(gy_all(loop, hole, 2));
    CHECK_EQ(gy_value_err(gy_promise_value(r)), -EINVAL);
    end(r);
    CHECK_EQ(reports, 1);
}
