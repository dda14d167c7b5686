/* SPDX-License-Identifier: ISC */
/* Names, seen from loops: what is found and how long it stays, cancelling, and resolvers that hang.
 *
 * The real resolver is asked for localhost and numeric addresses only. Otherwise the tests have resolvers of their own;
 * those that hang wait at a gate. Checks are made on the loop's thread only. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gyre/gyre.h"
#include "harness.h"

/* ---- what the tests share ---------------------------------------------------------------------------------------- */

static int asks_told, names_stats, names_stat_order, dial_told, dial_err;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int inside, passed;
    bool open;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static atomic_int heap_blocks;

static void *heap_alloc(size_t size, void *ctx) {
    (void)ctx;
    atomic_fetch_add(&heap_blocks, 1);
    return malloc(size);
}

static void heap_free(void *ptr, void *ctx) {
    (void)ctx;
    atomic_fetch_sub(&heap_blocks, 1);
    free(ptr);
}

/* Every test begins with it, with everything as it was in the beginning. */
static gy_loop *names_loop(const char *backend) {
    gy_loop *loop;
    gate.inside = gate.passed = asks_told = names_stats = dial_told = 0;
    gate.open = false;
    gy_loop_opts opts = {.backend = backend, .alloc = {heap_alloc, heap_free, NULL}};
    CHECK_EQ(gy_loop_new(&loop, opts), 0);
    return loop;
}

/* Threads that were let go of free what they hold when they come back. */
static void names_all_freed(void) {
    const struct timespec ms = {0, 1000000};
    while (atomic_load(&heap_blocks)) nanosleep(&ms, NULL);
}

typedef struct ask {
    gy_dns req;
    int told, err;
    gy_ns at;
} ask;

static void ask_told(gy_dns *req, int err) {
    ask *a = GY_OF(req, ask, req);
    a->told = ++asks_told;
    a->err = err;
    a->at = gy_loop_now(req->loop);
}

static void ask_host(gy_loop *loop, ask *a, gy_dns_opts opts) {
    a->told = 0;
    CHECK_EQ(gy_dns_lookup(loop, &a->req, opts, ask_told), 0);
    CHECK_EQ(a->told, 0);
    CHECK(gy_loop_alive(loop));
}

static void names_until(gy_loop *loop, const int *flag) {
    while (!*flag) CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
}

/* ---- a resolver that hangs ------------------------------------------------------------------------------------- */

static int gate_resolve(const gy_dns_question *q, gy_dns_answer *answer) {
    (void)q;
    pthread_mutex_lock(&gate.lock);
    gate.inside++;
    pthread_cond_broadcast(&gate.moved);
    while (!gate.open) pthread_cond_wait(&gate.moved, &gate.lock);
    gate.inside--;
    gate.passed++;
    pthread_mutex_unlock(&gate.lock);
    return gy_dns_answer_add(answer, "192.0.2.1:1");
}

static void gate_open(void) {
    pthread_mutex_lock(&gate.lock);
    gate.open = true;
    pthread_cond_broadcast(&gate.moved);
    pthread_mutex_unlock(&gate.lock);
}

