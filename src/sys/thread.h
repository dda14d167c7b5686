/* SPDX-License-Identifier: ISC */
/* Threads, locks and conditions, as far as the library needs them. */
#ifndef GYI_SYS_THREAD_H
#define GYI_SYS_THREAD_H

#include <pthread.h>

#include "sys/sys.h"

typedef pthread_mutex_t gyi_mutex;
typedef pthread_cond_t gyi_cond;
typedef pthread_t gyi_thread;

#define GYI_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER

int gyi_mutex_init(gyi_mutex *mutex);
void gyi_mutex_free(gyi_mutex *mutex);
void gyi_mutex_lock(gyi_mutex *mutex);
void gyi_mutex_unlock(gyi_mutex *mutex);

int gyi_cond_init(gyi_cond *cond);
void gyi_cond_free(gyi_cond *cond);
void gyi_cond_signal(gyi_cond *cond);

/* Waits; spurious wake-ups happen. GY_FOREVER: without limit. @return 0 or -ETIMEDOUT. */
int gyi_cond_wait(gyi_cond *cond, gyi_mutex *mutex, gy_ns timeout);

/* Starts a thread with every signal blocked, so that handlers keep to the program's own threads. `stack` is in bytes, 0
 * for the system's size. */
int gyi_thread_start(gyi_sys *sys, gyi_thread *thread, size_t stack, void *(*run)(void *), void *arg);
void gyi_thread_join(gyi_thread thread);

/* Has the system clean up after the calling thread, which nobody will join. */
void gyi_thread_detach(void);
static inline bool gyi_thread_is_me(gyi_thread thread) { return pthread_equal(thread, pthread_self()); }

#endif
