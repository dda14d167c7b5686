/* SPDX-License-Identifier: ISC */
/* By hand: two pools of four threads, one for look-ups and one for stats, each a queue under a mutex with a condition
 * variable; the answers are a list with an eventfd that a blocking read waits for. */
#include "getaddrinfo/workload.h"

#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

const char contender[] = "hand";

struct job {
    struct job *next;
    void (*run)(struct job *);
    void (*done)(struct job *);
    const char *host;
    size_t number;
    bool found;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job *queue, **end;
};

static struct pool lookups = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &lookups.queue};
static struct pool stats = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &stats.queue};
static pthread_mutex_t answer_lock = PTHREAD_MUTEX_INITIALIZER;
static struct job *answers, **answers_end = &answers;
static int wake;
static bool stopped;
static struct job asks[LOOKUPS_AT_ONCE], hanging[HANGING], request;

static void answer(struct job *job)
{
    const uint64_t one = 1;
    bool first;

    pthread_mutex_lock(&answer_lock);
    first = !answers;
    job->next = NULL;
    *answers_end = job;
    answers_end = &job->next;
    pthread_mutex_unlock(&answer_lock);
    if (first)
        bench_must(write(wake, &one, sizeof one) == sizeof one, "wake the loop");
}

static void *thread(void *arg)
{
    struct pool *pool = arg;

    for (;;) {
        struct job *job;

        pthread_mutex_lock(&pool->lock);
        while (!pool->queue)
            pthread_cond_wait(&pool->work, &pool->lock);
        job = pool->queue;
        pool->queue = job->next;
        if (!pool->queue)
            pool->end = &pool->queue;
        pthread_mutex_unlock(&pool->lock);
        job->run(job);
        answer(job);
    }
    return NULL;
}

static void submit(struct pool *pool, struct job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&pool->lock);
    *pool->end = job;
    pool->end = &job->next;
    pthread_mutex_unlock(&pool->lock);
    pthread_cond_signal(&pool->work);
}

static void run_lookup(struct job *job)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;

    job->found = getaddrinfo(job->host, NULL, &hints, &found) == 0;
    if (found)
        freeaddrinfo(found);
}

static void run_hang(struct job *job)
{
    (void)job;
    hang();
}

static void run_stat(struct job *job)
{
    struct stat st;

    job->found = stat("/", &st) == 0;
}

static void done_lookup(struct job *job)
{
    lookup_done(job->number, job->found);
}

static void done_hang(struct job *job)
{
    (void)job;
}

static void done_stat(struct job *job)
{
    stat_done(job->found);
}

void contender_open(void)
{
    pthread_t id;

    wake = eventfd(0, EFD_CLOEXEC);
    bench_must(wake >= 0, "make an eventfd");
    for (int i = 0; i < LOOKUP_THREADS; i++) {
        bench_must(pthread_create(&id, NULL, thread, &lookups) == 0, "start a thread");
        bench_must(pthread_create(&id, NULL, thread, &stats) == 0, "start a thread");
    }
}

void contender_lookup(size_t number, const char *host)
{
    asks[number] = (struct job){.run = run_lookup, .done = done_lookup, .host = host, .number = number};
    submit(&lookups, &asks[number]);
}

void contender_hang(void)
{
    for (size_t i = 0; i < HANGING; i++) {
        hanging[i] = (struct job){.run = run_hang, .done = done_hang};
        submit(&lookups, &hanging[i]);
    }
}

void contender_stat(void)
{
    request = (struct job){.run = run_stat, .done = done_stat};
    submit(&stats, &request);
}

void contender_run(void)
{
    stopped = false;
    while (!stopped) {
        uint64_t count;
        struct job *list;

        bench_must(read(wake, &count, sizeof count) == sizeof count, "wait");
        pthread_mutex_lock(&answer_lock);
        list = answers;
        answers = NULL;
        answers_end = &answers;
        pthread_mutex_unlock(&answer_lock);
        while (list) {
            struct job *next = list->next;

            list->done(list);
            list = next;
        }
    }
}

void contender_stop(void)
{
    stopped = true;
}
