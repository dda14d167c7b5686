/* SPDX-License-Identifier: ISC */
/* gyre: promises of a loop that has nothing else to do. A batch is an immediate, and a run of the loop. */
#include "promises/workload.h"

#include <stdlib.h>

#include "gyre/job.h"
#include "gyre/promise.h"

const char contender[] = "gyre";

static gy_loop *loop;
static uint64_t *sum, bytes;
static gy_job batch;

static void *counted_alloc(size_t size, void *ctx)
{
    (void)ctx;
    bytes += size;
    return malloc(size);
}

static void counted_free(void *ptr, void *ctx)
{
    (void)ctx;
    free(ptr);
}

static gy_promise *make(void)
{
    gy_promise *p;

    bench_must(gy_promise_new(loop, &p) == 0, "make a promise");
    return p;
}

static gy_value add(gy_value v, void *ctx)
{
    *(uint64_t *)ctx += 1;
    return v;
}

static gy_value add_all(gy_value v, void *ctx)
{
    const gy_list *list = v.ptr;

    for (size_t i = 0; i < list->count; i++)
        *(uint64_t *)ctx += (uint64_t)list->at[i].num;
    return gy_num(0);
}

void contender_open(void)
{
    gy_loop_opts opts = {.alloc = {counted_alloc, counted_free, NULL}};

    bench_must(gy_loop_new(&loop, opts) == 0, "make a loop");
    gy_promise_free(make());
}

static void go(uint64_t *into, gy_job_fn *fn)
{
    sum = into;
    gy_immediate(loop, &batch, fn);
    bench_must(gy_loop_run(loop) == 0, "run");
}

static void begin_then(gy_job *job)
{
    (void)job;
    for (int i = 0; i < BATCH; i++) {
        gy_promise *p = make();
        gy_then(p, add, sum);
        gy_promise_resolve(p, gy_num(1));
        gy_promise_free(p);
    }
}

void contender_then(uint64_t *into)
{
    go(into, begin_then);
}

static void begin_chain(gy_job *job)
{
    (void)job;
    for (int i = 0; i < BATCH / CHAIN_STEPS; i++) {
        gy_promise *first = make(), *p = first;
        for (int step = 0; step < CHAIN_STEPS; step++)
            p = gy_then(p, add, sum);
        gy_promise_resolve(first, gy_num(1));
        gy_promise_free(first);
    }
}

void contender_chain(uint64_t *into)
{
    go(into, begin_chain);
}

static void begin_all(gy_job *job)
{
    static gy_promise *all[ALL_COUNT];

    (void)job;
    for (int i = 0; i < ALL_COUNT; i++)
        all[i] = make();
    gy_then(gy_all(loop, all, ALL_COUNT), add_all, sum);
    for (int i = 0; i < ALL_COUNT; i++) {
        gy_promise_resolve(all[i], gy_num(1));
        gy_promise_free(all[i]);
    }
}

void contender_all(uint64_t *into)
{
    go(into, begin_all);
}

uint64_t contender_wait(uint64_t count)
{
    uint64_t before = bytes;

    for (uint64_t i = 0; i < count; i += 2)
        gy_then(make(), add, NULL);
    return bytes - before;
}
