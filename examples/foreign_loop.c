/* SPDX-License-Identifier: ISC */
/* gyre inside another loop: first a hand-written one around poll(), then a second gyre loop.
 *
 * The recipe is the same for both: ask gy_loop_timeout() how long the wait may last, wait for gy_loop_fd() to become
 * readable, then make one step that does not wait. The inner loop has a timer that ticks five times. */
#include <gyre/gyre.h>
#include <poll.h>
#include <stdio.h>

struct ticker {
    gy_timer timer;
    int ticks;
};

static void on_tick(gy_timer *timer) {
    struct ticker *t = GY_OF(timer, struct ticker, timer);
    printf("  tick %d\n", ++t->ticks);
    if (t->ticks == 5) gy_timer_stop(timer);
}

static void start(gy_loop *inner, struct ticker *t) {
    *t = (struct ticker){0};
    gy_timer_start(inner, &t->timer, (gy_timer_opts){.every = GY_MS(5), .fn = on_tick});
}

/* poll() counts milliseconds: rounded up, so that it does not come back too early and spin. */
static int drive_by_poll(gy_loop *inner) {
    int more = 1;
    while (more > 0) {
        gy_ns timeout = gy_loop_timeout(inner);
        struct pollfd watched = {.fd = gy_loop_fd(inner), .events = POLLIN};
        poll(&watched, 1, timeout < 0 ? -1 : (int)((timeout + GY_MS(1) - 1) / GY_MS(1)));
        more = gy_loop_step(inner, GY_STEP_POLL);
    }
    return more;
}

struct host {
    gy_io readable;
    gy_timer due;
    gy_hook before;
    gy_loop *inner;
};

static void step_inner(struct host *h) {
    if (gy_loop_step(h->inner, GY_STEP_POLL) > 0) return;
    gy_io_stop(&h->readable);
    gy_timer_stop(&h->due);
    gy_hook_stop(&h->before);
}

static void on_readable(gy_io *io, int err, unsigned events) {
    (void)err, (void)events;
    step_inner(GY_OF(io, struct host, readable));
}

static void on_due(gy_timer *timer) { step_inner(GY_OF(timer, struct host, due)); }

/* Before each wait of the outer loop the inner one says how long it can do without. */
static void on_before_poll(gy_hook *hook) {
    struct host *h = GY_OF(hook, struct host, before);
    gy_ns timeout = gy_loop_timeout(h->inner);
    gy_timer_opts opts = {.after = timeout ? timeout : 1, .fn = on_due};
    if (timeout >= 0) gy_timer_start(hook->loop, &h->due, opts);
    else gy_timer_stop(&h->due);
}

static int drive_by_gyre(gy_loop *inner) {
    gy_loop *outer;
    struct host h = {.inner = inner};
    int err = gy_loop_new(&outer, (gy_loop_opts){0});
    if (!err) err = gy_io_start(outer, &h.readable, gy_loop_fd(inner), GY_READABLE, on_readable);
    if (!err) err = gy_hook_start(outer, &h.before, GY_HOOK_BEFORE_POLL, on_before_poll);
    if (!err) err = gy_loop_run(outer);
    gy_loop_free(outer);
    return err;
}

int main(void) {
    gy_loop *inner;
    struct ticker t;
    int err = gy_loop_new(&inner, (gy_loop_opts){0});
    if (!err && gy_loop_fd(inner) < 0) err = gy_loop_fd(inner); /* "poll" and "sim" have none */
    if (!err) {
        printf("in a loop around poll():\n");
        start(inner, &t);
        err = drive_by_poll(inner);
    }
    if (!err) {
        printf("in a gyre loop:\n");
        start(inner, &t);
        err = drive_by_gyre(inner);
    }
    if (err) fprintf(stderr, "foreign_loop: %s\n", gy_error_text(err));
    gy_loop_free(inner);
    return err != 0;
}
