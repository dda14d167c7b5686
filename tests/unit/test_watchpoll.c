/* SPDX-License-Identifier: ISC */
/* Looking again and again: what differs, and what cannot be looked at. */
#include "refuse.h"
#include "watchers.h"

/* The looks are an hour apart; virtual time brings them at once. */
TEST(watchpoll, errors_are_told_once) {
    watched t;
    watched_begin(&t, 0);
    gy_ns begun = gy_loop_now(t.loop);
    refuse(GYI_SYS_FILE, -EACCES);
    while (gy_loop_now(t.loop) - begun < GY_S(5 * 3600)) CHECK(gy_loop_step(t.loop, GY_STEP_WAIT) >= 0);
    refuse_nothing();
    CHECK_STR(t.log, "5;");
    CHECK_EQ(t.err, -EACCES);
    CHECK(gy_fswatch_active(&t.watch));
    watched_end(&t);
}

TEST(watchpoll, a_directory_has_something_new) {
    watched t;
    watched_begin(&t, 0);
    folder_put(&t.f, "a", "");
    while (!t.calls) CHECK(gy_loop_step(t.loop, GY_STEP_WAIT) >= 0);
    CHECK_STR(t.log, "5;");
    watched_end(&t);
}
