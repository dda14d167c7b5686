/* SPDX-License-Identifier: ISC */
/* Timers at the borders of their types, and the bounded batch. What they do on a running loop is in tests/loop/. */
#include <stdlib.h>
#include <string.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"

static gy_loop *loop;
static int fired;

static void begin(void) {
    fired = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
}

static void end(void) {
    CHECK(gyi_wheel_check(&loop->wheel));
    CHECK_EQ(gy_loop_free(loop), 0);
}

static void tally(gy_timer *timer) {
    (void)timer;
    fired++;
}

TEST(timer, a_delay_without_end_does_not_overflow) {
    gy_timer a = {.user = NULL}, b = {.user = NULL}, c = {.user = NULL};
    begin();
    gy_timer_start(loop, &a, (gy_timer_opts){.fn = tally, .after = GY_FOREVER});
    gy_timer_start(loop, &b, (gy_timer_opts){.fn = tally, .at = GY_FOREVER});
    gy_timer_start(loop, &c, (gy_timer_opts){.fn = tally, .at = GY_FOREVER, .slack = GY_FOREVER});
    CHECK(gy_timer_due(&a) > GY_S(1) && gy_timer_due(&b) > GY_S(1) && gy_timer_due(&c) > GY_S(1));
    CHECK(gy_timer_remaining(&a) > 0);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_EQ(fired, 0);
    gy_timer_stop(&a);
    gy_timer_stop(&b);
    gy_timer_stop(&c);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 0);
    end();
}

TEST(timer, a_pass_is_bounded_and_the_rest_follows_in_order) {
    enum { MANY = 3000 };
    gy_timer *t = calloc(MANY, sizeof *t);
    CHECK(t != NULL);
    begin();
    for (int i = 0; i < MANY; i++) gy_timer_start(loop, &t[i], (gy_timer_opts){.fn = tally, .at = 1});
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK(fired > 0 && fired < MANY);
    for (int i = 0; i < MANY; i++) CHECK_EQ(gy_timer_active(&t[i]), i >= fired);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(fired, MANY);
    free(t);
    end();
}

TEST(timer, slack_rounds_to_powers_of_two) {
    gy_timer t = {.user = NULL};
    begin();
    static const gy_ns slack[] = {1, 2, 3, 1000, GY_MS(1), GY_S(1)};
    for (size_t i = 0; i < sizeof slack / sizeof *slack; i++) {
        gy_ns at = GY_S(7) + 12345, grid = INT64_C(1) << gyi_bit_high((uint64_t)slack[i]);
        gy_timer_start(loop, &t, (gy_timer_opts){.fn = tally, .at = at, .slack = slack[i]});
        CHECK(gy_timer_due(&t) >= at && gy_timer_due(&t) < at + grid);
        CHECK_EQ(gy_timer_due(&t) % grid, 0);
    }
    gy_timer_start(loop, &t, (gy_timer_opts){.fn = tally, .at = GY_S(7), .slack = -5});
    CHECK_EQ(gy_timer_due(&t), GY_S(7));
    gy_timer_stop(&t);
    end();
}
