/* SPDX-License-Identifier: ISC */
/* Memory for coroutine frames: the loop's, also when that has gone. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gyre/coro.h"
#include "harness.h"

static int blocks, allowed;

static void *frame_alloc(size_t size, void *ctx) {
    (void)ctx;
    if (allowed-- <= 0) return NULL;
    blocks++;
    return malloc(size);
}

static void frame_free(void *ptr, void *ctx) {
    (void)ctx;
    blocks--;
    free(ptr);
}

TEST(frame, is_the_loops_memory_aligned_and_may_outlive_it) {
    gy_loop *loop;
    allowed = 1000;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim", .alloc = {frame_alloc, frame_free, NULL}}), 0);
    char *frame = gyi_coro_frame_new(loop, 100);
    CHECK(frame != NULL);
    CHECK_EQ((uintptr_t)frame % _Alignof(max_align_t), 0);
    memset(frame, 7, 100);
    CHECK(gyi_coro_frame_new(loop, SIZE_MAX - 8) == NULL);
    allowed = 0;
    CHECK(gyi_coro_frame_new(loop, 1) == NULL);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(blocks, 1);
    gyi_coro_frame_free(frame);
    CHECK_EQ(blocks, 0);
}

TEST(frame, keeps_the_loop_from_being_freed_until_it_is_over) {
    gy_loop *loop;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    gyi_coro_frame_begin(loop);
    gyi_coro_frame_begin(loop);
    gyi_coro_frame_over(loop);
    CHECK_EQ(gy_loop_free(loop), -EBUSY);
    gyi_coro_frame_over(loop);
    CHECK_EQ(gy_loop_free(loop), 0);
}
