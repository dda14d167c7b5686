/* SPDX-License-Identifier: ISC */
/* Making and freeing a loop, its options, its clock, and a wait that fails. What a turn does is in
 * tests/loop/. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"
#include "refuse.h"

static int at, fail_at, blocks, fired;

static void *count_alloc(size_t size, void *ctx) {
    (void)ctx;
    if (++at == fail_at) return NULL;
    blocks++;
    return malloc(size);
}

static void count_free(void *ptr, void *ctx) {
    (void)ctx;
    blocks--;
    free(ptr);
}

static int fail_nth(gyi_syscall kind) {
    (void)kind;
    return ++at == fail_at ? -EMFILE : 0;
}

static void on_timer(gy_timer *timer) {
    (void)timer;
    fired++;
}

TEST_BACKENDS(loop, refuses_wrong_options) {
    gy_loop *l = (gy_loop *)(void *)&at;
    CHECK_EQ(gy_loop_new(&l, (gy_loop_opts){.backend = "abacus"}), -ENOTSUP);
    CHECK(l == NULL);
    CHECK_EQ(gy_loop_new(&l, (gy_loop_opts){.backend = backend, .batch = 4097}), -EINVAL);
    CHECK_EQ(gy_loop_new(&l, (gy_loop_opts){.backend = backend, .alloc.alloc = count_alloc}), -EINVAL);
    CHECK(l == NULL);
    CHECK_EQ(gy_loop_free(NULL), 0);
    CHECK_EQ(gy_loop_new(&l, (gy_loop_opts){.backend = backend, .batch = 4096, .job_budget = 1}), 0);
    CHECK_STR(gy_loop_backend(l), backend);
    CHECK_EQ(gy_loop_free(l), 0);
}

TEST_BACKENDS(loop, without_memory_there_is_none_and_nothing_leaks) {
    gy_loop *l;
    gy_alloc alloc = {count_alloc, count_free, NULL};
    int failures = 0;
    blocks = 0;
    for (fail_at = 1; fail_at < 50; fail_at++, failures++) {
        at = 0;
        int err = gy_loop_new(&l, (gy_loop_opts){.backend = backend, .alloc = alloc});
        if (!err) break;
        CHECK_EQ(err, -ENOMEM);
        CHECK(l == NULL);
        CHECK_EQ(blocks, 0);
    }
    CHECK(failures >= 2);
    CHECK_EQ(gy_loop_free(l), 0);
    CHECK_EQ(blocks, 0);
}

TEST_BACKENDS(loop, a_system_call_that_fails_leaves_no_descriptor) {
    gy_loop *l;
    int first = dup(1), failures = 0;
    close(first);
    for (fail_at = 1; fail_at < 50; fail_at++, failures++) {
        at = 0;
        gyi_sys_fault = fail_nth;
        int err = gy_loop_new(&l, (gy_loop_opts){.backend = backend});
        gyi_sys_fault = NULL;
        if (!err) break;
        CHECK_EQ(err, -EMFILE);
        int now = dup(1);
        close(now);
        CHECK_EQ(now, first);
    }
    CHECK(failures >= 1);
    CHECK_EQ(gy_loop_free(l), 0);
}

TEST_BACKENDS(loop, a_wait_that_fails_is_reported_and_loses_nothing) {
    gy_loop *l;
    gy_timer t = {.user = NULL};
    fired = 0;
    CHECK_EQ(gy_loop_new(&l, (gy_loop_opts){.backend = backend}), 0);
    gy_timer_start(l, &t, (gy_timer_opts){.fn = on_timer, .after = GY_MS(1)});
    refuse(GYI_SYS_WAIT, -EIO);
    int run = gy_loop_run(l), step = gy_loop_step(l, GY_STEP_WAIT);
    refuse_nothing();
    CHECK_EQ(run, -EIO);
    CHECK_EQ(step, -EIO);
    CHECK_EQ(gy_loop_run(l), 0);
    CHECK_EQ(fired, 1);
    CHECK_EQ(gy_loop_free(l), 0);
}

TEST_BACKENDS(loop, time_is_read_once_a_turn_or_when_asked) {
    gy_loop *l;
    CHECK_EQ(gy_loop_new(&l, (gy_loop_opts){.backend = backend}), 0);
    gy_ns then = gy_loop_now(l);
    CHECK_EQ(gy_loop_now(l), then);
    CHECK(gyi_loop_clock(l) >= then);
    CHECK(gy_loop_update_now(l) >= then);
    CHECK(gy_loop_now(l) >= then);
    CHECK_EQ(gy_loop_free(l), 0);
}

TEST_BACKENDS(loop, free_forgets_what_is_active) {
    gy_loop *l;
    gy_timer t = {.user = NULL};
    gy_job j = {.user = NULL};
    gy_alarm a = {.user = NULL};
    CHECK_EQ(gy_loop_new(&l, (gy_loop_opts){.backend = backend}), 0);
    gy_timer_start(l, &t, (gy_timer_opts){.fn = on_timer, .after = GY_S(1)});
    gy_immediate(l, &j, (gy_job_fn *)0);
    CHECK_EQ(gy_alarm_start(l, &a, (gy_alarm_opts){.fn = NULL}), -EINVAL);
    CHECK(gy_loop_alive(l));
    CHECK_EQ(gy_loop_free(l), 0);
}
