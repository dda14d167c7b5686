/* SPDX-License-Identifier: ISC */
/* Very many jobs: none is lost or done twice, and they come back in batches. */
#include <stdlib.h>

#include "gyre/gyre.h"
#include "harness.h"

enum { MANY = 100000, MANY_BATCH = 1000 };

typedef struct many {
    gy_work work;
    int ran, done;
} many;

static struct {
    many *at;
    int submitted, finished;
} crowd;

static void many_run(gy_work *work) { GY_OF(work, many, work)->ran++; }
static void many_done(gy_work *work, int err);

static void many_submit(gy_loop *loop) {
    gy_work_opts opts = {.run = many_run, .done = many_done, .lane = GY_LANE_CPU};
    for (int i = 0; i < MANY_BATCH && crowd.submitted < MANY; i++)
        CHECK_EQ(gy_pool_submit(loop, &crowd.at[crowd.submitted++].work, opts), 0);
}

static void many_done(gy_work *work, int err) {
    CHECK_EQ(err, 0);
    GY_OF(work, many, work)->done++;
    if (++crowd.finished % MANY_BATCH == 0) many_submit(work->loop);
}

/* Finished jobs arrive together: far fewer wake-ups than jobs. */
TEST_BACKENDS(pool, a_hundred_thousand_jobs) {
    gy_loop *loop;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    crowd.at = calloc(MANY, sizeof *crowd.at);
    CHECK(crowd.at != NULL);
    crowd.submitted = crowd.finished = 0;
    many_submit(loop);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(crowd.finished, MANY);
    for (int i = 0; i < MANY; i++) CHECK(crowd.at[i].ran == 1 && crowd.at[i].done == 1);
    gy_loop_stats stats;
    gy_loop_stats_get(loop, &stats);
    if (stats.wakeups > MANY / 2) CHECK_FAIL("%u wake-ups for %d jobs", (unsigned)stats.wakeups, MANY);
    CHECK(stats.wakeups <= stats.waits);
    CHECK_EQ(gy_loop_free(loop), 0);
    free(crowd.at);
}