/* Waits until that many resolvers hang. What was submitted is handed over first. */
static void gate_await(gy_loop *loop, int inside) {
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    pthread_mutex_lock(&gate.lock);
    while (gate.inside < inside) pthread_cond_wait(&gate.moved, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

/* ---- what is found ----------------------------------------------------------------------------------------------- */

TEST_BACKENDS(names, localhost_is_on_loopback) {
    gy_loop *loop = names_loop(backend);
    ask a = {.told = 0};
    ask_host(loop, &a, (gy_dns_opts){.host = "localhost", .service = "7000"});
    CHECK_EQ(gy_dns_lookup(loop, &a.req, (gy_dns_opts){.host = "localhost"}, ask_told), -EALREADY);
    gy_dns_release(&a.req); /* is left alone */
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.told, 1);
    CHECK_EQ(a.err, 0);
    CHECK(a.req.count >= 1);
    for (unsigned i = 0; i < a.req.count; i++) {
        const char *text = a.req.addrs[i].text;
        CHECK(strcmp(text, "127.0.0.1:7000") == 0 || strcmp(text, "[::1]:7000") == 0);
    }
    CHECK(a.req.name == NULL);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK(a.req.addrs[0].text[0] != 0); /* stays until it is released */
    gy_dns_release(&a.req);
    CHECK(a.req.addrs == NULL);
    CHECK_EQ(a.req.count, 0);
    CHECK_EQ(heap_blocks, 0);
}

TEST_BACKENDS(names, a_numeric_address_needs_no_thread) {
    static const char *const given[][2] = {
        {"127.0.0.1", "127.0.0.1:65535"}, {"0:0::1", "[::1]:65535"}, {"fe80::1%3", "[fe80::1%3]:65535"}};
    gy_loop *loop = names_loop(backend);
    for (int i = 0; i < 3; i++) {
        ask a = {.told = 0};
        ask_host(loop, &a, (gy_dns_opts){.host = given[i][0], .port = 65535, .resolve = gate_resolve});
        CHECK_EQ(gy_dns_cancel(&a.req), -EBUSY);
        CHECK_EQ(gy_loop_run(loop), 0);
        CHECK_EQ(a.err, 0);
        CHECK_EQ(a.req.count, 1);
        CHECK_STR(a.req.addrs[0].text, given[i][1]);
        gy_dns_family other = i == 0 ? GY_DNS_V6 : GY_DNS_V4;
        ask_host(loop, &a, (gy_dns_opts){.host = given[i][0], .family = other});
        CHECK_EQ(gy_loop_run(loop), 0);
        CHECK_EQ(a.err, GY_ENOADDRESS);
        CHECK_EQ(a.req.count, 0);
        ask_host(loop, &a, (gy_dns_opts){.host = given[i][0]});
        CHECK_EQ(gy_dns_abandon(&a.req), 0);
        CHECK_EQ(gy_loop_run(loop), 0);
        CHECK_EQ(a.err, GY_ECANCELED);
        CHECK_EQ(a.req.count, 0);
    }
    CHECK_EQ(gy_loop_free(loop), 0);
}

static int names_resolve(const gy_dns_question *q, gy_dns_answer *answer) {
    char longest[1001];
    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    int err = gy_dns_answer_name(answer, longest);
    if (!err && q->addr) err = gy_dns_answer_service(answer, q->addr);
    if (!err) err = gy_dns_answer_add(answer, "192.0.2.1:0");
    if (!err) err = gy_dns_answer_add(answer, "[2001:db8::1]:9");
    return err;
}

TEST_BACKENDS(names, a_resolver_of_the_programs) {
    gy_loop *loop = names_loop(backend);
    ask a = {.told = 0};
    gy_dns_opts opts = {.host = "some.name", .port = 80, .resolve = names_resolve, .flags = GY_DNS_CANON};
    ask_host(loop, &a, opts);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.err, 0);
    CHECK_EQ(a.req.count, 2);
    CHECK_STR(a.req.addrs[0].text, "192.0.2.1:80");
    CHECK_STR(a.req.addrs[1].text, "[2001:db8::1]:9");
    CHECK_EQ(strlen(a.req.name), 1000);
    opts.family = GY_DNS_V6;
    opts.host = a.req.name; /* a result may be the next question; this one is too long */
    CHECK_EQ(gy_dns_lookup(loop, &a.req, opts, ask_told), -ENAMETOOLONG);
    CHECK_EQ(a.req.count, 2);
    opts.host = "some.name";
    ask_host(loop, &a, opts);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.req.count, 1);
    gy_dns_reverse_opts back = {.addr = a.req.addrs[0].text, .resolve = names_resolve};
    CHECK_EQ(gy_dns_reverse(loop, &a.req, back, ask_told), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(strlen(a.req.name), 1000);
    CHECK_STR(a.req.service, "[2001:db8::1]:9");
    gy_dns_release(&a.req);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(heap_blocks, 0);
}

TEST_BACKENDS(names, of_an_address) {
    gy_loop *loop = names_loop(backend);
    ask a = {.told = 0};
    gy_dns_reverse_opts opts = {.addr = "[::1]:7000", .flags = GY_DNS_NUMERIC_HOST | GY_DNS_NUMERIC_PORT};
    CHECK_EQ(gy_dns_reverse(loop, &a.req, opts, ask_told), 0);
    CHECK_EQ(gy_dns_reverse(loop, &a.req, opts, ask_told), -EALREADY);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.err, 0);
    CHECK_STR(a.req.name, "::1");
    CHECK_STR(a.req.service, "7000");
    CHECK_EQ(a.req.count, 0);
    gy_dns_release(&a.req);
    CHECK(a.req.name == NULL && a.req.service == NULL);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(heap_blocks, 0);
}

