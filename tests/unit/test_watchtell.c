/* SPDX-License-Identifier: ISC */
/* Events that wait: their order, which ones are merged, and the end. */
#include "watchers.h"

TEST(watchtell, in_order_and_merged_by_name) {
    watched t;
    watched_begin(&t, GY_MS(10));
    watched_add(&t, GY_FSWATCH_CREATED, "a");
    watched_add(&t, GY_FSWATCH_ATTRIBUTES, "b");
    watched_add(&t, GY_FSWATCH_CHANGED, "a");
    watched_add(&t, GY_FSWATCH_CHANGED, "b");
    watched_add(&t, GY_FSWATCH_REMOVED, "c");
    watched_add(&t, GY_FSWATCH_CREATED, "c");
    gy_ns begun = gy_loop_now(t.loop);
    while (t.calls < 3) CHECK(gy_loop_step(t.loop, GY_STEP_WAIT) >= 0);
    CHECK_EQ(gy_loop_now(t.loop) - begun, GY_MS(10));
    CHECK_STR(t.log, "0a;2b;0c;");
    watched_end(&t);
}

/* A rename stands between what happened before and after it. */
TEST(watchtell, renames_are_not_merged) {
    watched t;
    watched_begin(&t, GY_MS(10));
    watched_add(&t, GY_FSWATCH_CHANGED, "a");
    gyi_happened from = {.dir = "d", .name = "x"}, to = {.dir = "", .name = "a"};
    gyi_told_add_pair(t.w, gyi_told_new(t.w, &from), gyi_told_new(t.w, &to));
    watched_add(&t, GY_FSWATCH_CHANGED, "a");
    while (t.calls < 3) CHECK(gy_loop_step(t.loop, GY_STEP_WAIT) >= 0);
    CHECK_STR(t.log, "2a;4a;2a;");
    watched_end(&t);
}

/* Names below a directory that goes or moves are of other files afterwards. */
TEST(watchtell, nothing_is_merged_across_the_going_of_a_directory) {
    watched t;
    watched_begin(&t, GY_MS(10));
    gyi_happened from = {.dir = "", .name = "d", .is_dir = true}, to = {.dir = "", .name = "e", .is_dir = true};
    gyi_happened gone = {.kind = GY_FSWATCH_REMOVED, .dir = "", .name = "d", .is_dir = true};
    watched_add(&t, GY_FSWATCH_REMOVED, "d/x");
    gyi_told_add_pair(t.w, gyi_told_new(t.w, &from), gyi_told_new(t.w, &to));
    watched_add(&t, GY_FSWATCH_CREATED, "d");
    watched_add(&t, GY_FSWATCH_CREATED, "d/x");
    watched_add(&t, GY_FSWATCH_CHANGED, "d/x");
    gyi_watcher_add(t.w, &gone);
    watched_add(&t, GY_FSWATCH_CREATED, "d");
    watched_add(&t, GY_FSWATCH_CREATED, "d/x");
    while (t.calls < 7) CHECK(gy_loop_step(t.loop, GY_STEP_WAIT) >= 0);
    CHECK_STR(t.log, "1d/x;4e;0d;0d/x;1d;0d;0d/x;");
    watched_end(&t);
}

/* Twice the same names: the second time each is found, however many wait; told ones are found no more. */
TEST(watchtell, very_many_names) {
    enum { NAMES = 10000 };
    watched t;
    char name[16];
    watched_begin(&t, GY_MS(10));
    for (int i = 0; i < 2 * NAMES; i++) {
        snprintf(name, sizeof name, "%d", i % NAMES);
        watched_add(&t, i < NAMES ? GY_FSWATCH_CREATED : GY_FSWATCH_CHANGED, name);
    }
    CHECK_EQ(t.w->names_waiting.count, NAMES);
    t.mute = true;
    while (t.calls < NAMES) CHECK(gy_loop_step(t.loop, GY_STEP_WAIT) >= 0);
    CHECK_EQ(t.w->names_waiting.count, 0);
    t.mute = false;
    watched_add(&t, GY_FSWATCH_CHANGED, "7");
    while (t.calls == NAMES) CHECK(gy_loop_step(t.loop, GY_STEP_WAIT) >= 0);
    CHECK_STR(t.log, "2" "7;");
    watched_end(&t);
}

TEST(watchtell, the_end_comes_last_and_at_once) {
    watched t;
    watched_begin(&t, GY_S(1000));
    watched_add(&t, GY_FSWATCH_CHANGED, "a");
    gyi_watcher_lost(t.w);
    gyi_watcher_gone(t.w, -EIO);
    watched_add(&t, GY_FSWATCH_CHANGED, "late");
    CHECK_EQ(gy_loop_run(t.loop), 0);
    CHECK_STR(t.log, "5;2a;6;");
    CHECK_EQ(t.err, -EIO);
    CHECK(!gy_fswatch_active(&t.watch));
    watched_end(&t);
}
