/* SPDX-License-Identifier: ISC */
/* The doors for other threads: gy_post and gy_async_send. Order, coalescing, wake-ups, and stopping what is on its way.
 *
 * Threads make no checks: they hand over what they saw, and the test's own thread judges it. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"
#include "sys/clock.h"

static gy_loop *loop;

static void begin(const char *backend) { CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0); }

static void end(void) {
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static gy_loop_stats stats(void) {
    gy_loop_stats s;
    gy_loop_stats_get(loop, &s);
    return s;
}

static void nap(gy_ns time) {
    struct timespec ts = {0, (long)time};
    nanosleep(&ts, NULL);
}

/* Waits until the loop says that it sleeps, or until it is too late to matter. */
static void until_asleep(void) {
    for (int i = 0; i < 2000 && !atomic_load(&loop->asleep); i++) nap(GY_MS(1));
}

/* ---- posts ------------------------------------------------------------------------------------------------------- */

enum { SENDERS = 4, EACH = 2000 };

struct mail {
    gy_message message;
    int sender, number;
};

struct sender {
    pthread_t thread;
    int number, refused;
    struct mail mail[EACH];
};

static struct sender *sender;
static int next_of[SENDERS], arrived, out_of_order;
static gy_async stay; /* keeps the loop alive while mail may come */

static void mail_run(gy_message *message) {
    struct mail *m = GY_OF(message, struct mail, message);
    if (m->number != next_of[m->sender]) out_of_order++;
    next_of[m->sender] = m->number + 1;
    if (++arrived == SENDERS * EACH) gy_async_stop(&stay);
}

static void *sender_main(void *arg) {
    struct sender *s = arg;
    for (int i = 0; i < EACH; i++) {
        s->mail[i].sender = s->number;
        s->mail[i].number = i;
        if (gy_post(loop, &s->mail[i].message, mail_run)) s->refused++;
    }
    return NULL;
}

static void no_call(gy_async *async) { CHECK_FAIL("%p was never sent", (void *)async); }

TEST_BACKENDS(threads, posts_of_several_threads_all_arrive_each_threads_in_order) {
    begin(backend);
    sender = calloc(SENDERS, sizeof *sender);
    CHECK(sender != NULL);
    memset(next_of, 0, sizeof next_of);
    stay = (gy_async){.user = NULL};
    arrived = out_of_order = 0;
    CHECK_EQ(gy_async_start(loop, &stay, no_call), 0);
    for (int i = 0; i < SENDERS; i++) {
        sender[i].number = i;
        CHECK_EQ(pthread_create(&sender[i].thread, NULL, sender_main, &sender[i]), 0);
    }
    CHECK_EQ(gy_loop_run(loop), 0);
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(sender[i].thread, NULL);
        CHECK_EQ(sender[i].refused, 0);
        CHECK_EQ(next_of[i], EACH);
    }
    CHECK_EQ(arrived, SENDERS * EACH);
    CHECK_EQ(out_of_order, 0);
    CHECK_EQ(stats().posts, SENDERS * EACH);
    CHECK(stats().wakeups <= stats().turns + 1);
    free(sender);
    end();
}

static int tally;

static void count_message(gy_message *message) {
    (void)message;
    tally++;
}

static void again_message(gy_message *message) {
    if (++tally < 5) CHECK_EQ(gy_post(loop, message, again_message), 0);
}

TEST_BACKENDS(threads, a_message_on_its_way_is_refused_and_one_that_arrived_may_go_again) {
    gy_message m = {.user = NULL}, n = {.user = NULL};
    begin(backend);
    tally = 0;
    CHECK_EQ(gy_post(loop, &m, NULL), -EINVAL);
    CHECK_EQ(gy_post(loop, &m, count_message), 0);
    CHECK_EQ(gy_post(loop, &m, count_message), -EALREADY);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(tally, 1);
    CHECK_EQ(gy_post(loop, &n, again_message), 0);
    while (tally < 5) CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
    CHECK_EQ(stats().wakeups, 0); /* a loop that is awake is not written to */
    end();
}

/* ---- asyncs ------------------------------------------------------------------------------------------------------ */

static int calls;

static void async_count(gy_async *async) {
    (void)async;
    calls++;
}

static void async_stop_run(gy_async *async) {
    calls++;
    gy_async_stop(async);
}

TEST_BACKENDS(threads, sends_before_the_callback_coalesce) {
    gy_async a = {.user = NULL};
    begin(backend);
    calls = 0;
    CHECK_EQ(gy_async_start(loop, &a, NULL), -EINVAL);
    CHECK_EQ(gy_async_start(loop, &a, async_count), 0);
    CHECK_EQ(gy_async_start(loop, &a, async_count), -EALREADY);
    for (int i = 0; i < 100; i++) gy_async_send(&a);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(calls, 1);
    gy_async_send(&a);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(calls, 2);
    CHECK_EQ(stats().wakeups, 0);
    gy_async_stop(&a);
    gy_async_stop(&a);
    gy_async_send(&a); /* idle: ignored */
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 0);
    CHECK_EQ(calls, 2);
    end();
}

static void async_send_self(gy_async *async) {
    if (++calls < 3) gy_async_send(async);
    else gy_async_stop(async);
}

