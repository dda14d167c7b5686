/* SPDX-License-Identifier: ISC */
/* gyre: fibers of a loop that has nothing else to do. */
#include "fibers/workload.h"

#include "gyre/fiber.h"
#include "gyre/job.h"
#include "task/switch.h" /* for the bare switch, which is not public */

const char contender[] = "gyre";

static gy_loop *loop;
static gy_promise *settled, *pending;

void contender_open(void)
{
    bench_must(gy_loop_new(&loop, (gy_loop_opts){0}) == 0, "make a loop");
    bench_must(gy_promise_new(loop, &settled) == 0, "make a promise");
    bench_must(gy_promise_new(loop, &pending) == 0, "make a promise");
    gy_promise_resolve(settled, gy_num(1));
}

/* ---- the bare switch ---- */

static gyi_context here, there;

static void bounce(void *arg)
{
    (void)arg;
    for (;;)
        gyi_switch(&there, &here);
}

/* There and back are two operations. */
void contender_bare(uint64_t count)
{
    enum { STACK = 65536 };
    static _Alignas(64) char stack[STACK];

    gyi_switch_make(&there, stack, stack + STACK, bounce, NULL);
    for (uint64_t i = 0; i < count; i += 2)
        gyi_switch(&here, &there);
}

/* ---- fibers ---- */

static gy_value awaits(void *arg)
{
    uint64_t count = *(uint64_t *)arg;

    while (count-- > 0)
        gy_await(settled);
    return gy_num(0);
}

void contender_await(uint64_t count)
{
    gy_fiber_start(loop, (gy_fiber_opts){.fn = awaits, .arg = &count});
    bench_must(gy_loop_run(loop) == 0, "run");
}

void contender_switch(uint64_t count)
{
    uint64_t half = count / 2;

    gy_fiber_start(loop, (gy_fiber_opts){.fn = awaits, .arg = &half});
    gy_fiber_start(loop, (gy_fiber_opts){.fn = awaits, .arg = &half});
    bench_must(gy_loop_run(loop) == 0, "run");
}

static gy_value nothing(void *arg)
{
    (void)arg;
    return gy_num(0);
}

/* A promise that is settled is held until the callback returns, so a callback starts a hundred. */
static uint64_t left;

static void spawn(gy_job *job)
{
    for (int i = 0; i < 100 && left > 0; i++, left--)
        gy_fiber_start(loop, (gy_fiber_opts){.fn = nothing});
    if (left > 0)
        gy_immediate(loop, job, spawn);
}

void contender_spawn(uint64_t count)
{
    gy_job job = {0};

    left = count;
    gy_immediate(loop, &job, spawn);
    bench_must(gy_loop_run(loop) == 0, "run");
}

static gy_value waits(void *arg)
{
    return gy_await(arg);
}

bool contender_wait(uint64_t count)
{
    while (count-- > 0) {
        gy_promise *p = gy_fiber_start(loop, (gy_fiber_opts){.fn = waits, .arg = pending});
        bench_must(p && gy_promise_state_of(p) == GY_PENDING, "start a fiber");
    }
    return true;
}
