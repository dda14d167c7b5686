/* SPDX-License-Identifier: ISC */
/* A loop that is driven by another one: gy_loop_fd and gy_loop_timeout under a hand-written poll(), and inside a second
 * loop of ours. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"

static gy_loop *loop;
static int timer_calls, io_calls, async_calls, ends[2];
static gy_async waker;

static void on_timer(gy_timer *timer) {
    timer_calls++;
    if (timer_calls == 5) gy_timer_stop(timer);
    if (timer_calls == 3) CHECK_EQ(write(ends[1], "x", 1), 1);
}

static void on_io(gy_io *io, int err, unsigned events) {
    CHECK_EQ(err, 0);
    CHECK(events & GY_READABLE);
    io_calls++;
    gy_io_stop(io);
}

static void on_async(gy_async *async) {
    async_calls++;
    gy_async_stop(async);
}

static void *send_later(void *arg) {
    struct timespec ts = {0, 5000000};
    (void)arg;
    nanosleep(&ts, NULL);
    gy_async_send(&waker);
    return NULL;
}

static bool begin(const char *backend) {
    timer_calls = io_calls = async_calls = 0;
    waker = (gy_async){.user = NULL};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(pipe(ends), 0);
    return gy_loop_fd(loop) >= 0;
}

static void end(void) {
    CHECK_EQ(gy_loop_free(loop), 0);
    close(ends[0]);
    close(ends[1]);
}

TEST_BACKENDS(embed, a_descriptor_where_the_backend_has_one) {
    bool has = begin(backend);
    CHECK_EQ(has, strcmp(backend, "epoll") == 0 || strcmp(backend, "kqueue") == 0);
    if (!has) CHECK_EQ(gy_loop_fd(loop), -ENOTSUP);
    end();
}

TEST_BACKENDS(embed, timeout_says_how_long_a_wait_may_last) {
    gy_timer t = {.user = NULL};
    gy_job job = {.user = NULL};
    gy_hook idle = {.user = NULL};
    begin(backend);
    CHECK_EQ(gy_loop_timeout(loop), -1);
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = on_timer, .after = GY_S(100)});
    gy_ns timeout = gy_loop_timeout(loop);
    CHECK(timeout > GY_S(90) && timeout <= GY_S(100));
    gy_timer_restart(&t, 1);
    CHECK_EQ(gy_loop_timeout(loop), 0);
    gy_timer_stop(&t);
    CHECK_EQ(gy_loop_timeout(loop), -1);
    gy_immediate(loop, &job, NULL);
    CHECK_EQ(gy_loop_timeout(loop), -1); /* without a function it is not queued */
    CHECK_EQ(gy_async_start(loop, &waker, on_async), 0);
    gy_async_send(&waker);
    CHECK_EQ(gy_loop_timeout(loop), 0);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 0);
    CHECK_EQ(async_calls, 1);
    CHECK_EQ(gy_hook_start(loop, &idle, GY_HOOK_IDLE, (gy_hook_fn *)0), -EINVAL);
    CHECK_EQ(gy_loop_timeout(loop), -1);
    end();
}

static int outer_poll(gy_ns timeout) {
    struct pollfd p = {.fd = gy_loop_fd(loop), .events = POLLIN};
    return poll(&p, 1, timeout < 0 ? -1 : (int)((timeout + 999999) / 1000000));
}

TEST_BACKENDS(embed, in_a_hand_written_poll_loop) {
    gy_timer t = {.user = NULL};
    gy_io io = {.user = NULL};
    pthread_t thread;
    int rounds = 0, more = 1;
    if (!begin(backend)) {
        end();
        SKIP("this backend has no descriptor");
    }
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = on_timer, .every = GY_MS(1)});
    CHECK_EQ(gy_io_start(loop, &io, ends[0], GY_READABLE, on_io), 0);
    CHECK_EQ(gy_async_start(loop, &waker, on_async), 0);
    CHECK_EQ(pthread_create(&thread, NULL, send_later, NULL), 0);
    while (more) {
        CHECK(outer_poll(gy_loop_timeout(loop)) >= 0);
        more = gy_loop_step(loop, GY_STEP_POLL);
        CHECK(more >= 0);
        CHECK(++rounds < 1000); /* the descriptor is quiet when there is nothing to do */
    }
    pthread_join(thread, NULL);
    CHECK_EQ(timer_calls, 5);
    CHECK_EQ(io_calls, 1);
    CHECK_EQ(async_calls, 1);
    end();
}

/* ---- inside a second loop ---------------------------------------------------------------------------------------- */

static gy_loop *outer;
static gy_io outer_io;
static gy_timer outer_timer;

static void outer_prepare(gy_hook *hook) {
    gy_ns timeout = gy_loop_timeout(loop);
    gy_timer_stop(&outer_timer);
    if (!gy_loop_alive(loop)) {
        gy_hook_stop(hook);
        gy_io_stop(&outer_io);
        return;
    }
    if (timeout >= 0) gy_timer_restart(&outer_timer, gy_loop_update_now(outer) + timeout);
}

static void outer_step_io(gy_io *io, int err, unsigned events) {
    (void)io;
    (void)err;
    (void)events;
    CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
}

static void outer_step_timer(gy_timer *timer) {
    (void)timer;
    CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
}

TEST_BACKENDS(embed, inside_a_second_loop) {
    gy_timer t = {.user = NULL};
    gy_io io = {.user = NULL};
    gy_hook hook = {.user = NULL};
    pthread_t thread;
    if (!begin(backend)) {
        end();
        SKIP("this backend has no descriptor");
    }
    outer_io = (gy_io){.user = NULL};
    outer_timer = (gy_timer){.user = NULL};
    CHECK_EQ(gy_loop_new(&outer, (gy_loop_opts){.backend = backend}), 0);
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = on_timer, .every = GY_MS(1)});
    CHECK_EQ(gy_io_start(loop, &io, ends[0], GY_READABLE, on_io), 0);
    CHECK_EQ(gy_async_start(loop, &waker, on_async), 0);
    CHECK_EQ(gy_hook_start(outer, &hook, GY_HOOK_BEFORE_POLL, outer_prepare), 0);
    CHECK_EQ(gy_io_start(outer, &outer_io, gy_loop_fd(loop), GY_READABLE, outer_step_io), 0);
    gy_timer_start(outer, &outer_timer, (gy_timer_opts){.fn = outer_step_timer, .after = GY_S(1)});
    CHECK_EQ(pthread_create(&thread, NULL, send_later, NULL), 0);
    CHECK_EQ(gy_loop_run(outer), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(timer_calls, 5);
    CHECK_EQ(io_calls, 1);
    CHECK_EQ(async_calls, 1);
    gy_loop_stats s;
    gy_loop_stats_get(outer, &s);
    CHECK(s.turns < 1000);
    CHECK_EQ(gy_loop_free(outer), 0);
    end();
}