TEST_BACKENDS(threads, a_send_inside_the_callback_is_a_new_one) {
    gy_async a = {.user = NULL};
    begin(backend);
    calls = 0;
    CHECK_EQ(gy_async_start(loop, &a, async_send_self), 0);
    gy_async_send(&a);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(calls, 3);
    end();
}

TEST_BACKENDS(threads, stop_with_a_send_on_its_way_keeps_the_others) {
    gy_async a = {.user = NULL}, b = {.user = NULL};
    gy_message m = {.user = NULL};
    begin(backend);
    calls = tally = 0;
    CHECK_EQ(gy_async_start(loop, &a, async_count), 0);
    CHECK_EQ(gy_async_start(loop, &b, async_stop_run), 0);
    CHECK_EQ(gy_post(loop, &m, count_message), 0);
    gy_async_send(&a);
    gy_async_send(&b);
    gy_async_stop(&a);
    memset(&a, 0xa5, sizeof a); /* the memory is the caller's again */
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(calls, 1);
    CHECK_EQ(tally, 1);
    end();
}

TEST_BACKENDS(threads, references_of_an_async) {
    gy_async a = {.user = NULL};
    begin(backend);
    gy_async_unref(&a);
    CHECK_EQ(gy_async_start(loop, &a, async_count), 0);
    CHECK(gy_async_active(&a) && !gy_loop_alive(loop));
    CHECK_EQ(gy_loop_run(loop), 0);
    gy_async_ref(&a);
    gy_async_ref(&a);
    CHECK_EQ(loop->active, 1);
    gy_async_unref(&a);
    gy_async_unref(&a);
    CHECK_EQ(loop->active, 0);
    gy_async_stop(&a);
    CHECK(!gy_async_active(&a));
    end();
}

/* ---- waking a loop that waits ------------------------------------------------------------------------------------ */

static gy_async waker;

static void *wake_main(void *arg) {
    (void)arg;
    until_asleep();
    for (int i = 0; i < 50; i++) gy_async_send(&waker);
    return NULL;
}

TEST_BACKENDS(threads, a_send_wakes_a_loop_that_waits_with_one_write) {
    pthread_t thread;
    begin(backend);
    for (int round = 1; round <= 20; round++) {
        waker = (gy_async){.user = NULL};
        calls = 0;
        uint64_t before = stats().wakeups;
        CHECK_EQ(gy_async_start(loop, &waker, async_count), 0);
        CHECK_EQ(pthread_create(&thread, NULL, wake_main, NULL), 0);
        while (!calls) CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
        pthread_join(thread, NULL);
        CHECK(stats().wakeups - before <= 1);
        gy_async_stop(&waker);
    }
    end();
}

static gy_message batch[200];

static void *batch_main(void *arg) {
    (void)arg;
    until_asleep();
    for (int i = 0; i < 200; i++) (void)gy_post(loop, &batch[i], count_message);
    gy_async_send(&waker);
    return NULL;
}

TEST_BACKENDS(threads, a_batch_costs_at_most_one_write_for_each_wait) {
    pthread_t thread;
    begin(backend);
    memset(batch, 0, sizeof batch);
    waker = (gy_async){.user = NULL};
    tally = calls = 0;
    CHECK_EQ(gy_async_start(loop, &waker, async_stop_run), 0);
    CHECK_EQ(pthread_create(&thread, NULL, batch_main, NULL), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(tally, 200);
    CHECK_EQ(calls, 1);
    CHECK(stats().wakeups <= stats().waits);
    end();
}

static gy_message late;

static void *late_main(void *arg) {
    (void)arg;
    until_asleep();
    (void)gy_post(loop, &late, count_message);
    return NULL;
}

/* Descriptor 0 is watched, not watched, or watched twice: the wake-up must not be mistaken for one of its watchers. */
static void ignore_io(gy_io *io, int err, unsigned events) {
    (void)err;
    (void)events;
    gy_io_stop(io);
}

TEST_BACKENDS(threads, a_wake_up_is_not_taken_for_descriptor_0) {
    for (int watchers = 0; watchers <= 2; watchers++) {
        pthread_t thread;
        gy_io io[2] = {{.user = NULL}, {.user = NULL}};
        int other = dup(0), ends[2];
        CHECK_EQ(pipe(ends), 0);
        CHECK_EQ(dup2(ends[0], 0), 0);
        begin(backend);
        late = (gy_message){.user = NULL};
        waker = (gy_async){.user = NULL};
        tally = 0;
        CHECK_EQ(gy_async_start(loop, &waker, no_call), 0);
        for (int i = 0; i < watchers; i++) CHECK_EQ(gy_io_start(loop, &io[i], 0, GY_READABLE, ignore_io), 0);
        CHECK_EQ(pthread_create(&thread, NULL, late_main, NULL), 0);
        while (!tally) CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
        pthread_join(thread, NULL);
        for (int i = 0; i < watchers; i++) {
            CHECK(gy_io_active(&io[i]));
            gy_io_stop(&io[i]);
        }
        gy_async_stop(&waker);
        end();
        if (other >= 0) dup2(other, 0);
        else close(0);
        if (other >= 0) close(other);
        close(ends[0]);
        close(ends[1]);
    }
}
