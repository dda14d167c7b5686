/* SPDX-License-Identifier: ISC */
/* Hooks: the bits that say which kinds there are, and hooks left over from a turn that was ended early. Their place in
 * the turn is in tests/loop/hooks.c. */
#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"

static gy_loop *loop;
static int runs;

static void run(gy_hook *hook) {
    (void)hook;
    runs++;
}

static void stop_loop(gy_hook *hook) { gy_loop_stop(hook->loop); }

TEST(hook, the_loop_knows_which_kinds_there_are) {
    gy_hook a = {.user = NULL}, b = {.user = NULL}, c = {.user = NULL};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(loop->queue.special & GYI_SPECIAL_HOOKS, 0);
    CHECK_EQ(gy_hook_start(loop, &a, GY_HOOK_BEFORE_POLL, run), 0);
    CHECK_EQ(gy_hook_start(loop, &b, GY_HOOK_BEFORE_POLL, run), 0);
    CHECK_EQ(gy_hook_start(loop, &c, GY_HOOK_IDLE, run), 0);
    CHECK_EQ(loop->queue.special & GYI_SPECIAL_HOOKS, 1U << GY_HOOK_BEFORE_POLL | 1U << GY_HOOK_IDLE);
    gy_hook_stop(&a);
    gy_hook_stop(&c);
    CHECK_EQ(loop->queue.special & GYI_SPECIAL_HOOKS, 1U << GY_HOOK_BEFORE_POLL);
    gy_hook_stop(&b);
    CHECK_EQ(loop->queue.special & GYI_SPECIAL_HOOKS, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(hook, one_left_over_from_a_stopped_turn_runs_once_in_the_next) {
    gy_hook stop = {.user = NULL}, after = {.user = NULL};
    runs = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_hook_start(loop, &stop, GY_HOOK_BEFORE_POLL, stop_loop), 0);
    CHECK_EQ(gy_hook_start(loop, &after, GY_HOOK_BEFORE_POLL, run), 0);
    CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(runs, 0);
    gy_hook_stop(&stop);
    CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(runs, 1);
    gy_hook_stop(&after);
    CHECK_EQ(gy_loop_free(loop), 0);
}
