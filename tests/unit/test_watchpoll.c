/* SPDX-License-Identifier: ISC */
/* Looking again and again: what differs, and what cannot be looked at. */
#include "watchers.h"

static int no_access(gyi_syscall kind) { return kind == GYI_SYS_FILE ? -EACCES : 0; }

/* The looks are an hour apart; virtual time brings them at once. */
TEST(watchpoll, errors_are_told_once) {
    watched t;
    watched_begin(&t, 0);
    gy_ns begun = gy_loop_now(t.loop);
    gyi_sys_fault = no_access;
    while (gy_loop_now(t.loop) - begun < GY_S(5 * 3600)) CHECK(gy_loop_step(t.loop, GY_STEP_WAIT) >= 0);
    gyi_sys_fault = NULL;
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
