/* SPDX-License-Identifier: ISC */
/* The loop spins for a moment before it sleeps while jobs are out: seldom when it is in vain, never close to a timer,
 * and not for so long that descriptors would have to wait. On virtual time ("sim") it never does.
 *
 * A job that is out is all that is needed, so the loop is told so without a pool, and the only things that happen are
 * those that a test makes happen on this thread. */
#include <string.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "pool/pool.h"
#include "sys/clock.h"

static gy_loop *loop;
static gy_timer tick;
static int ticks;

static void on_tick(gy_timer *timer) {
    (void)timer;
    ticks++;
}

static void begin(const char *backend) {
    ticks = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    loop->working = 1;
    loop->spin.wait = gyi_pool_wait;
}

static void end(void) {
    loop->working = 0;
    gy_timer_stop(&tick);
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* A turn that waits until a timer is due, and nothing else comes. */
static void wait_in_vain(gy_ns time) {
    int before = ticks;
    gy_timer_start(loop, &tick, (gy_timer_opts){.after = time, .fn = on_tick});
    while (ticks == before) CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
}

static bool spins(void) { return !loop->poller.ops->now; }

TEST_BACKENDS(spin, in_vain_it_is_left_out_twice_as_long_each_time) {
    begin(backend);
    wait_in_vain(GY_MS(1));
    CHECK_EQ(loop->spin.vain, spins() ? 1 : 0);
    for (unsigned vain = 1; vain < 6 && spins(); vain++) {
        CHECK_EQ(loop->spin.vain, vain);
        CHECK_EQ(loop->spin.off, 1u << vain);
        loop->spin.off = 1; /* so many waits later */
        wait_in_vain(GY_MS(1));
        CHECK_EQ(loop->spin.vain, vain);
        wait_in_vain(GY_MS(1));
    }
    end();
}

TEST_BACKENDS(spin, it_is_left_out_for_some_hundred_waits_at_most) {
    begin(backend);
    for (int i = 0; i < 20; i++) {
        loop->spin.off = 0;
        wait_in_vain(GY_MS(1));
    }
    CHECK(loop->spin.off <= 256);
    CHECK_EQ(loop->spin.off > 200, spins());
    end();
}

TEST_BACKENDS(spin, without_a_job_and_before_a_timer_it_sleeps) {
    begin(backend);
    for (int i = 0; i < 10; i++) wait_in_vain(GY_US(2));
    CHECK_EQ(loop->spin.vain, 0);
    loop->working = 0;
    for (int i = 0; i < 3; i++) wait_in_vain(GY_MS(1));
    CHECK_EQ(loop->spin.vain, 0);
    end();
}

/* ---- timers ------------------------------------------------------------------------------------------------------ */

static const gyi_backend *below;
static gy_ns until; /* when the last wait was to end, by the time at which it began */

static int spy_wait(gyi_poller *poller, gyi_ready *out, int cap, gy_ns timeout) {
    if (timeout) until = gyi_clock_mono() + timeout;
    return below->wait(poller, out, cap, timeout);
}

/* A time limit counts from where the wait begins, not from where the loop began to spin. Of many waits the one that
 * nobody interrupted is looked at. */
TEST_BACKENDS(spin, what_was_spun_away_is_not_waited_for_again) {
    gy_ns most = GY_FOREVER;
    if (strcmp(backend, "sim") == 0) SKIP("virtual time");
    begin(backend);
    gyi_backend spy = *loop->poller.ops;
    below = loop->poller.ops;
    spy.wait = spy_wait;
    loop->poller.ops = &spy;
    for (int i = 0; i < 50; i++) {
        int before = ticks;
        loop->spin.off = 0;
        gy_timer_start(loop, &tick, (gy_timer_opts){.after = GY_MS(1), .fn = on_tick});
        gy_ns due = gy_timer_due(&tick);
        CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
        if (until - due < most) most = until - due;
        while (ticks == before) CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
    }
    CHECK(loop->spin.vain > 0);
    CHECK(most < GY_US(5));
    loop->poller.ops = below;
    end();
}

/* ---- what comes meanwhile ---------------------------------------------------------------------------------------- */

static gy_message message;
static gy_io reader;
static int messages, readable;

static void on_message(gy_message *m) {
    (void)m;
    messages++;
}

/* There is always one more. */
static void on_message_again(gy_message *m) {
    messages++;
    CHECK_EQ(gy_post(m->loop, m, on_message_again), 0);
}

static void on_readable(gy_io *io, int err, unsigned events) {
    (void)events;
    CHECK_EQ(err, 0);
    readable++;
    gy_io_stop(io);
}

TEST_BACKENDS(spin, what_comes_ends_the_row) {
    messages = 0;
    begin(backend);
    loop->spin.good = 3;
    wait_in_vain(GY_MS(1));
    wait_in_vain(GY_MS(1));
    CHECK_EQ(loop->spin.good, spins() ? 0 : 3);
    loop->spin.off = 0;
    CHECK_EQ(gy_post(loop, &message, on_message), 0);
    CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
    CHECK_EQ(messages, 1);
    CHECK_EQ(loop->spin.vain, 0);
    CHECK_EQ(loop->spin.good, spins() ? 1 : 3);
    end();
}

TEST_BACKENDS(spin, messages_without_end_do_not_keep_descriptors_waiting) {
    int ends[2];
    messages = readable = 0;
    begin(backend);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(gy_io_start(loop, &reader, ends[0], GY_READABLE, on_readable), 0);
    CHECK_EQ(gy_post(loop, &message, on_message_again), 0);
    while (messages < 100) CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
    CHECK_EQ(readable, 0);
    CHECK_EQ(write(ends[1], "", 1), 1);
    while (!readable) CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
    CHECK(messages > 100);
    close(ends[0]);
    close(ends[1]);
    message = (gy_message){0}; /* which is on its way for ever, and goes with the loop */
    end();
}
