/* SPDX-License-Identifier: ISC */
/* The wake-up by hand: one write for each sleep, another try after one that failed, and a new descriptor after reopen.
 * Threads are in tests/loop/threads.c. */
#include <errno.h>
#include <stdatomic.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"
#include "refuse.h"

static gy_loop *loop;
static int runs;

static void run(gyi_entry *entry) {
    (void)entry;
    runs++;
}

static void begin(const char *backend) {
    runs = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
}

static uint64_t wakeups(void) {
    gy_loop_stats s;
    gy_loop_stats_get(loop, &s);
    return s.wakeups;
}

TEST_BACKENDS(async, only_a_loop_that_sleeps_is_written_to_and_once) {
    gyi_entry e[3] = {{.run = run}, {.run = run}, {.run = run}};
    begin(backend);
    gyi_async_push(loop, &e[0]);
    CHECK_EQ(wakeups(), 0);
    atomic_store(&loop->asleep, 1);
    gyi_async_push(loop, &e[1]);
    gyi_async_push(loop, &e[2]);
    CHECK_EQ(wakeups(), 1);
    CHECK_EQ(atomic_load(&loop->asleep), 0);
    gyi_async_collect(loop);
    CHECK(gyi_inbox_empty(&loop->inbox));
    gyi_async_collect(loop); /* of nothing */
    CHECK_EQ(loop->stats.posts, 3);
    for (int i = 0; i < 3; i++) gyi_queue_drop(&e[i]);
    CHECK_EQ(runs, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(async, a_wake_up_that_failed_is_tried_again_by_the_next_sender) {
    begin(backend);
    atomic_store(&loop->asleep, 1);
    refuse(GYI_SYS_WAKE, -EIO);
    gyi_async_wake(loop);
    refuse_nothing();
    CHECK_EQ(atomic_load(&loop->asleep), 1);
    gyi_async_wake(loop);
    CHECK_EQ(atomic_load(&loop->asleep), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(async, a_level_triggered_wake_up_is_read_and_does_not_spin) {
    gy_ns timeout;
    begin(backend);
    atomic_store(&loop->asleep, 1);
    gyi_async_wake(loop);
    for (int i = 0; i < 3; i++) CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 0);
    CHECK_EQ(loop->poller.ops->wait(&loop->poller, loop->ready, loop->batch, 0), 0);
    timeout = gy_loop_timeout(loop);
    CHECK_EQ(timeout, -1);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(async, reopen_makes_it_anew) {
    gyi_entry e = {.run = run};
    begin(backend);
    CHECK_EQ(gyi_async_reopen(loop), 0);
    atomic_store(&loop->asleep, 1);
    gyi_async_push(loop, &e);
    CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(runs, 1);
    CHECK_EQ(gy_loop_free(loop), 0);
}
