/* SPDX-License-Identifier: ISC */
/* What only sim has: a clock that stands, and jumps; the seed; and patience with what happens outside. The contract is
 * tested in test_backend.c. */
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "pool/pool.h"
#include "sys/clock.h"

static gyi_sys calls;
static gy_alloc memory;

static gyi_poller begin(uint64_t seed) {
    gyi_poller p = {.ops = &gyi_backend_sim, .sys = &calls, .alloc = &memory, .fd = -1, .seed = seed};
    CHECK(gyi_alloc_init(&memory, (gy_alloc){.alloc = NULL}));
    CHECK_EQ(p.ops->open(&p), 0);
    return p;
}

TEST(sim, the_clock_stands_and_jumps) {
    gyi_poller p = begin(0);
    gyi_ready got[4];
    int ends[2];
    gy_ns from = p.ops->now(&p), real = gyi_clock_mono();
    CHECK_EQ(p.ops->now(&p), from);
    CHECK_EQ(p.ops->wait(&p, got, 4, 0), 0);
    CHECK_EQ(p.ops->now(&p), from);
    CHECK_EQ(p.ops->wait(&p, got, 4, GY_S(86400)), 0);
    CHECK_EQ(p.ops->now(&p), from + GY_S(86400));
    CHECK(gyi_clock_mono() - real < GY_S(30));
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(p.ops->set(&p, ends[1], 1, 0, GY_WRITABLE), 0);
    CHECK_EQ(p.ops->wait(&p, got, 4, GY_S(100)), 1);
    CHECK_EQ(p.ops->now(&p), from + GY_S(86400)); /* something was ready: no time has passed */
    p.ops->close(&p);
    close(ends[0]);
    close(ends[1]);
}

static void order_with(uint64_t seed, uint64_t order[8]) {
    gyi_poller p = begin(seed);
    gyi_ready got[8];
    int ends[2], copy[8];
    CHECK_EQ(pipe(ends), 0);
    for (int i = 0; i < 8; i++) {
        copy[i] = dup(ends[1]);
        CHECK_EQ(p.ops->set(&p, copy[i], (uint64_t)i, 0, GY_WRITABLE), 0);
    }
    CHECK_EQ(p.ops->wait(&p, got, 8, 0), 8);
    for (int i = 0; i < 8; i++) order[i] = got[i].token;
    for (int i = 0; i < 8; i++) close(copy[i]);
    p.ops->close(&p);
    close(ends[0]);
    close(ends[1]);
}

TEST(sim, a_seed_shuffles_and_the_same_seed_does_it_again) {
    uint64_t plain[8], a[8], b[8], other[8], sum = 0;
    order_with(0, plain);
    order_with(1, a);
    order_with(1, b);
    order_with(2, other);
    for (int i = 0; i < 8; i++) CHECK(plain[i] == (uint64_t)i);
    for (int i = 0; i < 8; i++) sum += UINT64_C(1) << a[i];
    CHECK_EQ(sum, 255); /* all of them, each once */
    CHECK(memcmp(a, b, sizeof a) == 0);
    CHECK(memcmp(a, other, sizeof a) != 0);
    CHECK(memcmp(a, plain, sizeof a) != 0);
}

static int ends_of_outside[2];

static void *write_later(void *arg) {
    struct timespec ts = {0, 20000000};
    (void)arg;
    nanosleep(&ts, NULL);
    while (write(ends_of_outside[1], "x", 1) != 1) continue;
    return NULL;
}

static void on_io(gy_io *io, int err, unsigned events) {
    (void)err;
    (void)events;
    gy_io_stop(io);
}

static void on_timer(gy_timer *timer) { CHECK_FAIL("time went on: %lld", (long long)gy_loop_now(timer->loop)); }

/* Through a loop, which is who says that something is. */
TEST(sim, time_stands_while_something_is_at_work_outside) {
    gy_loop *loop;
    gy_io io = {.user = NULL};
    gy_timer timer = {.user = NULL};
    pthread_t thread;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(pipe(ends_of_outside), 0);
    gy_ns from = gy_loop_now(loop);
    CHECK_EQ(gy_io_start(loop, &io, ends_of_outside[0], GY_READABLE, on_io), 0);
    gy_timer_start(loop, &timer, (gy_timer_opts){.fn = on_timer, .after = GY_S(5)});
    loop->working = 1;
    loop->spin.wait = gyi_pool_wait;
    CHECK_EQ(pthread_create(&thread, NULL, write_later, NULL), 0);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    loop->working = 0;
    CHECK_EQ(gy_loop_now(loop), from);
    CHECK(!gy_io_active(&io));
    pthread_join(thread, NULL);
    gy_timer_stop(&timer);
    CHECK_EQ(gy_loop_free(loop), 0);
    close(ends_of_outside[0]);
    close(ends_of_outside[1]);
}
