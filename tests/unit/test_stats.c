/* SPDX-License-Identifier: ISC */
/* The buckets of a histogram at their borders. The counters are in tests/loop/stats.c. */
#include "gyre/stats.h"
#include "harness.h"
#include "loop/loop.h"

TEST(stats_unit, each_bucket_ends_where_the_header_says) {
    for (int i = 0; i < 23; i++) {
        gy_histogram h = {{0}};
        gy_ns end = INT64_C(1) << (10 + i);
        gyi_stats_add(&h, end - 1);
        CHECK_EQ(h.bucket[i], 1);
        gyi_stats_add(&h, end);
        CHECK_EQ(h.bucket[i + 1], 1);
        CHECK_EQ(gy_histogram_percentile(&h, 50), end);
    }
    gy_histogram h = {{0}};
    gyi_stats_add(&h, 0);
    CHECK_EQ(h.bucket[0], 1);
    gyi_stats_add(&h, GY_FOREVER);
    CHECK_EQ(h.bucket[23], 1);
}

TEST(stats_unit, the_most_is_kept) {
    gy_loop *loop;
    gy_loop_stats s;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    gyi_collected(loop, 5);
    gyi_collected(loop, 3);
    gy_loop_stats_get(loop, &s);
    CHECK_EQ(s.queued_max, 5);
    CHECK_EQ(gy_loop_free(loop), 0);
}
