/* SPDX-License-Identifier: ISC */
/* Sending datagrams: order, gathering, load, the limit, errors that fall on the right one, and segments. */
#include "udp.h"

#include "sys/sys.h"

enum { BURST = 500 };

typedef struct burst {
    gy_timer timer;
    post *a, *b;
    int order;
    letter l[BURST];
    unsigned char bytes[BURST];
} burst;

static void burst_fire(gy_timer *timer) {
    burst *s = GY_OF(timer, burst, timer);
    for (int i = 0; i < BURST; i++) {
        s->bytes[i] = (unsigned char)i;
        s->l[i].order = &s->order;
        gy_buf byte = {&s->bytes[i], 1};
        CHECK_EQ(gy_udp_send(&s->a->udp, &s->l[i].d, byte, &s->b->at, letter_done), 0);
    }
    CHECK_EQ(s->order, 0);
}

TEST_BACKENDS(udp_send, what_one_turn_sends_leaves_together_and_in_order) {
    static burst s;
    kit k;
    memset(&s, 0, sizeof s);
    kit_open(&k, backend);
    s.a = post_open(&k, "127.0.0.1:0");
    s.b = post_open_with(&k, (gy_udp_opts){.addr = "127.0.0.1:0", .recv_buffer = 4 << 20});
    kit_turns(&k, 2);
    uint64_t before = kit_syscalls(&k);
    gy_timer_start(k.loop, &s.timer, (gy_timer_opts){.fn = burst_fire, .after = 1});
    kit_until(&k, &s.order, BURST);
    uint64_t calls = kit_syscalls(&k) - before;
#ifdef __linux__
    if (calls > BURST / 10) CHECK_FAIL("%u system calls for %d datagrams", (unsigned)calls, BURST);
#else
    CHECK(calls < BURST + 50);
#endif
    for (int i = 0; i < BURST; i++) {
        CHECK_EQ(s.l[i].err, 0);
        CHECK_EQ(s.l[i].done, 1);
        CHECK_EQ(s.l[i].place, i);
    }
    CHECK_EQ(gy_udp_queued(&s.a->udp), 0);
    post_receive(s.b);
    kit_until(&k, &s.b->count, BURST < 250 ? BURST : 250); /* as many as the smallest receive buffer holds */
    for (int i = 0; i < s.b->count; i++) CHECK_EQ(s.b->heard[i], (unsigned char)i);
    CHECK(s.b->most <= 64);
    post_close(&k, s.a);
    post_close(&k, s.b);
    kit_close(&k);
}

/* ---- load -------------------------------------------------------------------------------------------------------- */

enum { FLYING = 64, FLIGHTS = 20000 };

/* Datagrams that are thrown back and forth: each that comes is answered by one. */
typedef struct court {
    gy_udp udp;
    struct court *other;
    gy_endpoint at;
    letter l[FLYING * 2];
    int next, *caught;
    char slots[FLYING * 64];
} court;

static void court_throw(court *c) {
    static char ball[32];
    letter *l = &c->l[c->next++ % (FLYING * 2)];
    CHECK_EQ(gy_udp_send(&c->udp, &l->d, GY_BUF(ball), &c->other->at, letter_done), 0);
}

static void court_catch(gy_udp *udp, int err, const gy_udp_msg *msgs, unsigned count) {
    court *c = GY_OF(udp, court, udp);
    CHECK_EQ(err, 0);
    for (unsigned i = 0; i < count; i++) {
        CHECK(gy_endpoint_equal(&msgs[i].from, &c->other->at));
        if (++*c->caught <= FLIGHTS - FLYING) court_throw(c);
    }
}

static void court_open(kit *k, court *c, court *other, int *caught) {
    *c = (court){.other = other, .caught = caught};
    CHECK_EQ(gy_udp_open(k->loop, &c->udp, (gy_udp_opts){.addr = "127.0.0.1:0"}), 0);
    CHECK_EQ(gy_udp_local(&c->udp, &c->at), 0);
    gy_udp_recv_opts opts = {.into = GY_BUF(c->slots), .size = 64, .fn = court_catch};
    CHECK_EQ(gy_udp_recv_start(&c->udp, opts), 0);
}

