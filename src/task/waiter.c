/* SPDX-License-Identifier: ISC */
/* The way from a request to who waits for it, and the kinds that every program has: timers and watchers. Nothing here
 * knows of promises, so a program whose coroutines await requests does not link them. */
#include "task/waiter.h"

void gyi_waiter_remove(gyi_waiter *waiter) {
    void **at = waiter->user;
    while (*at != waiter) at = &((gyi_waiter *)*at)->before;
    *at = waiter->before;
}

void gy_request_settle(void **user, const gy_request_kind *kind, gy_value value) {
    gyi_waiter *waiter = *user;
    while (waiter->kind != kind) {
        user = &waiter->before;
        waiter = *user;
    }
    *user = waiter->before;
    waiter->settle(waiter, value);
}

/* ---- timers and watchers ----------------------------------------------------------------------------------------- */

static void waiter_timer_cancel(void *request) {
    gy_timer *timer = request;
    gy_timer_stop(timer);
    gy_request_settle(&timer->user, &gy_kind_timer, gy_err(GY_ECANCELED));
}

const gy_request_kind gy_kind_timer = {waiter_timer_cancel};

void gy_settle_timer(gy_timer *timer) { gy_request_settle(&timer->user, &gy_kind_timer, gy_num(0)); }

static void waiter_io_cancel(void *request) {
    gy_io *io = request;
    gy_io_stop(io);
    gy_request_settle(&io->user, &gy_kind_io, gy_err(GY_ECANCELED));
}

const gy_request_kind gy_kind_io = {waiter_io_cancel};

void gy_settle_io(gy_io *io, int err, unsigned events) {
    gy_io_stop(io);
    gy_request_settle(&io->user, &gy_kind_io, err ? gy_err(err) : gy_num(events));
}
