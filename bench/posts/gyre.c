/* SPDX-License-Identifier: ISC */
/* What posts to a busy loop cost: batches of gy_post() from another thread.
 *
 * The loop is inside a callback while a batch of 100 arrives, so the whole batch should need one wake-up write, and the
 * loop should find all of it in one turn. The number of writes is the loop's own count; `run.py --syscalls` counts the
 * system calls from outside. The peers have nothing that runs a function in the loop and does not coalesce.
 */
#include "common/gyre_loop.h"

#include <pthread.h>
#include <semaphore.h>

#include "gyre/async.h"
#include "gyre/stats.h"
#include "gyre/timer.h"

const char contender[] = "gyre";

enum { BATCH = 100 };

static gy_loop *loop;
static gy_message messages[BATCH];
static gy_timer keep;
static sem_t wanted, posted;
static uint64_t batches_left, arrived;
static bool over;

static void on_message(gy_message *message)
{
    (void)message;
    if (++arrived % BATCH != 0)
        return;
    if (--batches_left == 0) {
        over = true;
        sem_post(&wanted);
        gy_loop_stop(loop);
        return;
    }
    sem_post(&wanted); /* the next batch comes while this callback waits */
    sem_wait(&posted);
}

static void *poster(void *arg)
{
    for (;;) {
        sem_wait(&wanted);
        if (over)
            return arg;
        for (int i = 0; i < BATCH; i++)
            bench_must(gy_post(loop, &messages[i], on_message) == 0, "post");
        sem_post(&posted);
    }
}

static void on_start(gy_timer *timer)
{
    gy_timer_start(loop, timer, (gy_timer_opts){.after = GY_S(3600), .fn = on_start}); /* keeps the loop alive */
    sem_post(&wanted);
    sem_wait(&posted);
}

int main(int argc, char **argv)
{
    struct bench_watch watch;
    gy_loop_stats stats;
    pthread_t thread;
    uint64_t size;

    bench_init(argc, argv);
    bench_pin();
    size = bench_arg("size", 1000000) / BATCH;
    bench_must(size > 0, "make at least one batch");
    batches_left = size;
    loop = bench_loop();
    bench_must(sem_init(&wanted, 0, 0) == 0 && sem_init(&posted, 0, 0) == 0, "make semaphores");
    bench_must(pthread_create(&thread, NULL, poster, NULL) == 0, "start a thread");
    gy_timer_start(loop, &keep, (gy_timer_opts){.fn = on_start});
    bench_start(&watch);
    gy_loop_run(loop);
    bench_stop(&watch);
    pthread_join(thread, NULL);
    gy_loop_stats_get(loop, &stats);
    bench_begin("posts");
    bench_fact("wakeups_per_batch", (double)stats.wakeups / (double)size);
    bench_per_op(&watch, size * BATCH);
    bench_end();
    return 0;
}
