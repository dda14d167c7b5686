/* SPDX-License-Identifier: ISC */
/* Threads, locks and conditions. */
#include <errno.h>
#include <signal.h>

#include "harness.h"
#include "refuse.h"
#include "sys/clock.h"
#include "sys/thread.h"

static gyi_sys sys;
static gyi_mutex mutex;
static gyi_cond cond;
static int turn, total, blocked;

static void *count_main(void *arg) {
    (void)arg;
    for (int i = 0; i < 10000; i++) {
        gyi_mutex_lock(&mutex);
        total++;
        gyi_mutex_unlock(&mutex);
    }
    return NULL;
}

TEST(thread, a_mutex_excludes) {
    gyi_thread t[3];
    total = 0;
    CHECK_EQ(gyi_mutex_init(&mutex), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(gyi_thread_start(&sys, &t[i], 0, count_main, NULL), 0);
    for (int i = 0; i < 3; i++) gyi_thread_join(t[i]);
    CHECK_EQ(total, 30000);
    gyi_mutex_free(&mutex);
}

static void *answer_main(void *arg) {
    (void)arg;
    gyi_mutex_lock(&mutex);
    while (turn != 1) gyi_cond_wait(&cond, &mutex, GY_FOREVER);
    turn = 2;
    gyi_cond_signal(&cond);
    gyi_mutex_unlock(&mutex);
    return NULL;
}

TEST(thread, a_condition_is_signalled_both_ways) {
    gyi_thread t;
    turn = 0;
    CHECK_EQ(gyi_mutex_init(&mutex), 0);
    CHECK_EQ(gyi_cond_init(&cond), 0);
    CHECK_EQ(gyi_thread_start(&sys, &t, 16384, answer_main, NULL), 0);
    gyi_mutex_lock(&mutex);
    turn = 1;
    gyi_cond_signal(&cond);
    while (turn != 2) CHECK_EQ(gyi_cond_wait(&cond, &mutex, GY_S(50)), 0);
    gyi_mutex_unlock(&mutex);
    gyi_thread_join(t);
    gyi_cond_free(&cond);
    gyi_mutex_free(&mutex);
}

TEST(thread, a_wait_with_a_limit_ends_and_not_before) {
    CHECK_EQ(gyi_mutex_init(&mutex), 0);
    CHECK_EQ(gyi_cond_init(&cond), 0);
    gyi_mutex_lock(&mutex);
    gy_ns from = gyi_clock_mono();
    int err;
    do err = gyi_cond_wait(&cond, &mutex, GY_MS(3));
    while (err == 0); /* spurious */
    CHECK_EQ(err, -ETIMEDOUT);
    CHECK(gyi_clock_mono() - from >= GY_MS(3));
    CHECK_EQ(gyi_cond_wait(&cond, &mutex, 0), -ETIMEDOUT);
    gyi_mutex_unlock(&mutex);
    gyi_cond_free(&cond);
    gyi_mutex_free(&mutex);
}

static void *mask_main(void *arg) {
    sigset_t now;
    (void)arg;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    blocked = sigismember(&now, SIGUSR1) == 1 && sigismember(&now, SIGTERM) == 1;
    return NULL;
}

TEST(thread, starts_with_all_signals_blocked_and_leaves_the_starters_mask) {
    gyi_thread t;
    sigset_t before, after;
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    CHECK_EQ(gyi_thread_start(&sys, &t, 0, mask_main, NULL), 0);
    gyi_thread_join(t);
    CHECK(blocked);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    CHECK_EQ(sigismember(&before, SIGUSR1), sigismember(&after, SIGUSR1));
    refuse(GYI_SYS_THREAD, -EAGAIN);
    int err = gyi_thread_start(&sys, &t, 0, mask_main, NULL);
    refuse_nothing();
    CHECK_EQ(err, -EAGAIN);
}
