/* SPDX-License-Identifier: ISC */
/* sim: virtual time, for tests and simulations.
 *
 * The clock stands still while callbacks run. When nothing is ready and the loop would wait for a timer, the clock
 * jumps to it, so an hour of timers takes no longer than its callbacks. Descriptors are real ones, and asked without
 * waiting; with a seed, what is ready at the same time comes in a random order, the same for the same seed.
 *
 * Two waits are real. Without a timer to jump to, only a descriptor or another thread can end the wait, so it takes as
 * long as it takes. And while something is at work outside (`outside`: jobs on a pool), time stands still until it
 * reports, for at most a second; then it goes on, so that a job that waits for a timer cannot hang the program. */
#include "backends/pollset.h"
#include "base/bits.h"
#include "sys/clock.h"

typedef struct sim {
    gyi_pollset set;
    gy_ns now;
    uint64_t random; /* 0: no shuffling */
} sim;

static const gy_ns SIM_START = GY_S(1), SIM_PATIENCE = GY_S(1);

static int sim_open(gyi_poller *p) {
    sim *s = gyi_alloc_zero(p->alloc, sizeof *s);
    if (!s) return -ENOMEM;
    s->now = SIM_START;
    s->random = p->seed;
    p->fd = -1;
    p->caps = GYI_CAP_PRIORITY;
    p->state = s;
    return 0;
}

static void sim_close(gyi_poller *p) {
    sim *s = p->state;
    if (!s) return;
    gyi_pollset_free(&s->set, p->alloc);
    gyi_free(p->alloc, s);
    p->state = NULL;
}

static int sim_reopen(gyi_poller *p) {
    sim *s = p->state;
    gyi_pollset_free(&s->set, p->alloc);
    return 0;
}

static int sim_set(gyi_poller *p, int fd, uint64_t token, unsigned was, unsigned want) {
    (void)was;
    sim *s = p->state;
    return gyi_pollset_set(p, &s->set, fd, token, want);
}

/* Fisher and Yates. */
static void sim_shuffle(sim *s, gyi_ready *out, int count) {
    for (int i = count - 1; i > 0; i--) {
        int j = (int)(gyi_random(&s->random) % (uint64_t)(i + 1));
        gyi_ready t = out[i];
        out[i] = out[j];
        out[j] = t;
    }
}

static int sim_wait(gyi_poller *p, gyi_ready *out, int cap, gy_ns timeout) {
    sim *s = p->state;
    gy_ns real = timeout == GY_FOREVER ? GY_FOREVER : timeout > 0 && p->outside ? SIM_PATIENCE : 0;
    gy_ns begun = real ? gyi_clock_mono() : 0;
    int n = gyi_pollset_wait(p, &s->set, out, cap, real);
    /* A wait that a signal ended says nothing of what is at work outside. */
    bool over = !real || gyi_clock_mono() - begun >= real;
    if (n == 0 && timeout != GY_FOREVER && over) s->now += timeout;
    if (n > 1 && p->seed) sim_shuffle(s, out, n);
    return n;
}

static gy_ns sim_now(const gyi_poller *p) { return ((const sim *)p->state)->now; }

const gyi_backend gyi_backend_sim = {
    .name = "sim",
    .open = sim_open,
    .close = sim_close,
    .reopen = sim_reopen,
    .set = sim_set,
    .wait = sim_wait,
    .now = sim_now,
};
