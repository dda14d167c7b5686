/* SPDX-License-Identifier: ISC */
/* The pool as an object: its memory, its counts, and the default one of a loop. */
#include <errno.h>
#include <stdlib.h>

#include "harness.h"
#include "pool/pool.h"
#include "sys/cores.h"

typedef struct counter {
    int blocks, left; /* alive; how many more are given */
} counter;

static void *counter_alloc(size_t size, void *ctx) {
    counter *c = ctx;
    if (c->left-- <= 0) return NULL;
    c->blocks++;
    return malloc(size);
}

static void counter_free(void *ptr, void *ctx) {
    ((counter *)ctx)->blocks--;
    free(ptr);
}

TEST(pool_object, memory_comes_from_its_allocator) {
    counter c = {.left = 0};
    gy_pool *pool;
    gy_pool_opts opts = {.alloc = {counter_alloc, counter_free, &c}};
    CHECK_EQ(gy_pool_new(&pool, opts), -ENOMEM);
    CHECK(pool == NULL);
    c.left = 1;
    CHECK_EQ(gy_pool_new(&pool, opts), 0);
    CHECK_EQ(c.blocks, 1);
    CHECK_EQ(pool->lane[GY_LANE_IO].most, 4);
    CHECK_EQ(pool->lane[GY_LANE_CPU].most, gyi_cores_count());
    CHECK_EQ(pool->lane[GY_LANE_SLOW].most, 4);
    CHECK_EQ(pool->idle, GY_S(10));
    gy_pool_free(pool);
    CHECK_EQ(c.blocks, 0);
    opts.alloc.free = NULL;
    CHECK_EQ(gy_pool_new(&pool, opts), -EINVAL);
}

static void pool_run(gy_work *work) { (void)work; }

TEST(pool_object, counts) {
    gy_loop *loop;
    gy_pool *pool, *again;
    gy_work works[6] = {{0}};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_loop_pool(loop, &pool), 0);
    CHECK_EQ(gy_loop_pool(loop, &again), 0);
    CHECK(pool == again);
    for (int i = 0; i < 6; i++) {
        gy_work_opts opts = {.run = pool_run, .lane = i < 4 ? GY_LANE_IO : GY_LANE_SLOW};
        CHECK_EQ(gy_pool_submit(loop, &works[i], opts), 0);
    }
    CHECK_EQ(loop->working, 6);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(loop->working, 0);
    gy_pool_stats stats;
    do gy_pool_stats_get(pool, &stats); /* a thread counts a job after it has reported it */
    while (stats.lane[GY_LANE_IO].running + stats.lane[GY_LANE_SLOW].running);
    CHECK_EQ(stats.lane[GY_LANE_IO].done, 4);
    CHECK_EQ(stats.lane[GY_LANE_CPU].done, 0);
    CHECK_EQ(stats.lane[GY_LANE_SLOW].done, 2);
    CHECK_EQ(stats.lane[GY_LANE_IO].queued + stats.lane[GY_LANE_SLOW].queued, 0);
    CHECK_EQ(stats.lane[GY_LANE_IO].cancelled, 0);
    CHECK(stats.threads >= 2 && stats.threads <= 6);
    CHECK_EQ(gy_loop_free(loop), 0); /* and the pool with it */
}

TEST(pool_object, a_loop_without_memory_has_none) {
    counter c = {.left = 100};
    gy_loop *loop;
    gy_pool *pool;
    gy_work work = {0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim", .alloc = {counter_alloc, counter_free, &c}}), 0);
    c.left = 0;
    CHECK_EQ(gy_loop_pool(loop, &pool), -ENOMEM);
    CHECK(pool == NULL);
    CHECK_EQ(gy_pool_submit(loop, &work, (gy_work_opts){.run = pool_run}), -ENOMEM);
    CHECK(!gy_loop_alive(loop));
    c.left = 100;
    CHECK_EQ(gy_pool_submit(loop, &work, (gy_work_opts){.run = pool_run}), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(c.blocks, 0);
}
