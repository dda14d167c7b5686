/* SPDX-License-Identifier: ISC */
/* Timers over the wheel.
 *
 *   idle -> wheel or heap (started) -> queued (came due) -> running (its callback) -> idle, or started again
 *
 * A repeating timer is put back after its callback, so that inside it the due time is still the one it fired for, and
 * what was missed can be told. If the callback stops the timer, or starts it, it is not in the running state any more,
 * and is left alone; the running timer is therefore remembered by its state alone, and stop is all that a callback must
 * do before it frees one. */
#include "loop/loop.h"

enum { TIMER_BATCH = 1024 }; /* how many timers one turn fires at the most, so that I/O gets its turn in between */

static inline bool timer_state(const gy_timer *t, unsigned state) { return t->priv.timed.order & state; }

static void timer_set_state(gy_timer *t, unsigned state) {
    t->priv.timed.order = (t->priv.timed.order & ~(uint64_t)GYI_TIMED_STATE) | state;
}

/* An active timer is in one of the states; whether it counts as a reason for the loop to live is a flag. */
static inline void timer_count(gy_timer *t, bool active) {
    if (timer_state(t, GYI_TIMED_UNREF)) return;
    if (active) gyi_loop_ref(t->loop);
    else gyi_loop_unref(t->loop);
}

/* The sum of a time and a duration; the end of time if it is beyond. */
static gy_ns timer_add(gy_ns at, gy_ns after) {
    if (after <= 0) return at;
    return after > GY_FOREVER - 1 - at ? GY_FOREVER - 1 : at + after;
}

/* The first due time after `now` in the phase of `due`. */
static gy_ns timer_next_period(gy_ns due, gy_ns every, gy_ns now) {
    gy_ns next = timer_add(due, every);
    if (next > now) return next;
    return timer_add(next + (now - next) / every * every, every);
}

static void timer_fire_once(gyi_entry *entry) {
    gy_timer *t = GY_OF(entry, gy_timer, priv.timed.at.entry);
    timer_set_state(t, 0);
    timer_count(t, false);
    t->priv.fn(t);
}

static void timer_fire(gyi_entry *entry) {
    gy_timer *t = GY_OF(entry, gy_timer, priv.timed.at.entry);
    gy_loop *loop = t->loop;
    timer_set_state(t, GYI_TIMED_RUNNING);
    loop->firing = t;
    t->priv.fn(t);
    if (loop->firing != t) return; /* stopped, started anew, or freed */
    loop->firing = NULL;
    gyi_wheel_insert(&loop->wheel, &t->priv.timed, timer_next_period(t->priv.timed.due, t->priv.every, loop->now));
}

void gyi_timer_collect(gy_loop *l) {
    gyi_timed *timed;
    unsigned count = 0;
    while (count < TIMER_BATCH && (timed = gyi_wheel_pop(&l->wheel, l->now)) != NULL) {
        gy_timer *t = GY_OF(timed, gy_timer, priv.timed);
        timed->order |= GYI_TIMED_QUEUED;
        timed->at.entry.run = t->priv.every > 0 ? timer_fire : timer_fire_once;
        gyi_list_append(&l->queue.events, &timed->at.entry);
        gyi_stats_add(&l->stats.lateness, l->now - timed->due);
        count++;
    }
    l->stats.timers += count;
    gyi_collected(l, count);
}

/* Takes the timer out of wherever it is; its reference stays. Whether it was active. */
static bool timer_detach(gy_timer *t) {
    unsigned state = t->priv.timed.order & GYI_TIMED_STATE;
    if (GYI_LIKELY(state & (GYI_TIMED_WHEEL | GYI_TIMED_HEAP))) {
        gyi_wheel_remove(&t->loop->wheel, &t->priv.timed);
        return true;
    }
    if (!state) return false;
    if (state == GYI_TIMED_QUEUED) gyi_queue_drop(&t->priv.timed.at.entry);
    else t->loop->firing = NULL;
    timer_set_state(t, 0);
    return true;
}

/* The next multiple of the largest power of two that `slack` has room for. */
static gy_ns timer_align(gy_ns due, gy_ns slack) {
    gy_ns grid = (gy_ns)(UINT64_C(1) << gyi_bit_high((uint64_t)slack));
    return due > GY_FOREVER - grid ? due : (due + grid - 1) & -grid;
}

