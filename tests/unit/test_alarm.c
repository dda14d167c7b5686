/* SPDX-License-Identifier: ISC */
/* Alarms when the notice of a clock that was set cannot be had, and small steps of the clock, which are no jumps. What
 * jumps do is in tests/loop/alarms.c. */
#include <errno.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"

static int runs, at, fail_at;

static void run(gy_alarm *alarm) {
    (void)alarm;
    runs++;
}

static int fail_nth(gyi_syscall kind) { return kind == GYI_SYS_POLLER && ++at == fail_at ? -EMFILE : 0; }

TEST_BACKENDS(alarm, without_the_notice_it_is_refused_and_idle) {
    gy_loop *loop;
    gy_alarm a = {.user = NULL};
    int first, err = -1;
    runs = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    first = dup(1);
    close(first);
    for (fail_at = 1; err && fail_at < 10; fail_at++) {
        at = 0;
        gyi_sys_fault = fail_nth;
        err = gy_alarm_start(loop, &a, (gy_alarm_opts){.fn = run, .at = 1});
        gyi_sys_fault = NULL;
        if (!err) break;
        int now = dup(1);
        close(now);
        CHECK_EQ(err, -EMFILE);
        CHECK_EQ(now, first);
        CHECK(!gy_alarm_active(&a) && !gy_loop_alive(loop));
    }
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(runs, 1);
    int last = dup(1);
    close(last);
    CHECK_EQ(last, first); /* the notice is closed again */
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(alarm, a_small_step_of_the_clock_is_no_jump) {
    gy_loop *loop;
    gy_alarm a = {.user = NULL};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_alarm_start(loop, &a, (gy_alarm_opts){.fn = run, .at = GY_S(100)}), 0);
    gy_ns due = gy_timer_due(&a.priv.timer);
    loop->wall_shift = GY_US(500);
    gyi_alarm_look(loop);
    CHECK_EQ(gy_timer_due(&a.priv.timer), due);
    loop->wall_shift = GY_S(1);
    gyi_alarm_look(loop);
    CHECK_EQ(gy_timer_due(&a.priv.timer), due - GY_S(1));
    gy_alarm_stop(&a);
    CHECK_EQ(gy_loop_free(loop), 0);
}
