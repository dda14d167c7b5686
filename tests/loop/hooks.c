/* SPDX-License-Identifier: ISC */
/* Hooks: where in the turn they stand, what keeps the loop alive and awake, and stopping. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"

static gy_loop *loop;
static char heard[256];

static void say(const char *word) {
    size_t len = strlen(heard);
    snprintf(heard + len, sizeof heard - len, "%s%s", len ? " " : "", word);
}

static void begin(const char *backend) {
    heard[0] = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
}

static void end(void) {
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(loop->queue.special & GYI_SPECIAL_HOOKS, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static void hook_run(gy_hook *hook) { say(hook->user); }

static void hook_start(gy_hook *hook, gy_hook_when when) { CHECK_EQ(gy_hook_start(loop, hook, when, hook_run), 0); }

static void timer_run(gy_timer *timer) { say(timer->user); }

static void job_run(gy_job *job) { say(job->user); }

static char before[] = "before", after[] = "after", idle[] = "idle", timer[] = "timer", one[] = "1", two[] = "2",
            three[] = "3", tick[] = "tick", immediate[] = "immediate";

TEST_BACKENDS(hooks, stand_before_and_after_the_events_of_a_turn) {
    gy_hook b = {.user = before}, a = {.user = after}, i = {.user = idle};
    gy_timer t = {.user = timer};
    gy_job job = {.user = immediate};
    begin(backend);
    hook_start(&a, GY_HOOK_AFTER_POLL);
    hook_start(&i, GY_HOOK_IDLE);
    hook_start(&b, GY_HOOK_BEFORE_POLL);
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = timer_run, .at = 1});
    gy_immediate(loop, &job, job_run);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_STR(heard, "before timer after immediate");
    heard[0] = 0;
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1); /* does not wait while one is idle */
    CHECK_STR(heard, "before idle after");
    gy_hook_stop(&a);
    gy_hook_stop(&b);
    gy_hook_stop(&i);
    gy_hook_stop(&i);
    end();
}

TEST_BACKENDS(hooks, run_in_the_order_in_which_they_were_started) {
    gy_hook h[3] = {{.user = one}, {.user = two}, {.user = three}};
    begin(backend);
    for (int i = 0; i < 3; i++) hook_start(&h[i], GY_HOOK_BEFORE_POLL);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 0);
    CHECK_STR(heard, "1 2 3");
    gy_hook_stop(&h[0]);
    hook_start(&h[0], GY_HOOK_BEFORE_POLL);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 0);
    CHECK_STR(heard, "1 2 3 2 3 1");
    for (int i = 0; i < 3; i++) gy_hook_stop(&h[i]);
    end();
}

static void defer_run(gy_hook *hook) {
    static gy_job job;
    say("hook");
    job.user = tick;
    gy_defer(hook->loop, &job, job_run);
}

TEST_BACKENDS(hooks, L1_jobs_follow_every_hook) {
    gy_hook a = {.user = NULL}, b = {.user = two};
    begin(backend);
    CHECK_EQ(gy_hook_start(loop, &a, GY_HOOK_BEFORE_POLL, defer_run), 0);
    hook_start(&b, GY_HOOK_BEFORE_POLL);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 0);
    CHECK_STR(heard, "hook tick 2");
    gy_hook_stop(&a);
    gy_hook_stop(&b);
    end();
}

static gy_hook *victim;

static void stop_run(gy_hook *hook) {
    say("stop");
    gy_hook_stop(victim);
    gy_hook_stop(hook);
    free(hook);
}

TEST_BACKENDS(hooks, may_stop_others_and_free_themselves) {
    gy_hook other = {.user = two}, last = {.user = three};
    gy_hook *first = calloc(1, sizeof *first);
    CHECK(first != NULL);
    begin(backend);
    victim = &other;
    CHECK_EQ(gy_hook_start(loop, first, GY_HOOK_AFTER_POLL, stop_run), 0);
    hook_start(&other, GY_HOOK_AFTER_POLL);
    hook_start(&last, GY_HOOK_AFTER_POLL);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 0);
    CHECK_STR(heard, "stop 3");
    gy_hook_stop(&last);
    end();
}

static int idle_calls;

static void idle_run(gy_hook *hook) {
    if (++idle_calls == 10) gy_hook_stop(hook);
}

TEST_BACKENDS(hooks, only_idle_ones_keep_the_loop_alive) {
    gy_hook b = {.user = before}, a = {.user = after}, i = {.user = idle};
    gy_timer far = {.user = timer};
    begin(backend);
    hook_start(&b, GY_HOOK_BEFORE_POLL);
    hook_start(&a, GY_HOOK_AFTER_POLL);
    CHECK(!gy_loop_alive(loop));
    CHECK_EQ(gy_loop_run(loop), 0);
    gy_hook_stop(&b);
    gy_hook_stop(&a);
    idle_calls = 0;
    gy_timer_unref(&far);
    gy_timer_start(loop, &far, (gy_timer_opts){.fn = timer_run, .after = GY_S(3600)});
    CHECK_EQ(gy_hook_start(loop, &i, GY_HOOK_IDLE, idle_run), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(idle_calls, 10);
    gy_timer_stop(&far);
    end();
}

TEST_BACKENDS(hooks, references) {
    gy_hook b = {.user = before}, i = {.user = idle};
    begin(backend);
    hook_start(&b, GY_HOOK_BEFORE_POLL);
    gy_hook_ref(&b);
    gy_hook_ref(&b);
    CHECK_EQ(loop->active, 1);
    gy_hook_unref(&b);
    gy_hook_unref(&b);
    CHECK_EQ(loop->active, 0);
    hook_start(&i, GY_HOOK_IDLE);
    gy_hook_unref(&i);
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    gy_hook_ref(&i);
    CHECK_EQ(loop->active, 1);
    gy_hook_stop(&i);
    CHECK_EQ(loop->active, 0);
    gy_hook_stop(&b);
    end();
}

/* The header says that only idle hooks keep the loop alive, whatever the memory was used for before. */
TEST_BACKENDS(hooks, an_unreferenced_idle_hook_that_becomes_another_kind_is_no_reason_to_live) {
    gy_hook h = {.user = idle};
    begin(backend);
    hook_start(&h, GY_HOOK_IDLE);
    gy_hook_unref(&h);
    gy_hook_stop(&h);
    hook_start(&h, GY_HOOK_BEFORE_POLL);
    bool alive = gy_loop_alive(loop);
    gy_hook_stop(&h);
    end();
    CHECK(!alive);
}

TEST_BACKENDS(hooks, wrong_arguments) {
    gy_hook h = {.user = one};
    begin(backend);
    CHECK_EQ(gy_hook_start(loop, &h, GY_HOOK_IDLE, NULL), -EINVAL);
    CHECK_EQ(gy_hook_start(loop, &h, (gy_hook_when)3, hook_run), -EINVAL);
    gy_hook_stop(&h);
    CHECK(!gy_hook_active(&h));
    hook_start(&h, GY_HOOK_AFTER_POLL);
    CHECK_EQ(gy_hook_start(loop, &h, GY_HOOK_AFTER_POLL, hook_run), -EALREADY);
    CHECK(gy_hook_active(&h));
    gy_hook_stop(&h);
    end();
}