/* Names that the real resolver must answer without asking anybody. */
TEST_BACKENDS(names, bad_ones_are_errors_and_nothing_worse) {
    static const char *const bad[] = {"..", "127.0.0.1.", "a..b", "-", "%", "::1%nosuchinterface", "\xff\xfe"};
    gy_loop *loop = names_loop(backend);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ask a = {.told = 0};
        gy_dns_opts opts = {.host = bad[i], .flags = GY_DNS_NUMERIC_HOST};
        CHECK_EQ(gy_dns_lookup(loop, &a.req, opts, ask_told), 0);
        CHECK_EQ(gy_loop_run(loop), 0);
        CHECK(a.told);
        CHECK(a.err < 0);
        CHECK_EQ(a.req.count, 0);
    }
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(heap_blocks, 0);
}

/* ---- cancelling and letting go ----------------------------------------------------------------------------------- */

TEST_BACKENDS(names, cancelling_what_no_thread_has_begun) {
    gy_loop *loop = names_loop(backend);
    gy_pool *pool;
    ask first = {.told = 0}, second = {.told = 0}, third = {.told = 0};
    gy_pool_opts one = {.threads = {1, 1, 1}, .alloc = {heap_alloc, heap_free, NULL}};
    CHECK_EQ(gy_pool_new(&pool, one), 0);
    gy_dns_opts opts = {.host = "x", .resolve = gate_resolve, .pool = pool};
    ask_host(loop, &third, opts);
    CHECK_EQ(gy_dns_cancel(&third.req), 0); /* before it was handed over */
    CHECK_EQ(gy_dns_cancel(&third.req), -EBUSY);
    ask_host(loop, &first, opts);
    gate_await(loop, 1);
    CHECK_EQ(third.err, GY_ECANCELED);
    ask_host(loop, &second, opts);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_EQ(gy_dns_cancel(&first.req), -EBUSY);
    CHECK_EQ(gy_dns_cancel(&second.req), 0);
    CHECK_EQ(second.told, 0);
    names_until(loop, &second.told);
    CHECK_EQ(second.err, GY_ECANCELED);
    CHECK_EQ(first.told, 0);
    gate_open();
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(first.err, 0);
    CHECK_EQ(asks_told, 3);
    CHECK_EQ(gy_dns_cancel(&first.req), -EALREADY);
    gy_dns_release(&first.req);
    gy_pool_free(pool);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(heap_blocks, 0);
}

/* Neither the loop nor the end of the program waits for a resolver that hangs. */
TEST_BACKENDS(names, letting_go_of_one_that_hangs) {
    gy_loop *loop = names_loop(backend);
    ask *a = calloc(1, sizeof *a);
    CHECK(a != NULL);
    ask_host(loop, a, (gy_dns_opts){.host = "x", .resolve = gate_resolve});
    gate_await(loop, 1);
    CHECK_EQ(gy_loop_free(loop), -EBUSY);
    CHECK_EQ(gy_dns_abandon(&a->req), 0);
    CHECK_EQ(gy_dns_abandon(&a->req), 0);
    CHECK_EQ(a->told, 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a->told, 1);
    CHECK_EQ(a->err, GY_ECANCELED);
    CHECK_EQ(gy_dns_abandon(&a->req), -EALREADY);
    free(a);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK(heap_blocks > 0); /* what the thread holds */
    gate_open();
    names_all_freed();
    CHECK_EQ(asks_told, 1);
}

/* In every state, and from inside other callbacks. */
TEST_BACKENDS(names, letting_go_at_any_time) {
    enum { ASKS = 40 };
    static ask a[ASKS];
    gy_loop *loop = names_loop(backend);
    gate_open();
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < ASKS; i++) ask_host(loop, &a[i], (gy_dns_opts){.host = "x", .resolve = gate_resolve});
        for (int i = 0; i < round; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
        for (int i = 0; i < ASKS; i++) {
            bool idle = a[i].told;
            CHECK_EQ(gy_dns_abandon(&a[i].req), idle ? -EALREADY : 0);
        }
        CHECK_EQ(gy_loop_run(loop), 0);
        for (int i = 0; i < ASKS; i++) {
            CHECK(a[i].told > 0);
            CHECK(a[i].err == 0 || a[i].err == GY_ECANCELED);
            CHECK_EQ(a[i].req.count, !a[i].err);
            gy_dns_release(&a[i].req);
        }
        CHECK_EQ(asks_told, (round + 1) * ASKS);
        if (atomic_load(&heap_blocks) == 0) CHECK_FAIL("the loop itself is a block");
    }
    CHECK_EQ(gy_loop_free(loop), 0);
    names_all_freed();
}

