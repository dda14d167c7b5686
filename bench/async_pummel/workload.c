/* SPDX-License-Identifier: ISC */
/* Starts the threads and counts. The senders of async_pummel do nothing but send; a flag says when it is over. */
#include "async_pummel/workload.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { MOST_THREADS = 64 };

/* ---- async_pummel ---- */

static struct port *target;
static uint64_t calls_left;
static atomic_bool over;
static atomic_ullong sends;

static bool pummel_called(void *arg)
{
    (void)arg;
    if (calls_left > 0)
        calls_left--;
    return calls_left == 0;
}

static void *pummel(void *arg)
{
    unsigned long long sent = 0;

    (void)arg;
    while (!atomic_load_explicit(&over, memory_order_relaxed)) {
        contender_send(target);
        sent++;
    }
    atomic_fetch_add(&sends, sent);
    return NULL;
}

static void async_pummel(uint64_t size, unsigned count)
{
    pthread_t threads[MOST_THREADS];
    struct bench_watch watch;

    bench_must(count > 0 && count <= MOST_THREADS, "have that many threads");
    calls_left = size;
    target = contender_open(pummel_called, NULL);
    bench_start(&watch);
    for (unsigned i = 0; i < count; i++)
        bench_must(pthread_create(&threads[i], NULL, pummel, NULL) == 0, "start a thread");
    contender_run(target);
    atomic_store(&over, true);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    bench_stop(&watch);
    bench_begin("async_pummel");
    bench_fact("threads", count);
    bench_fact("sends_per_call", (double)atomic_load(&sends) / (double)size);
    bench_per_op(&watch, size);
    bench_end();
}

/* ---- two_loops ---- */

struct side {
    struct port *own, *other;
    uint64_t left;
};

static bool side_called(void *arg)
{
    struct side *side = arg;

    contender_send(side->other);
    return --side->left == 0;
}

static void *side_run(void *arg)
{
    contender_run(((struct side *)arg)->own);
    return NULL;
}

static void two_loops(uint64_t size)
{
    struct side a = {.left = size}, b = {.left = size};
    struct bench_watch watch;
    pthread_t thread;

    bench_pin();
    a.own = b.other = contender_open(side_called, &a);
    b.own = a.other = contender_open(side_called, &b);
    bench_start(&watch);
    bench_must(pthread_create(&thread, NULL, side_run, &b) == 0, "start a thread");
    contender_send(a.own);
    contender_run(a.own);
    pthread_join(thread, NULL);
    bench_stop(&watch);
    bench_begin("two_loops");
    bench_per_op(&watch, size);
    bench_end();
}

int main(int argc, char **argv)
{
    const char *variant;
    uint64_t size;

    bench_init(argc, argv);
    variant = bench_arg_text("variant", "async_pummel");
    size = bench_arg("size", 100000);
    if (!strcmp(variant, "two_loops"))
        two_loops(size);
    else
        async_pummel(size, (unsigned)bench_arg("threads", 1));
    return 0;
}
