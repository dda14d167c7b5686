/* SPDX-License-Identifier: ISC */
/* By hand: a queue under a mutex with a condition variable, and a list of answers with an eventfd in an epoll set.
 *
 * What makes it quick is what is not done: a sleeping thread is woken only when nobody is on the way to the queue yet,
 * each thread takes a few jobs at a time, and only the first answer after the loop has looked writes to the eventfd.
 */
#include "pool/workload.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

const char contender[] = "hand";

enum { TAKE = 16 };

struct job {
    struct job *next;
    void (*run)(void);
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static struct job *queue, **queue_end = &queue;
static struct job *answers, **answers_end = &answers;
static unsigned sleeping, waking;
static int epoll, wake;
static size_t under_way;
static struct job *jobs;

/* Takes a few jobs off the queue; waits when there are none. The lock is held. */
static struct job *take(void)
{
    struct job *first, *last;

    while (!queue) {
        sleeping++;
        pthread_cond_wait(&work, &lock);
        sleeping--;
        if (waking > 0)
            waking--;
    }
    first = last = queue;
    for (int i = 1; i < TAKE && last->next; i++)
        last = last->next;
    queue = last->next;
    last->next = NULL;
    if (!queue)
        queue_end = &queue;
    return first;
}

static void *thread(void *arg)
{
    const uint64_t one = 1;

    (void)arg;
    pthread_mutex_lock(&lock);
    for (;;) {
        struct job *first = take(), *last = NULL;
        bool first_answer;

        pthread_mutex_unlock(&lock);
        for (struct job *job = first; job; last = job, job = job->next)
            job->run();
        pthread_mutex_lock(&lock);
        first_answer = !answers;
        *answers_end = first;
        answers_end = &last->next;
        if (first_answer) {
            pthread_mutex_unlock(&lock);
            bench_must(write(wake, &one, sizeof one) == sizeof one, "wake the loop");
            pthread_mutex_lock(&lock);
        }
    }
    return NULL;
}

void contender_open(size_t batch)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    pthread_t id;

    epoll = epoll_create1(EPOLL_CLOEXEC);
    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bench_must(epoll >= 0 && wake >= 0, "make a loop");
    bench_must(epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) == 0, "watch the eventfd");
    jobs = bench_alloc(batch, sizeof *jobs);
    for (int i = 0; i < POOL_THREADS; i++)
        bench_must(pthread_create(&id, NULL, thread, NULL) == 0, "start a thread");
}

static void submit(struct job *job)
{
    bool signal;

    job->run = pool_job;
    job->next = NULL;
    under_way++;
    pthread_mutex_lock(&lock);
    *queue_end = job;
    queue_end = &job->next;
    signal = waking == 0 && sleeping > 0;
    waking += signal;
    pthread_mutex_unlock(&lock);
    if (signal)
        pthread_cond_signal(&work);
}

void contender_submit(size_t count)
{
    for (size_t i = 0; i < count; i++)
        submit(&jobs[i]);
}

void contender_run(void)
{
    while (under_way > 0) {
        struct epoll_event event;
        struct job *list;

        epoll_wait(epoll, &event, 1, -1);
        pthread_mutex_lock(&lock);
        list = answers;
        answers = NULL;
        answers_end = &answers;
        pthread_mutex_unlock(&lock);
        while (list) {
            struct job *next = list->next;
            under_way--;
            pool_done();
            list = next;
        }
    }
}
