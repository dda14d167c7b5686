/* SPDX-License-Identifier: ISC */
/* The pool: work that would hold the loop up is done by threads, and the loop stays responsive.
 *
 * Eight jobs count primes; meanwhile a timer ticks. Each job is a struct that the loop and a thread hand to each other,
 * so nothing is locked: while it runs it is the thread's, before and after it is the loop's. */
#include <gyre/gyre.h>
#include <stdio.h>

enum { JOBS = 8 };

struct crunch {
    gy_work work;
    unsigned from, to, primes;
};

static gy_timer heart;
static unsigned ticks, left = JOBS;

/* On a thread of the pool: only its own struct. */
static void count_primes(gy_work *work) {
    struct crunch *c = GY_OF(work, struct crunch, work);
    for (unsigned n = c->from < 2 ? 2 : c->from; n < c->to; n++) {
        unsigned d = 2;
        while (d * d <= n && n % d) d++;
        c->primes += d * d > n;
    }
}

/* On the loop's thread again. */
static void show(gy_work *work, int err) {
    struct crunch *c = GY_OF(work, struct crunch, work);
    if (err) printf("%u to %u: %s\n", c->from, c->to, gy_error_text(err));
    else printf("%u to %u: %u primes\n", c->from, c->to, c->primes);
    if (--left == 0) gy_timer_stop(&heart);
}

static void on_tick(gy_timer *timer) {
    (void)timer;
    ticks++;
}

int main(void) {
    gy_loop *loop;
    static struct crunch job[JOBS];
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    for (unsigned i = 0; i < JOBS && !err; i++) {
        job[i].from = i * 50000;
        job[i].to = (i + 1) * 50000;
        gy_work_opts opts = {.run = count_primes, .done = show, .lane = GY_LANE_CPU};
        err = gy_pool_submit(loop, &job[i].work, opts);
    }
    if (!err) {
        gy_timer_start(loop, &heart, (gy_timer_opts){.every = GY_MS(1), .fn = on_tick});
        err = gy_loop_run(loop);
        printf("the loop ticked %u times meanwhile\n", ticks);
    }
    if (err) fprintf(stderr, "crunch: %s\n", gy_error_text(err));
    gy_loop_free(loop);
    return err != 0;
}