TEST_BACKENDS(udp_send, under_load_a_datagram_costs_a_tenth_of_a_system_call) {
    static court a, b;
    kit k;
    int caught = 0;
    kit_open(&k, backend);
    court_open(&k, &a, &b, &caught);
    court_open(&k, &b, &a, &caught);
    unsigned made = k.made;
    for (int i = 0; i < FLYING; i++) court_throw(&a);
    uint64_t before = kit_syscalls(&k);
    kit_until(&k, &caught, FLIGHTS);
    uint64_t calls = kit_syscalls(&k) - before;
#ifdef __linux__
    if (calls > FLIGHTS / 10) CHECK_FAIL("%u system calls for %d datagrams", (unsigned)calls, FLIGHTS);
#else
    CHECK(calls < FLIGHTS * 3);
#endif
    CHECK_EQ(k.made, made); /* and no allocation */
    gy_udp_close(&a.udp, NULL);
    gy_udp_close(&b.udp, NULL);
    kit_run(&k);
    kit_close(&k);
}

/* A flood: what others have to do has its turn after each batch. */
TEST_BACKENDS(udp_send, a_flood_leaves_room_for_others) {
    kit k;
    static letter l[200];
    memset(l, 0, sizeof l);
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0"), *b = post_open(&k, "127.0.0.1:0");
    for (int i = 0; i < 200; i++) letter_send(a, &l[i], "x", &b->at);
    kit_until(&k, &l[199].done, 1);
    post_receive(b);
    for (int turn = 0; turn < 1000 && b->count < 200; turn++) {
        int calls = b->calls, count = b->count;
        CHECK(gy_loop_step(k.loop, GY_STEP_POLL) >= 0);
        CHECK(b->calls - calls <= 1);
        CHECK(b->count - count <= 64);
    }
    CHECK_EQ(b->count, 200);
    post_close(&k, a);
    post_close(&k, b);
    kit_close(&k);
}

/* ---- limit, try, and a full buffer ------------------------------------------------------------------------------- */

TEST_BACKENDS(udp_send, the_limit_and_trying) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0"), *b = post_open(&k, "127.0.0.1:0");
    letter l[4] = {0};
    char ten[10] = "123456789";
    post_receive(b);
    gy_udp_set_limit(&a->udp, 15);
    CHECK_EQ(gy_udp_try_send(&a->udp, GY_BUF(ten), &b->at), 10);
    letter_send(a, &l[0], "leaves at once", &b->at);
    letter_send(a, &l[1], "more than fifteen, but the first", &b->at);
    CHECK_EQ(gy_udp_send(&a->udp, &l[2].d, GY_BUF(ten), &b->at, letter_done), GY_EBACKLOG);
    CHECK_EQ(gy_udp_try_send(&a->udp, GY_BUF(ten), &b->at), -EAGAIN);
    gy_udp_set_limit(&a->udp, 0);
    CHECK_EQ(gy_udp_send(&a->udp, &l[2].d, GY_BUF(ten), &b->at, letter_done), 0);
    kit_until(&k, &l[2].done, 1);
    kit_until(&k, &b->count, 4);
    CHECK_EQ(l[1].done, 1);
    CHECK_EQ(l[2].err, 0);
    post_close(&k, a);
    post_close(&k, b);
    kit_close(&k);
}

#if defined(GYI_FAULTS) && GYI_FAULTS
static int full_left, full_err;

/* The next `full_left` calls that send find no room, or another error. */
static int full_fault(gyi_syscall kind) {
    if (kind != GYI_SYS_WRITE || full_left == 0) return 0;
    full_left--;
    return full_err;
}

/* The buffer of a loopback socket is never full, so the kernel's answer is made up; and the event that would follow is
 * had by registering everything anew. */
