/* SPDX-License-Identifier: ISC */
/** @file timer.h
 *  Timers: once, repeating, at a point of the loop's clock (gy_timer), or at a time of day (gy_alarm).
 *
 *  A timer never fires early, not by a nanosecond, and fires in the order of (due time, start order). Starting,
 *  stopping and restarting cost the same however many timers there are; none of them allocates, so none can fail.
 *  Loop thread only.
 */
#ifndef GYRE_TIMER_H
#define GYRE_TIMER_H

#include "gyre/loop.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_timer gy_timer;

/** Called when the timer is due. A timer that fires once is idle by then and may be started again or freed. A repeating
 *  one goes on afterwards unless it is stopped here; before its memory is freed it must be stopped. */
typedef void gy_timer_fn(gy_timer *timer);

/** A timer. The caller's memory, valid as `{0}`; it must stay while the timer is active. */
struct gy_timer {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it was started last */
    /** @cond internal */
    struct {
        gy_timer_fn *fn;
        gy_ns every;
        struct gyi_timed timed;
    } priv;
    /** @endcond */
};

/** When a timer fires. All durations in nanoseconds; negative ones count as 0. */
typedef struct gy_timer_opts {
    gy_timer_fn *fn; /**< never NULL */
    gy_ns after;     /**< from now (the clock is read); with `every` and neither `after` nor `at`, the first is one
                          period from now */
    gy_ns at;        /**< instead of `after`: a point on gy_loop_now()'s clock. The clock is not read: the cheap form */
    gy_ns every;     /**< repeats in this period. The phase is kept, and periods that were missed are skipped and
                          counted (gy_timer_missed) */
    gy_ns slack;     /**< may fire this much later, so that it can share a wake-up: the first time is moved to a
                          multiple of the largest power of two, in nanoseconds, that `slack` has room for */
} gy_timer_opts;

/** Starts a timer, or starts it anew if it is active. Without a function nothing happens. */
GY_API void gy_timer_start(gy_loop *loop, gy_timer *timer, gy_timer_opts opts);

/** Stops a timer: its callback will not run, even if it was collected in this very turn, and the memory is the
 *  caller's again. Idle timers are ignored. */
GY_API void gy_timer_stop(gy_timer *timer);

/** Moves a timer that has been started once to the point `at` of the loop's clock, function and period as they were:
 *  the cheap way to push an idle timeout forward with every event, as in `gy_timer_restart(t, gy_loop_now(loop) +
 *  GY_S(60))`. A timer that fired or was stopped is active again. One that was never started is ignored. */
GY_API void gy_timer_restart(gy_timer *timer, gy_ns at);

/** Whether the timer will fire. True inside the callback of a repeating one. */
GY_API bool gy_timer_active(const gy_timer *timer);

/** The point of the loop's clock at which it fires next; inside its callback, the one for which it fired. */
GY_API gy_ns gy_timer_due(const gy_timer *timer);

/** How long until it fires, seen from gy_loop_now(), at least 0; -1 when it is not active. */
GY_API gy_ns gy_timer_remaining(const gy_timer *timer);

/** Inside the callback of a repeating timer: how many whole periods went by unseen before this call. */
GY_API uint64_t gy_timer_missed(const gy_timer *timer);

/** Whether an active timer keeps gy_loop_run() going; it does unless told otherwise. Survives stop and start. */
GY_API void gy_timer_ref(gy_timer *timer);
GY_API void gy_timer_unref(gy_timer *timer); /**< the opposite of gy_timer_ref() */

/* ---- wall clock ---------------------------------------------------------------------------------------------- */

typedef struct gy_alarm gy_alarm;

/** Called when the time of day has come. As gy_timer_fn otherwise. */
typedef void gy_alarm_fn(gy_alarm *alarm);

/** An alarm: fires when the wall clock shows a given time or a later one, also when somebody sets that clock in
 *  between. The caller's memory, valid as `{0}`. While alarms are active the loop notices a clock that was set at once
 *  where the kernel reports it (Linux, at the price of one more descriptor), and within a second elsewhere. */
struct gy_alarm {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it was started last */
    /** @cond internal */
    struct {
        gy_alarm_fn *fn;
        gy_ns at, every;
        gy_timer timer;
        struct gyi_entry link; /* on the loop's list */
    } priv;
    /** @endcond */
};

/** When an alarm fires. */
typedef struct gy_alarm_opts {
    gy_alarm_fn *fn; /**< never NULL */
    gy_ns at;        /**< nanoseconds since 1970-01-01 00:00 UTC; a time gone by fires at once */
    gy_ns every;     /**< then again whenever this much wall-clock time has passed; missed ones are skipped */
} gy_alarm_opts;

/** Starts an alarm, or starts it anew if it is active.
 *  @return 0; -EINVAL without a function; or the error of the kernel's clock watch, with the alarm idle. */
GY_API int gy_alarm_start(gy_loop *loop, gy_alarm *alarm, gy_alarm_opts opts);

/** Stops an alarm, as gy_timer_stop(). */
GY_API void gy_alarm_stop(gy_alarm *alarm);

/** Whether the alarm will fire. */
GY_API bool gy_alarm_active(const gy_alarm *alarm);

#ifdef __cplusplus
}
#endif
#endif
