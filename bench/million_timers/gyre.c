/* SPDX-License-Identifier: ISC */
/* gyre: gy_timer, with absolute due times on the loop's clock (`.at`), which is what libuv and libev do inside: they
 * add to a time that they read earlier. The relative form reads the clock with each call.
 */
#include "common/gyre_loop.h"
#include "million_timers/workload.h"

#include "gyre/timer.h"

const char contender[] = "gyre";

static gy_loop *loop;
static gy_timer *timers;

static void on_timer(gy_timer *timer)
{
    if (timer_fired())
        gy_loop_stop(timer->loop);
}

void contender_open(size_t count)
{
    loop = bench_loop();
    timers = bench_alloc(count, sizeof *timers);
    gy_loop_update_now(loop);
}

void contender_insert(const int64_t *due, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gy_timer_start(loop, &timers[i], (gy_timer_opts){.fn = on_timer, .at = gy_loop_now(loop) + due[i]});
}

void contender_restart(const int64_t *due, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gy_timer_restart(&timers[i], gy_loop_now(loop) + due[i]);
}

void contender_cancel(size_t count)
{
    for (size_t i = 0; i < count; i++)
        gy_timer_stop(&timers[i]);
}

void contender_expire(size_t count)
{
    (void)count;
    gy_loop_run(loop);
}
