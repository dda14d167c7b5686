/* SPDX-License-Identifier: ISC */
/** @file signal.h
 *  Signals of the operating system as events of a loop.
 *
 *  The first watcher of a signal in the process installs a handler; when the last one stops, the handling that was
 *  there before is restored. Any number of watchers in any number of loops and threads may watch one signal, and each
 *  is called. Loop thread only.
 */
#ifndef GYRE_SIGNAL_H
#define GYRE_SIGNAL_H

#include "gyre/loop.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_signal gy_signal;

/** Called on the loop's thread after the signal was raised. `count` says how often since the last call, at least 1. */
typedef void gy_signal_fn(gy_signal *signal, unsigned count);

/** A watcher of one signal. The caller's memory, valid as `{0}`; it must stay while the watcher is active. */
struct gy_signal {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it was started last */
    int signo;     /**< read only: which signal */
    /** @cond internal */
    struct {
        uint32_t flags;
        gy_signal_fn *fn;
        struct gyi_entry entry; /* on the callback queue */
        struct gyi_entry link;  /* on the loop's list */
        uint32_t seen;          /* how often the process had got the signal when this watcher was told last */
    } priv;
    /** @endcond */
};

/** Starts watching a signal.
 *  @return 0; -EINVAL without a function or for a signal that cannot be caught; -EALREADY when it is active. */
GY_API int gy_signal_start(gy_loop *loop, gy_signal *signal, int signo, gy_signal_fn *fn);

/** Stops a watcher at once, as gy_timer_stop(). */
GY_API void gy_signal_stop(gy_signal *signal);

GY_API bool gy_signal_active(const gy_signal *signal); /**< whether the watcher is active */
GY_API void gy_signal_ref(gy_signal *signal);          /**< keeps the loop alive while active (the default) */
GY_API void gy_signal_unref(gy_signal *signal);        /**< does not keep the loop alive */

#ifdef __cplusplus
}
#endif
#endif
