/* SPDX-License-Identifier: ISC */
/* Cancelling datagrams one by one: which of the queue, what others hear of it, and when it is too late. */
#include "sys/sys.h"
#include "udp.h"

enum { WAIT = 5 };

/* The first is sent at once, which leaves `WAIT` - 1 that wait; those in `which` are cancelled (a bit for each). */
static void cancel_some(kit *k, unsigned which) {
    static const char *const texts[WAIT] = {"0", "1", "2", "3", "4"};
    post *a = post_open(k, "127.0.0.1:0"), *b = post_open(k, "127.0.0.1:0");
    letter l[WAIT] = {0};
    int order = 0, left = 0;
    char expected[WAIT + 1] = "", got[WAIT + 1] = "";
    post_receive(b);
    for (int i = 0; i < WAIT; i++) {
        l[i].order = &order;
        letter_send(a, &l[i], texts[i], &b->at);
        if (!(which >> i & 1)) strcat(expected, texts[i]);
    }
    CHECK_EQ(gy_udp_queued(&a->udp), WAIT - 1);
    for (int i = 1; i < WAIT; i++) {
        if (!(which >> i & 1)) continue;
        CHECK_EQ(gy_dgram_cancel(&l[i].d), 0);
        CHECK_EQ(l[i].done, 0); /* never inside the call */
        CHECK_EQ(gy_dgram_cancel(&l[i].d), -EBUSY);
        left++;
    }
    CHECK_EQ(gy_udp_queued(&a->udp), WAIT - 1 - left);
    kit_until(k, &order, WAIT);
    kit_until(k, &b->count, WAIT - left);
    kit_turns(k, 2);
    for (int i = 0; i < b->count; i++) got[i] = (char)b->heard[i];
    CHECK_STR(got, expected);
    for (int i = 0, last = -1; i < WAIT; i++) {
        bool cancelled = which >> i & 1;
        CHECK_EQ(l[i].done, 1);
        CHECK_EQ(l[i].err, cancelled ? GY_ECANCELED : 0);
        if (!cancelled) CHECK(l[i].place > last);
        if (!cancelled) last = l[i].place;
        CHECK_EQ(gy_dgram_cancel(&l[i].d), -EALREADY);
    }
    letter_send(a, &l[0], "again", &b->at);
    kit_until(k, &l[0].done, 2);
    CHECK_EQ(l[0].err, 0);
    post_close(k, a);
    post_close(k, b);
}

TEST_BACKENDS(udp_cancel, any_of_those_that_wait) {
    kit k;
    kit_open(&k, backend);
    for (unsigned which = 0; which < 1 << WAIT; which += 2) cancel_some(&k, which);
    kit_close(&k);
}

TEST_BACKENDS(udp_cancel, what_was_never_sent_or_is_sent) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0");
    letter l = {0};
    CHECK_EQ(gy_dgram_cancel(&l.d), -EALREADY);
    letter_send(a, &l, "x", &a->at);
    CHECK_EQ(gy_dgram_cancel(&l.d), -EBUSY); /* it has left, and will say so */
    kit_until(&k, &l.done, 1);
    CHECK_EQ(l.err, 0);
    post_close(&k, a);
    kit_close(&k);
}

/* Closing and cancelling report once. */
TEST_BACKENDS(udp_cancel, before_a_close) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0");
    letter l[3] = {0};
    for (int i = 0; i < 3; i++) letter_send(a, &l[i], "x", &a->at);
    CHECK_EQ(gy_dgram_cancel(&l[1].d), 0);
    post_close(&k, a);
    CHECK(l[0].done == 1 && l[1].done == 1 && l[2].done == 1);
    CHECK(l[0].err == 0 && l[1].err == GY_ECANCELED && l[2].err == GY_ECANCELED);
    kit_close(&k);
}

#if defined(GYI_FAULTS) && GYI_FAULTS
static int cancel_calls, cancel_err;

static int cancel_fault(gyi_syscall kind) { return kind == GYI_SYS_WRITE && cancel_calls++ == 0 ? cancel_err : 0; }

/* The first of the queue is cancelled while it waits for room, and what waits behind it does not wait with it. */
TEST_BACKENDS(udp_cancel, the_first_which_found_no_room) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0");
    letter l[2] = {0};
    cancel_calls = 0;
    cancel_err = -EAGAIN;
    gyi_sys_fault = cancel_fault;
    letter_send(a, &l[0], "0", &a->at);
    gyi_sys_fault = NULL;
    letter_send(a, &l[1], "1", &a->at);
    CHECK_EQ(gy_udp_queued(&a->udp), 2);
    CHECK_EQ(gy_dgram_cancel(&l[0].d), 0);
    CHECK_EQ(gy_dgram_cancel(&l[1].d), 0);
    CHECK_EQ(gy_udp_queued(&a->udp), 0);
    kit_until(&k, &l[1].done, 1);
    CHECK(l[0].err == GY_ECANCELED && l[1].err == GY_ECANCELED);
    kit_turns(&k, 3);
    CHECK_EQ(cancel_calls, 1); /* nothing tries to send any more */
    post_close(&k, a);
    kit_close(&k);
}
#endif
