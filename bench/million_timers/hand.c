/* SPDX-License-Identifier: ISC */
/* By hand: the timer wheel of common/wheel.h, called without a loop around it. The calls are kept out of line, as those
 * of a library are.
 */
#include "common/wheel.h"
#include "million_timers/workload.h"

const char contender[] = "hand";

static struct wheel wheel;
static struct wheel_timer *timers;
static int64_t now;

static void on_timer(struct wheel_timer *timer)
{
    (void)timer;
    timer_fired();
}

static __attribute__((noinline)) void start(struct wheel_timer *timer, int64_t due)
{
    wheel_start(&wheel, timer, due);
}

static __attribute__((noinline)) void stop(struct wheel_timer *timer)
{
    wheel_stop(timer);
}

void contender_open(size_t count)
{
    timers = bench_alloc(count, sizeof *timers);
    for (size_t i = 0; i < count; i++)
        timers[i].fn = on_timer;
    now = bench_wall();
    wheel_init(&wheel, now);
}

void contender_insert(const int64_t *due, size_t count)
{
    for (size_t i = 0; i < count; i++)
        start(&timers[i], now + due[i]);
}

void contender_restart(const int64_t *due, size_t count)
{
    contender_insert(due, count);
}

void contender_cancel(size_t count)
{
    for (size_t i = 0; i < count; i++)
        stop(&timers[i]);
}

void contender_expire(size_t count)
{
    (void)count;
    while (timers_left > 0)
        wheel_advance(&wheel, bench_wall());
}
