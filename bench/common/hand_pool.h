/* SPDX-License-Identifier: ISC */
/* The hand-written thread pool: a queue under a mutex with a condition variable, and a list of answers with an eventfd
 * in an epoll set. One pool and one loop for a program, as one that is written for a purpose has.
 *
 * What makes it quick is what is not done: a sleeping thread is woken only when nobody is on the way to the queue yet,
 * each thread takes a few jobs at a time, and only the first answer after the loop has looked writes to the eventfd.
 */
#ifndef BENCH_COMMON_HAND_POOL_H
#define BENCH_COMMON_HAND_POOL_H

#include "common/bench.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { HAND_TAKE = 16 };

/* A job, inside whatever it is about: `run` on a thread, `done` in the loop. */
struct hand_job {
    struct hand_job *next;
    void (*run)(struct hand_job *);
    void (*done)(struct hand_job *);
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct hand_job *queue, **queue_end;
    struct hand_job *answers, **answers_end;
    unsigned sleeping, waking;
    int epoll, wake;
    size_t under_way;
} hand_pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};

/* Takes a few jobs off the queue; waits when there are none. The lock is held. */
static struct hand_job *hand_pool_take(void)
{
    struct hand_job *first, *last;

    while (!hand_pool.queue) {
        hand_pool.sleeping++;
        pthread_cond_wait(&hand_pool.work, &hand_pool.lock);
        hand_pool.sleeping--;
        if (hand_pool.waking > 0)
            hand_pool.waking--;
    }
    first = last = hand_pool.queue;
    for (int i = 1; i < HAND_TAKE && last->next; i++)
        last = last->next;
    hand_pool.queue = last->next;
    last->next = NULL;
    if (!hand_pool.queue)
        hand_pool.queue_end = &hand_pool.queue;
    return first;
}

static void *hand_pool_thread(void *arg)
{
    const uint64_t one = 1;

    (void)arg;
    pthread_mutex_lock(&hand_pool.lock);
    for (;;) {
        struct hand_job *first = hand_pool_take(), *last = NULL;
        bool first_answer;

        pthread_mutex_unlock(&hand_pool.lock);
        for (struct hand_job *job = first; job; last = job, job = job->next)
            job->run(job);
        pthread_mutex_lock(&hand_pool.lock);
        first_answer = !hand_pool.answers;
        *hand_pool.answers_end = first;
        hand_pool.answers_end = &last->next;
        if (first_answer) {
            pthread_mutex_unlock(&hand_pool.lock);
            bench_must(write(hand_pool.wake, &one, sizeof one) == sizeof one, "wake the loop");
            pthread_mutex_lock(&hand_pool.lock);
        }
    }
    return NULL;
}

static inline void hand_pool_open(int threads)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    pthread_t id;

    hand_pool.queue_end = &hand_pool.queue;
    hand_pool.answers_end = &hand_pool.answers;
    hand_pool.epoll = epoll_create1(EPOLL_CLOEXEC);
    hand_pool.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bench_must(hand_pool.epoll >= 0 && hand_pool.wake >= 0, "make a loop");
    bench_must(epoll_ctl(hand_pool.epoll, EPOLL_CTL_ADD, hand_pool.wake, &event) == 0, "watch the eventfd");
    for (int i = 0; i < threads; i++)
        bench_must(pthread_create(&id, NULL, hand_pool_thread, NULL) == 0, "start a thread");
}

static inline void hand_pool_submit(struct hand_job *job)
{
    bool signal;

    job->next = NULL;
    hand_pool.under_way++;
    pthread_mutex_lock(&hand_pool.lock);
    *hand_pool.queue_end = job;
    hand_pool.queue_end = &job->next;
    signal = hand_pool.waking == 0 && hand_pool.sleeping > 0;
    hand_pool.waking += signal;
    pthread_mutex_unlock(&hand_pool.lock);
    if (signal)
        pthread_cond_signal(&hand_pool.work);
}

/* Runs the loop until nothing is under way. */
static inline void hand_pool_run(void)
{
    while (hand_pool.under_way > 0) {
        struct epoll_event event;
        struct hand_job *list;

        epoll_wait(hand_pool.epoll, &event, 1, -1);
        pthread_mutex_lock(&hand_pool.lock);
        list = hand_pool.answers;
        hand_pool.answers = NULL;
        hand_pool.answers_end = &hand_pool.answers;
        pthread_mutex_unlock(&hand_pool.lock);
        while (list) {
            struct hand_job *job = list;

            list = job->next;
            hand_pool.under_way--;
            job->done(job);
        }
    }
}

#endif
