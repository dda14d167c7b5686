/* SPDX-License-Identifier: ISC */
/* Cancel tokens: who is called, when, and who is not. */
#include <errno.h>

#include "gyre/gyre.h"
#include "harness.h"

typedef struct heard {
    gy_cancel_hook hook;
    int calls, reason, place;
    gy_cancel *close;       /* closed when it hears */
    gy_cancel_hook *silence; /* taken off when it hears */
} heard;

static int places;

static void hear(gy_cancel_hook *hook, int reason) {
    heard *h = GY_OF(hook, heard, hook);
    h->calls++;
    h->reason = reason;
    h->place = ++places;
    if (h->silence) gy_cancel_off(h->silence);
    if (h->close) gy_cancel_close(h->close);
}

TEST(cancel, calls_everybody_once_in_order) {
    gy_cancel token = {0};
    heard a = {.calls = 0}, b = {.calls = 0};
    CHECK_EQ(gy_cancel_on(&token, &a.hook, hear), 0);
    CHECK_EQ(gy_cancel_on(&token, &b.hook, hear), 0);
    CHECK_EQ(gy_cancel_on(&token, &b.hook, hear), -EALREADY);
    CHECK(b.hook.token == &token);
    gy_cancel_now(&token, -EPIPE);
    gy_cancel_now(&token, -EBUSY);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(b.calls, 1);
    CHECK_EQ(b.place, a.place + 1);
    CHECK_EQ(b.reason, -EPIPE);
    CHECK_EQ(token.reason, -EPIPE);
    CHECK_EQ(gy_cancel_on(&token, &a.hook, hear), -EPIPE);
    CHECK(!gy_cancel_off(&a.hook));
    gy_cancel_close(&token);
    CHECK_EQ(token.reason, 0);
    CHECK_EQ(gy_cancel_on(&token, &a.hook, hear), 0);
    gy_cancel_now(&token, 7);
    CHECK_EQ(a.reason, GY_ECANCELED);
    CHECK_EQ(a.calls, 2);
}

TEST(cancel, who_is_taken_off_is_not_called) {
    gy_cancel token = {0};
    heard a = {.calls = 0}, b = {.calls = 0}, c = {.calls = 0};
    CHECK_EQ(gy_cancel_on(&token, &a.hook, NULL), -EINVAL);
    gy_cancel_on(&token, &a.hook, hear);
    gy_cancel_on(&token, &b.hook, hear);
    gy_cancel_on(&token, &c.hook, hear);
    CHECK(gy_cancel_off(&c.hook));
    CHECK(!gy_cancel_off(&c.hook));
    a.silence = &b.hook;
    gy_cancel_now(&token, -EIO);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(b.calls, 0);
    CHECK_EQ(c.calls, 0);
}

TEST(cancel, a_hook_may_close_the_token) {
    gy_cancel token = {0};
    heard a = {.close = &token}, b = {.calls = 0};
    gy_cancel_on(&token, &a.hook, hear);
    gy_cancel_on(&token, &b.hook, hear);
    gy_cancel_now(&token, -EIO);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(b.calls, 0);
    CHECK_EQ(gy_cancel_on(&token, &b.hook, hear), 0);
    CHECK(gy_cancel_off(&b.hook));
}

static heard second;

static void close_and_begin_anew(gy_cancel_hook *hook, int reason) {
    gy_cancel *token = hook->token;
    hear(hook, reason);
    gy_cancel_close(token);
    CHECK_EQ(gy_cancel_on(token, &second.hook, hear), 0);
}

TEST(cancel, a_hook_may_use_the_token_again) {
    gy_cancel token = {0};
    heard first = {.calls = 0};
    second = first;
    CHECK_EQ(gy_cancel_on(&token, &first.hook, close_and_begin_anew), 0);
    gy_cancel_now(&token, -EIO);
    CHECK_EQ(first.calls, 1);
    CHECK_EQ(token.reason, 0);
    CHECK_EQ(second.calls, 0);
    gy_cancel_now(&token, -EPIPE);
    CHECK_EQ(second.calls, 1);
    CHECK_EQ(second.reason, -EPIPE);
}

TEST(cancel, tokens_hear_their_parents) {
    gy_cancel father = {0}, mother = {0}, child = {0}, late = {0};
    gy_cancel_hook one = {0}, two = {0}, three = {0};
    heard h = {.calls = 0};
    CHECK_EQ(gy_cancel_link(&child, &one, &child), -EINVAL);
    CHECK_EQ(gy_cancel_link(&child, &one, &father), 0);
    CHECK_EQ(gy_cancel_link(&child, &one, &mother), -EALREADY);
    CHECK_EQ(gy_cancel_link(&child, &two, &mother), 0);
    gy_cancel_on(&child, &h.hook, hear);
    gy_cancel_now(&mother, -ECONNRESET);
    CHECK_EQ(h.calls, 1);
    CHECK_EQ(child.reason, -ECONNRESET);
    CHECK_EQ(father.reason, 0);
    gy_cancel_now(&father, -EIO);
    CHECK_EQ(h.calls, 1);
    CHECK_EQ(gy_cancel_link(&late, &three, &mother), 0);
    CHECK_EQ(late.reason, -ECONNRESET);
}

static void pass(gy_timer *timer) { (void)timer; }

TEST(cancel, time_cancels_and_does_not_keep_the_loop_alive) {
    gy_loop *loop;
    gy_cancel token = {0};
    gy_timer other = {0};
    heard h = {.calls = 0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    gy_cancel_on(&token, &h.hook, hear);
    gy_cancel_after(loop, &token, GY_S(1));
    gy_cancel_after(loop, &token, GY_MS(5));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(h.calls, 0);
    gy_timer_start(loop, &other, (gy_timer_opts){.after = GY_MS(4), .fn = pass});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(h.calls, 0);
    gy_timer_start(loop, &other, (gy_timer_opts){.after = GY_MS(1), .fn = pass});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(h.calls, 1);
    CHECK_EQ(h.reason, -ETIMEDOUT);
    gy_cancel_after(loop, &token, GY_MS(5)); /* it has happened: nothing more */
    gy_cancel_close(&token);
    gy_cancel_after(loop, &token, GY_MS(5));
    gy_cancel_close(&token);
    CHECK_EQ(gy_loop_free(loop), 0);
}