TEST_BACKENDS(udp_send, what_finds_no_room_waits_for_it) {
    kit k;
    if (strcmp(backend, "kqueue") == 0) SKIP("a kqueue is made anew for a child alone, so there is no second event");
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0"), *b = post_open(&k, "127.0.0.1:0");
    letter l[3] = {0};
    post_receive(b);
    kit_turns(&k, 2);
    full_err = -EAGAIN;
    full_left = 1;
    gyi_sys_fault = full_fault;
    letter_send(a, &l[0], "1", &b->at);
    CHECK_EQ(full_left, 0);
    CHECK_EQ(gy_udp_queued(&a->udp), 1);
    letter_send(a, &l[1], "2", &b->at);
    CHECK_EQ(gy_udp_try_send(&a->udp, GY_BUF(b->text), &b->at), -EAGAIN);
    gyi_sys_fault = NULL;
    CHECK_EQ(gy_loop_reopen(k.loop), 0);
    kit_until(&k, &l[1].done, 1);
    CHECK_EQ(l[0].err, 0);
    CHECK_EQ(l[1].err, 0);
    kit_until(&k, &b->count, 2);
    CHECK_STR(b->text, "2");
    post_close(&k, a);
    post_close(&k, b);
    kit_close(&k);
}

/* An error that the kernel does not repeat was another's; one that it repeats is the datagram's own. */
TEST_BACKENDS(udp_send, an_error_is_a_suspicion_first) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0"), *b = post_open(&k, "127.0.0.1:0");
    letter l[2] = {0};
    post_receive(a);
    post_receive(b);
    kit_turns(&k, 2);
    gyi_sys_fault = full_fault;
    full_err = -EHOSTUNREACH;
    full_left = 1;
    letter_send(a, &l[0], "innocent", &b->at);
    kit_until(&k, &l[0].done, 1);
    CHECK_EQ(l[0].err, 0);
    kit_until(&k, &a->errors, 1);
    CHECK_EQ(a->err, -EHOSTUNREACH);
    full_left = 2;
    letter_send(a, &l[1], "guilty", &b->at);
    kit_until(&k, &l[1].done, 1);
    CHECK_EQ(l[1].err, -EHOSTUNREACH);
    CHECK_EQ(gy_udp_try_send(&a->udp, GY_BUF(l), &b->at), (long long)sizeof l);
    full_left = 1;
    CHECK_EQ(gy_udp_try_send(&a->udp, GY_BUF(l), &b->at), (long long)sizeof l);
    full_left = 2;
    CHECK_EQ(gy_udp_try_send(&a->udp, GY_BUF(l), &b->at), -EHOSTUNREACH);
    gyi_sys_fault = NULL;
    kit_turns(&k, 3);
    CHECK_EQ(a->errors, 2);
    post_close(&k, a);
    post_close(&k, b);
    kit_close(&k);
}
#endif

/* ---- errors ------------------------------------------------------------------------------------------------------ */

TEST_BACKENDS(udp_send, too_long_a_datagram_fails_alone) {
    static char huge[70000];
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0"), *b = post_open(&k, "127.0.0.1:0");
    letter l[9] = {0};
    post_receive(b);
    for (int i = 0; i < 9; i++) {
        gy_buf from = {huge, i % 4 == 2 ? sizeof huge : 5};
        CHECK_EQ(gy_udp_send(&a->udp, &l[i].d, from, &b->at, letter_done), 0);
    }
    kit_until(&k, &l[8].done, 1);
    for (int i = 0; i < 9; i++) CHECK_EQ(l[i].err, i % 4 == 2 ? -EMSGSIZE : 0);
    kit_until(&k, &b->count, 7);
    CHECK_EQ(gy_udp_try_send(&a->udp, GY_BUF(huge), &b->at), -EMSGSIZE);
    CHECK_EQ(b->errors, 0);
    post_close(&k, a);
    post_close(&k, b);
    kit_close(&k);
}