/* When a timer is first due that is not simply told when. */
static gy_ns timer_first(const gy_loop *loop, const gy_timer_opts *opts) {
    gy_ns due = opts->at;
    if (!due) due = timer_add(gyi_loop_clock(loop), opts->after ? opts->after : opts->every);
    if (due < 0) due = 0;
    if (opts->slack > 0) due = timer_align(due, opts->slack);
    return due < GY_FOREVER ? due : GY_FOREVER - 1;
}

/* Makes an idle timer active. */
static inline void timer_begin(gy_loop *loop, gy_timer *t, gy_timer_fn *fn, gy_ns every, gy_ns due) {
    t->loop = loop;
    t->priv.fn = fn;
    t->priv.every = every;
    timer_count(t, true);
    gyi_wheel_insert(&loop->wheel, &t->priv.timed, due);
}

static GYI_APART void timer_start_slowly(gy_loop *loop, gy_timer *t, const gy_timer_opts *opts) {
    if (!opts->fn) return;
    gy_ns due = timer_first(loop, opts);
    gy_timer_stop(t);
    timer_begin(loop, t, opts->fn, opts->every, due);
}

/* The straight line is for a timer that is idle and told when. */
void gy_timer_start(gy_loop *loop, gy_timer *t, gy_timer_opts opts) {
    if (GYI_UNLIKELY(!opts.fn || opts.at <= 0 || opts.at == GY_FOREVER || opts.slack > 0 ||
                     timer_state(t, GYI_TIMED_STATE)))
        timer_start_slowly(loop, t, &opts);
    else timer_begin(loop, t, opts.fn, opts.every, opts.at);
}

void gy_timer_stop(gy_timer *t) {
    if (GYI_LIKELY(timer_state(t, GYI_TIMED_WHEEL))) {
        gyi_wheel_unslot(&t->loop->wheel, &t->priv.timed);
        timer_count(t, false);
    } else if (timer_detach(t)) {
        timer_count(t, false);
    }
}

/* Moves a timer that is not simply postponed. */
static GYI_APART void timer_move(gy_timer *t, gy_ns at) {
    if (!t->priv.fn) return;
    if (timer_state(t, GYI_TIMED_WHEEL)) gyi_wheel_unslot(&t->loop->wheel, &t->priv.timed);
    else if (!timer_detach(t)) timer_count(t, true);
    gyi_wheel_insert(&t->loop->wheel, &t->priv.timed, at < 0 ? 0 : at < GY_FOREVER ? at : GY_FOREVER - 1);
}

void gy_timer_restart(gy_timer *t, gy_ns at) {
    if (GYI_LIKELY(timer_state(t, GYI_TIMED_WHEEL) && at >= t->priv.timed.due && at < GY_FOREVER))
        gyi_wheel_postpone(&t->loop->wheel, &t->priv.timed, at);
    else timer_move(t, at);
}

bool gy_timer_active(const gy_timer *t) { return timer_state(t, GYI_TIMED_STATE); }

gy_ns gy_timer_due(const gy_timer *t) { return t->priv.timed.due; }

gy_ns gy_timer_remaining(const gy_timer *t) {
    if (!gy_timer_active(t)) return -1;
    gy_ns left = t->priv.timed.due - t->loop->now;
    return left > 0 ? left : 0;
}

uint64_t gy_timer_missed(const gy_timer *t) {
    if (!timer_state(t, GYI_TIMED_RUNNING) || t->loop->now <= t->priv.timed.due) return 0;
    return (uint64_t)((t->loop->now - t->priv.timed.due) / t->priv.every);
}

void gy_timer_ref(gy_timer *t) {
    bool active = gy_timer_active(t), was = timer_state(t, GYI_TIMED_UNREF);
    t->priv.timed.order &= ~(uint64_t)GYI_TIMED_UNREF;
    if (active && was) gyi_loop_ref(t->loop);
}

void gy_timer_unref(gy_timer *t) {
    bool active = gy_timer_active(t), was = timer_state(t, GYI_TIMED_UNREF);
    t->priv.timed.order |= GYI_TIMED_UNREF;
    if (active && !was) gyi_loop_unref(t->loop);
}