TEST_BACKENDS(names, a_time_limit_is_exact_and_lets_go) {
    gy_loop *loop = names_loop(backend);
    ask hangs = {.told = 0}, waits = {.told = 0}, quick = {.told = 0};
    gy_ns begun = gy_loop_update_now(loop);
    gy_dns_opts opts = {.host = "x", .resolve = gate_resolve, .timeout = GY_MS(30)};
    ask_host(loop, &hangs, opts);
    gate_await(loop, 1);
    opts.timeout = GY_MS(40);
    ask_host(loop, &waits, opts);
    ask_host(loop, &quick, (gy_dns_opts){.host = "::1", .timeout = 1});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(hangs.err, -ETIMEDOUT);
    CHECK_EQ(waits.err, -ETIMEDOUT);
    CHECK_EQ(quick.err, 0);
    CHECK(quick.told < hangs.told && hangs.told < waits.told);
    CHECK(hangs.at - begun >= GY_MS(30) && waits.at - begun >= GY_MS(40));
    if (strcmp(backend, "sim") == 0) CHECK_EQ(hangs.at - begun, GY_MS(30));
    if (strcmp(backend, "sim") == 0) CHECK_EQ(waits.at - begun, GY_MS(40));
    CHECK_EQ(gy_loop_free(loop), 0);
    gate_open();
    names_all_freed();
}

/* ---- a resolver that hangs and everybody else -------------------------------------------------------------------- */

static void names_stat_done(gy_fs *req, int err) {
    (void)req;
    CHECK_EQ(err, 0);
    names_stats++;
    names_stat_order = asks_told;
}

TEST_BACKENDS(names, a_hundred_that_hang_leave_the_files_alone) {
    enum { ASKS = 100, STATS = 20 };
    static ask a[ASKS];
    gy_loop *loop = names_loop(backend);
    gy_pool *pool;
    gy_pool_stats stats;
    for (int i = 0; i < ASKS; i++) ask_host(loop, &a[i], (gy_dns_opts){.host = "x", .resolve = gate_resolve});
    gate_await(loop, 4);
    for (int i = 0; i < STATS; i++) {
        gy_fs req = {.user = NULL};
        int before = names_stats;
        CHECK_EQ(gy_fs_stat(loop, &req, "/", names_stat_done), 0);
        while (names_stats == before) CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
        CHECK_EQ(names_stat_order, 0);
    }
    CHECK_EQ(gy_loop_pool(loop, &pool), 0);
    gy_pool_stats_get(pool, &stats);
    CHECK_EQ(stats.lane[GY_LANE_SLOW].running, 4);
    CHECK_EQ(stats.lane[GY_LANE_SLOW].queued, ASKS - 4);
    for (int i = 0; i < ASKS; i += 2) CHECK_EQ(gy_dns_abandon(&a[i].req), 0);
    while (asks_told < ASKS / 2) CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    gate_open();
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(asks_told, ASKS);
    for (int i = 0; i < ASKS; i++) {
        CHECK_EQ(a[i].err, i % 2 ? 0 : GY_ECANCELED);
        gy_dns_release(&a[i].req);
    }
    CHECK_EQ(gy_loop_free(loop), 0);
    names_all_freed();
}

static void names_dialled(gy_dial *dial, int err) {
    (void)dial;
    dial_told++;
    dial_err = err;
}

TEST_BACKENDS(names, a_dial_lets_go_of_a_resolver_that_hangs) {
    gy_loop *loop = names_loop(backend);
    gy_dial dial = {.user = NULL};
    gy_stream stream = {.user = NULL};
    gy_dial_opts opts = {.host = "x:1", .resolve = gate_resolve, .timeout = GY_MS(20), .fn = names_dialled};
    gy_ns begun = gy_loop_update_now(loop);
    CHECK_EQ(gy_dial_start(loop, &dial, &stream, opts), 0);
    gate_await(loop, 1);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(dial_told, 1);
    CHECK_EQ(dial_err, -ETIMEDOUT);
    CHECK(gy_loop_now(loop) - begun >= GY_MS(20));
    opts.timeout = 0;
    CHECK_EQ(gy_dial_start(loop, &dial, &stream, opts), 0);
    gate_await(loop, 2);
    CHECK_EQ(gy_dial_cancel(&dial), 0);
    CHECK_EQ(dial_told, 1);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(dial_told, 2);
    CHECK_EQ(dial_err, GY_ECANCELED);
    CHECK(!gy_stream_is_open(&stream));
    CHECK_EQ(gy_loop_free(loop), 0);
    gate_open();
    names_all_freed();
}
