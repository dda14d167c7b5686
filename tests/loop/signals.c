/* SPDX-License-Identifier: ISC */
/* Signals as events: several watchers, two loops in two threads, the handler that was there before, and the count. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"

static gy_loop *loop;

static void begin(const char *backend) { CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0); }

static void end(void) {
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

struct watch {
    gy_signal signal;
    unsigned calls, count;
    bool stay;
};

static void watch_run(gy_signal *signal, unsigned count) {
    struct watch *w = GY_OF(signal, struct watch, signal);
    w->calls++;
    w->count += count;
    if (!w->stay) gy_signal_stop(signal);
}

static volatile sig_atomic_t handled;

static void plain_handler(int signo) { handled = signo; }

static void install(int signo, void (*handler)(int), struct sigaction *before) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    CHECK_EQ(sigaction(signo, &action, before), 0);
}

TEST_BACKENDS(signals, every_watcher_of_one_signal_is_called) {
    struct watch a = {.calls = 0}, b = {.calls = 0}, other = {.calls = 0};
    begin(backend);
    CHECK_EQ(gy_signal_start(loop, &a.signal, SIGUSR1, watch_run), 0);
    CHECK_EQ(gy_signal_start(loop, &b.signal, SIGUSR1, watch_run), 0);
    CHECK_EQ(gy_signal_start(loop, &other.signal, SIGUSR2, watch_run), 0);
    CHECK_EQ(a.signal.signo, SIGUSR1);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(a.calls, 0); /* not in the handler */
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(b.calls, 1);
    CHECK_EQ(other.calls, 0);
    gy_signal_stop(&other.signal);
    gy_signal_stop(&other.signal);
    end();
}

TEST_BACKENDS(signals, counts_how_often) {
    struct watch a = {.stay = true};
    begin(backend);
    CHECK_EQ(gy_signal_start(loop, &a.signal, SIGUSR1, watch_run), 0);
    for (int i = 0; i < 7; i++) CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_EQ(a.count, 7);
    CHECK(a.calls >= 1);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_EQ(a.count, 8);
    gy_signal_stop(&a.signal);
    end();
}

TEST_BACKENDS(signals, what_was_raised_before_the_start_is_not_told) {
    struct watch a = {.stay = true}, b = {.stay = true};
    begin(backend);
    CHECK_EQ(gy_signal_start(loop, &a.signal, SIGUSR1, watch_run), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(gy_signal_start(loop, &b.signal, SIGUSR1, watch_run), 0);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_EQ(a.count, 1);
    CHECK_EQ(b.count, 0);
    gy_signal_stop(&a.signal);
    gy_signal_stop(&b.signal);
    end();
}

TEST_BACKENDS(signals, the_handler_that_was_there_before_is_restored) {
    struct watch a = {.stay = true}, b = {.stay = true};
    struct sigaction before, now;
    handled = 0;
    install(SIGUSR1, plain_handler, &before);
    begin(backend);
    CHECK_EQ(gy_signal_start(loop, &a.signal, SIGUSR1, watch_run), 0);
    CHECK_EQ(gy_signal_start(loop, &b.signal, SIGUSR1, watch_run), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(handled, 0);
    gy_signal_stop(&a.signal);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(handled, 0);
    gy_signal_stop(&b.signal);
    CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
    CHECK(now.sa_handler == plain_handler);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(handled, SIGUSR1);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.calls + b.calls, 0); /* stopped before it was told */
    CHECK_EQ(sigaction(SIGUSR1, &before, NULL), 0);
    end();
}

TEST_BACKENDS(signals, freeing_the_loop_restores_the_handler_too) {
    struct watch a = {.stay = true};
    struct sigaction before, now;
    install(SIGUSR1, plain_handler, &before);
    begin(backend);
    CHECK_EQ(gy_signal_start(loop, &a.signal, SIGUSR1, watch_run), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
    CHECK(now.sa_handler == plain_handler);
    CHECK_EQ(sigaction(SIGUSR1, &before, NULL), 0);
}

TEST_BACKENDS(signals, wrong_arguments_and_references) {
    struct watch a = {.stay = true};
    begin(backend);
    CHECK_EQ(gy_signal_start(loop, &a.signal, SIGUSR1, NULL), -EINVAL);
    CHECK_EQ(gy_signal_start(loop, &a.signal, 0, watch_run), -EINVAL);
    CHECK_EQ(gy_signal_start(loop, &a.signal, -3, watch_run), -EINVAL);
    CHECK_EQ(gy_signal_start(loop, &a.signal, 100000, watch_run), -EINVAL);
    CHECK_EQ(gy_signal_start(loop, &a.signal, SIGKILL, watch_run), -EINVAL);
    CHECK(!gy_signal_active(&a.signal));
    gy_signal_unref(&a.signal);
    CHECK_EQ(gy_signal_start(loop, &a.signal, SIGUSR1, watch_run), 0);
    CHECK_EQ(gy_signal_start(loop, &a.signal, SIGUSR1, watch_run), -EALREADY);
    CHECK(gy_signal_active(&a.signal));
    CHECK_EQ(gy_loop_run(loop), 0); /* it does not keep the loop */
    gy_signal_ref(&a.signal);
    gy_signal_ref(&a.signal);
    CHECK_EQ(loop->active, 1);
    gy_signal_unref(&a.signal);
    CHECK_EQ(loop->active, 0);
    gy_signal_stop(&a.signal);
    end();
}

static struct watch *victim;

static void stop_victim(gy_signal *signal, unsigned count) {
    watch_run(signal, count);
    gy_signal_stop(&victim->signal);
}

TEST_BACKENDS(signals, a_watcher_stopped_by_another_one_is_not_called) {
    struct watch a = {.calls = 0}, b = {.calls = 0};
    begin(backend);
    victim = &b;
    CHECK_EQ(gy_signal_start(loop, &a.signal, SIGUSR1, stop_victim), 0);
    CHECK_EQ(gy_signal_start(loop, &b.signal, SIGUSR1, watch_run), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(b.calls, 0);
    end();
}

/* ---- two loops --------------------------------------------------------------------------------------------------- */

struct place {
    pthread_t thread;
    const char *backend;
    struct watch watch;
    atomic_int ready;
    int err;
};

static void *place_main(void *arg) {
    struct place *p = arg;
    gy_loop *own;
    p->err = gy_loop_new(&own, (gy_loop_opts){.backend = p->backend});
    if (!p->err) p->err = gy_signal_start(own, &p->watch.signal, SIGUSR2, watch_run);
    atomic_store(&p->ready, 1);
    if (p->err) return NULL;
    p->err = gy_loop_run(own);
    if (!p->err) p->err = gy_loop_free(own);
    return NULL;
}

TEST_BACKENDS(signals, two_loops_in_two_threads_are_both_told) {
    struct place place[2] = {{.backend = backend}, {.backend = backend}};
    struct timespec ts = {0, 1000000};
    for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&place[i].thread, NULL, place_main, &place[i]), 0);
    for (int i = 0; i < 2; i++)
        while (!atomic_load(&place[i].ready)) nanosleep(&ts, NULL);
    CHECK_EQ(place[0].err, 0);
    CHECK_EQ(kill(getpid(), SIGUSR2), 0);
    for (int i = 0; i < 2; i++) pthread_join(place[i].thread, NULL);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(place[i].err, 0);
        CHECK_EQ(place[i].watch.calls, 1);
        CHECK_EQ(place[i].watch.count, 1);
    }
}