TEST_BACKENDS(udp_send, broadcast_is_for_who_asked) {
    kit k;
    gy_endpoint all;
    letter l = {0};
    kit_open(&k, backend);
    CHECK_EQ(gy_endpoint_parse(&all, "255.255.255.255:9"), 0);
    post *a = post_open(&k, "127.0.0.1:0");
    letter_send(a, &l, "everybody", &all);
    kit_until(&k, &l.done, 1);
    CHECK(l.err < 0);
    post_close(&k, a);
    kit_close(&k);
}

/* The answer "nobody is here" to an earlier datagram is for who receives, and blames no later one. */
TEST_BACKENDS(udp_send, a_refusal_is_told_and_blames_nobody) {
    kit k;
    letter l[20] = {0};
    kit_open(&k, backend);
    gy_endpoint nobody = post_nobody(&k);
    post *a = post_open_with(&k, (gy_udp_opts){.addr = "127.0.0.1:0", .peer = post_text(&nobody)});
    post_receive(a);
    for (int i = 0; i < 20; i++) {
        letter_send(a, &l[i], "anybody?", NULL);
        kit_until(&k, &l[i].done, 1);
        CHECK_EQ(l[i].err, 0);
    }
    kit_until(&k, &a->errors, 1);
    CHECK_EQ(a->err, -ECONNREFUSED);
    CHECK_EQ(a->count, 0);
    /* Receiving goes on. */
    post *b = post_open(&k, post_text(&nobody));
    letter late = {0};
    letter_send(b, &late, "now", &a->at);
    kit_until(&k, &a->count, 1);
    CHECK_STR(a->text, "now");
    post_close(&k, a);
    post_close(&k, b);
    kit_close(&k);
}

