/* SPDX-License-Identifier: ISC */
/* Threads over pthreads. Locking cannot fail here: the mutexes are plain, initialised, and never locked twice. */
#include "sys/thread.h"

#include <limits.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"

/* The library holds its locks for some dozens of instructions: trying for that long costs less than to sleep. */
enum { THREAD_TRIES = 64 };

int gyi_mutex_init(gyi_mutex *mutex) { return -pthread_mutex_init(mutex, NULL); }
void gyi_mutex_free(gyi_mutex *mutex) { pthread_mutex_destroy(mutex); }
void gyi_mutex_lock(gyi_mutex *mutex) {
    for (int tries = 0; tries < THREAD_TRIES; tries++)
        if (pthread_mutex_trylock(mutex) == 0) return;
    pthread_mutex_lock(mutex);
}
void gyi_mutex_unlock(gyi_mutex *mutex) { pthread_mutex_unlock(mutex); }

void gyi_cond_free(gyi_cond *cond) { pthread_cond_destroy(cond); }
void gyi_cond_signal(gyi_cond *cond) { pthread_cond_signal(cond); }

static struct timespec thread_timespec(gy_ns t) {
    struct timespec ts;
    ts.tv_sec = (time_t)(t / GY_S(1));
    ts.tv_nsec = (long)(t % GY_S(1));
    return ts;
}

#ifdef __APPLE__

int gyi_cond_init(gyi_cond *cond) { return -pthread_cond_init(cond, NULL); }

static int cond_wait_for(gyi_cond *cond, gyi_mutex *mutex, gy_ns timeout) {
    struct timespec ts = thread_timespec(timeout);
    return -pthread_cond_timedwait_relative_np(cond, mutex, &ts);
}

#else

/* On the monotonic clock, so that setting the time of day neither wakes anybody nor makes anybody sleep for hours. */
int gyi_cond_init(gyi_cond *cond) {
    pthread_condattr_t attr;
    int err = pthread_condattr_init(&attr);
    if (err) return -err;
    err = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (!err) err = pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
    return -err;
}

static int cond_wait_for(gyi_cond *cond, gyi_mutex *mutex, gy_ns timeout) {
    struct timespec ts = thread_timespec(gyi_clock_mono() + timeout);
    return -pthread_cond_timedwait(cond, mutex, &ts);
}

#endif

int gyi_cond_wait(gyi_cond *cond, gyi_mutex *mutex, gy_ns timeout) {
    if (timeout > GY_S(86400) * 365) return -pthread_cond_wait(cond, mutex);
    return cond_wait_for(cond, mutex, timeout);
}

static int thread_create(gyi_thread *thread, size_t stack, void *(*run)(void *), void *arg) {
    pthread_attr_t attr;
    int err = pthread_attr_init(&attr);
    if (err) return -err;
    if (stack) {
        size_t least = (size_t)PTHREAD_STACK_MIN, page = 65536;
        if (stack < least) stack = least;
        stack = (stack + page - 1) / page * page;
        err = pthread_attr_setstacksize(&attr, stack);
    }
    if (!err) err = pthread_create(thread, &attr, run, arg);
    pthread_attr_destroy(&attr);
    return -err;
}

int gyi_thread_start(gyi_sys *sys, gyi_thread *thread, size_t stack, void *(*run)(void *), void *arg) {
    int err = gyi_sys_enter(sys, GYI_SYS_THREAD);
    if (err) return err;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = thread_create(thread, stack, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

void gyi_thread_join(gyi_thread thread) { pthread_join(thread, NULL); }

void gyi_thread_detach(void) { pthread_detach(pthread_self()); }
