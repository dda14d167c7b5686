/* SPDX-License-Identifier: ISC */
/* The group as an object: options, starting and its failures, stopping, and what is left open. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "group/group.h"
#include "harness.h"
#include "sys/cores.h"

static _Atomic int started, stopped;
static int start_fails_at; /* -1: nowhere */
static gy_stream left[2];

static int life_start(gy_group *group, gy_loop *loop, unsigned index) {
    (void)group;
    if ((int)index == start_fails_at) return -EPERM;
    started += gy_group_index(loop) == (int)index;
    return 0;
}

static void life_stop(gy_group *group, gy_loop *loop, unsigned index) {
    stopped += gy_group_loop(group, index) == loop;
}

static gy_group_opts life(unsigned count, int fails_at) {
    started = stopped = 0;
    start_fails_at = fails_at;
    return (gy_group_opts){.count = count, .loop.backend = "poll", .start = life_start, .stop = life_stop};
}

TEST(group_object, options_out_of_range_are_refused) {
    gy_group *g;
    CHECK_EQ(gy_group_new(&g, (gy_group_opts){.count = 1025}), -EINVAL);
    CHECK(g == NULL);
    CHECK_EQ(gy_group_new(&g, (gy_group_opts){.grace = -1}), -EINVAL);
    CHECK_EQ(gy_group_new(&g, (gy_group_opts){.loop.backend = "none such"}), -ENOTSUP);
    CHECK_EQ(gy_group_free(NULL), 0);
}

TEST(group_object, each_loop_starts_and_stops_once) {
    gy_group *g;
    int mine;
    gy_group_opts opts = life(3, -1);
    opts.user = &mine;
    CHECK_EQ(gy_group_new(&g, opts), 0);
    CHECK_EQ(started, 3);
    CHECK_EQ(stopped, 0);
    CHECK_EQ(gy_group_count(g), 3);
    CHECK(gy_group_user(g) == &mine);
    CHECK(gy_group_loop(g, 2) != NULL);
    CHECK(gy_group_loop(g, 3) == NULL);
    CHECK(gy_group_of(gy_group_loop(g, 1)) == g);
    gy_group_stop(g);
    gy_group_stop(g);
    CHECK_EQ(gy_group_join(g), 0);
    CHECK_EQ(gy_group_join(g), 0);
    CHECK_EQ(stopped, 3);
    CHECK_EQ(gy_group_free(g), 0);
}

TEST(group_object, the_default_is_a_loop_per_core) {
    gy_group *g;
    CHECK_EQ(gy_group_new(&g, (gy_group_opts){0}), 0);
    CHECK_EQ(gy_group_count(g), gyi_cores_count());
    CHECK_EQ(g->grace, GY_S(5));
    CHECK_EQ(gy_group_free(g), 0);
}

TEST(group_object, a_loop_without_a_group_has_no_index) {
    gy_loop *loop;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "poll"}), 0);
    CHECK(gy_group_of(loop) == NULL);
    CHECK_EQ(gy_group_index(loop), -1);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(group_object, a_start_that_fails_ends_the_others) {
    gy_group *g;
    for (int at = 0; at < 3; at++) {
        CHECK_EQ(gy_group_new(&g, life(3, at)), -EPERM);
        CHECK(g == NULL);
        CHECK_EQ(started, 2);
        CHECK_EQ(stopped, 2);
    }
}

static _Atomic int deadlocks;

static void from_inside(gy_message *message) {
    gy_group *g = gy_group_of(message->loop);
    deadlocks += gy_group_join(g) == -EDEADLK;
    deadlocks += gy_group_free(g) == -EDEADLK;
    gy_loop_stop(message->loop); /* which stops the group */
}

TEST(group_object, its_own_threads_cannot_wait_for_it_but_stop_it) {
    gy_group *g;
    gy_message message = {0};
    deadlocks = 0;
    CHECK_EQ(gy_group_new(&g, life(2, -1)), 0);
    CHECK_EQ(gy_group_post(g, 1, &message, from_inside), 0);
    CHECK_EQ(gy_group_join(g), 0);
    CHECK_EQ(deadlocks, 2);
    CHECK_EQ(stopped, 2);
    CHECK_EQ(gy_group_free(g), 0);
}

static int life_leave(gy_group *group, gy_loop *loop, unsigned index) {
    (void)group;
    return index ? 0 : gy_stream_pair(loop, &left[0], &left[1]);
}

TEST(group_object, what_stays_open_after_the_grace_is_the_callers) {
    gy_group *g;
    left[0] = left[1] = (gy_stream){0};
    gy_group_opts opts = {.count = 2, .loop.backend = "poll", .start = life_leave, .grace = 1};
    CHECK_EQ(gy_group_new(&g, opts), 0);
    CHECK_EQ(gy_group_load(g, 0), 2);
    CHECK_EQ(gy_group_load(g, 1), 0);
    CHECK_EQ(gy_group_load(g, 2), 0);
    CHECK_EQ(gy_group_free(g), -EBUSY);
    gy_stream_close(&left[0], NULL);
    gy_stream_close(&left[1], NULL);
    CHECK_EQ(gy_loop_run(gy_group_loop(g, 0)), 0);
    CHECK_EQ(gy_group_free(g), 0);
}

static unsigned pin_cores[3];

static int pin_start(gy_group *group, gy_loop *loop, unsigned index) {
    (void)group, (void)loop;
    pin_cores[index] = gyi_cores_count();
    return 0;
}

static int pin_calls;

/* Each thread is started and pinned, so the fourth call is the second pin. */
static int pin_fault(gyi_syscall kind) { return kind == GYI_SYS_THREAD && ++pin_calls == 4 ? -EPERM : 0; }

TEST(group_object, threads_are_kept_on_processors) {
    gy_group *g;
    gy_group_opts opts = {.count = 3, .pin = true, .loop.backend = "poll", .start = pin_start};
    int err = gy_group_new(&g, opts);
    if (err == -ENOTSUP) SKIP("threads cannot be kept on a processor");
    CHECK_EQ(err, 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(pin_cores[i], 1);
    CHECK_EQ(gy_group_free(g), 0);
    pin_calls = 0;
    gyi_sys_fault = pin_fault;
    err = gy_group_new(&g, opts);
    gyi_sys_fault = NULL;
    CHECK_EQ(err, -EPERM);
    CHECK(g == NULL);
}