TEST_BACKENDS(udp_send, path_errors_name_the_destination) {
    kit k;
    letter l[2] = {0}, fine = {0};
    kit_open(&k, backend);
    gy_endpoint nobody = post_nobody(&k);
    post *a = post_new(), *b = post_open(&k, "127.0.0.1:0");
    int err = gy_udp_open(k.loop, &a->udp, (gy_udp_opts){.addr = "127.0.0.1:0", .path_errors = true});
    if (err == -ENOTSUP) SKIP("this system keeps no errors");
    CHECK_EQ(err, 0);
    post_receive(a);
    post_receive(b);
    letter_send(a, &l[0], "first", &nobody);
    kit_until(&k, &a->errors, 1);
    CHECK_EQ(a->err, -ECONNREFUSED);
    CHECK(gy_endpoint_equal(&a->last.from, &nobody));
    CHECK(a->last.flags & GY_UDP_RETURNED);
    CHECK_EQ(a->last.buf.len, 5);
    CHECK_EQ(memcmp(a->last.buf.base, "first", 5), 0);
    letter_send(a, &l[1], "second", &nobody);
    kit_until(&k, &l[1].done, 1);
    letter_send(a, &fine, "somebody", &b->at);
    kit_until(&k, &fine.done, 1);
    CHECK_EQ(fine.err, 0);
    kit_until(&k, &b->count, 1);
    kit_until(&k, &a->errors, 2);
    CHECK_EQ(a->last.buf.len, 6);
    kit_turns(&k, 5);
    CHECK_EQ(a->errors, 2);
    /* Nobody receives: what comes is no reason to spin. */
    gy_udp_recv_stop(&a->udp);
    letter_send(a, &l[0], "third", &nobody);
    kit_turns(&k, 20);
    post_close(&k, a);
    post_close(&k, b);
    kit_close(&k);
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

#if defined(GYI_FAULTS) && GYI_FAULTS
static bool segments_hindered;

static int segments_fault(gyi_syscall kind) { return kind == GYI_SYS_SOCKOPT ? -ENOPROTOOPT : 0; }
static void segments_hinder(void) { gyi_sys_fault = segments_hindered ? segments_fault : NULL; }
static void segments_unhinder(void) { gyi_sys_fault = NULL; }
#else
static void segments_hinder(void) {}
static void segments_unhinder(void) {}
#endif

static void segments_send(kit *k, post *a, post *b, size_t length, unsigned segment) {
    static char big[150000];
    letter l = {0}, before = {0}, behind = {0};
    size_t pieces = (length + segment - 1) / segment, last = length - (pieces - 1) * segment;
    for (size_t i = 0; i < length; i++) big[i] = (char)(1 + i / segment % 100);
    b->count = 0;
    b->bytes = 0;
    letter_send(a, &before, "(", &b->at);
    gy_buf from = {big, length};
    gy_dgram_opts opts = {.from = &from, .count = 1, .to = &b->at, .segment = segment, .fn = letter_done};
    segments_hinder();
    CHECK_EQ(gy_udp_sendv(&a->udp, &l.d, opts), 0);
    segments_unhinder();
    letter_send(a, &behind, ")", &b->at);
    kit_until(k, &behind.done, 1);
    CHECK_EQ(l.done, 1);
    CHECK_EQ(l.err, 0);
    kit_until(k, &b->count, (int)pieces + 2);
    CHECK_EQ(b->bytes, length + 2);
    for (size_t i = 0; i < pieces; i++) CHECK_EQ(b->heard[i + 1], 1 + i % 100);
    CHECK_EQ(b->heard[pieces + 1], ')');
    CHECK(last > 0);
    CHECK_EQ(gy_udp_queued(&a->udp), 0);
}

static void segments_run(kit *k) {
    int room = 0;
    socklen_t len = sizeof room;
    post *a = post_open(k, "127.0.0.1:0");
    post *b = post_open_with(k, (gy_udp_opts){.addr = "127.0.0.1:0", .recv_buffer = 4 << 20});
    post_receive(b);
    segments_send(k, a, b, 10, 20);
    segments_send(k, a, b, 20, 20);
    segments_send(k, a, b, 21, 20);
    segments_send(k, a, b, 500, 7);
    segments_send(k, a, b, 20000, 1200);
    /* What is more than the kernel is given at once, where the receiver can be made to hold it. */
    CHECK_EQ(getsockopt(gy_udp_fd(&b->udp), SOL_SOCKET, SO_RCVBUF, &room, &len), 0);
    if (room > 1 << 20) segments_send(k, a, b, 70000, 1200);
    if (room > 1 << 20) segments_send(k, a, b, 150000, 2000);
    post_close(k, a);
    post_close(k, b);
}

TEST_BACKENDS(udp_send, segments) {
    kit k;
    kit_open(&k, backend);
    segments_run(&k);
    kit_close(&k);
}

#if defined(GYI_FAULTS) && GYI_FAULTS
TEST_BACKENDS(udp_send, segments_without_the_kernels_help_are_the_same) {
    kit k;
    kit_open(&k, backend);
    segments_hindered = true;
    segments_run(&k);
    segments_hindered = false;
    kit_close(&k);
}

/* A kernel that knows segments may still refuse them for one destination. */
TEST_BACKENDS(udp_send, segments_that_the_kernel_refuses_are_the_same) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0"), *b = post_open(&k, "127.0.0.1:0");
    letter l = {0};
    char bytes[100] = "";
    gy_buf from = GY_BUF(bytes);
    gy_dgram_opts opts = {.from = &from, .count = 1, .to = &b->at, .segment = 10, .fn = letter_done};
    post_receive(b);
    kit_turns(&k, 2);
    gyi_sys_fault = full_fault;
    full_err = -EINVAL;
    full_left = 1;
    CHECK_EQ(gy_udp_sendv(&a->udp, &l.d, opts), 0);
    kit_until(&k, &l.done, 1);
    CHECK_EQ(l.err, 0);
    kit_until(&k, &b->count, 10);
    CHECK_EQ(b->bytes, 100);
    full_left = 3; /* and now so are the pieces */
    letter again = {0};
    CHECK_EQ(gy_udp_sendv(&a->udp, &again.d, opts), 0);
    kit_until(&k, &again.done, 1);
    gyi_sys_fault = NULL;
    CHECK_EQ(again.err, -EINVAL);
    kit_turns(&k, 3);
    CHECK_EQ(b->count, 10);
    post_close(&k, a);
    post_close(&k, b);
    kit_close(&k);
}
#endif
