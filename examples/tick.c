/* SPDX-License-Identifier: ISC */
/* Timers, and the order in which things run.
 *
 * A metronome beats every 20 ms, five times. Each beat defers a job, queues a microtask and an immediate, so that the
 * output shows the order: the callback, then deferred jobs, then microtasks, then, at the turn's end, immediates. */
#include <gyre/gyre.h>
#include <stdio.h>

struct metronome {
    gy_timer timer;
    gy_job deferred, micro, immediate;
    int beats;
    gy_ns begun;
};

static void on_deferred(gy_job *job) {
    (void)job;
    printf("  deferred");
}

static void on_micro(gy_job *job) {
    (void)job;
    printf("  microtask");
}

static void on_immediate(gy_job *job) {
    (void)job;
    printf("  immediate\n");
}

static void on_beat(gy_timer *timer) {
    struct metronome *m = GY_OF(timer, struct metronome, timer);
    double due = (double)(gy_timer_due(timer) - m->begun) / 1e6;
    double seen = (double)(gy_loop_now(timer->loop) - m->begun) / 1e6;
    printf("beat %d, due at %.1f ms, seen %.3f ms later:", ++m->beats, due, seen - due);
    gy_immediate(timer->loop, &m->immediate, on_immediate);
    gy_microtask(timer->loop, &m->micro, on_micro);
    gy_defer(timer->loop, &m->deferred, on_deferred);
    if (m->beats == 5) gy_timer_stop(timer);
}

int main(void) {
    gy_loop *loop;
    struct metronome m = {0};
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (err) {
        fprintf(stderr, "tick: %s\n", gy_error_text(err));
        return 1;
    }
    m.begun = gy_loop_now(loop);
    gy_timer_start(loop, &m.timer, (gy_timer_opts){.at = m.begun + GY_MS(20), .every = GY_MS(20), .fn = on_beat});
    err = gy_loop_run(loop); /* ends by itself: nothing is left */
    gy_loop_free(loop);
    return err != 0;
}
