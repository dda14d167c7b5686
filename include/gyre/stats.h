/* SPDX-License-Identifier: ISC */
/** @file stats.h
 *  What a loop has done and how well: counted always, at a constant cost.
 */
#ifndef GYRE_STATS_H
#define GYRE_STATS_H

#include "gyre/loop.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A histogram of durations: bucket `i` counts those of less than 2^(10 + i) nanoseconds (about 2^i microseconds) that
 *  no lower bucket counts; the last one counts all that are longer. */
typedef struct gy_histogram {
    uint64_t bucket[24]; /**< the last but one ends at 4.3 s */
} gy_histogram;

/** The duration below which `percent` (0 to 100) of the entries lie, in nanoseconds: the upper end of the bucket, so an
 *  upper bound; 0 for an empty histogram, GY_FOREVER for the last bucket. */
GY_API gy_ns gy_histogram_percentile(const gy_histogram *histogram, double percent);

/** Metrics of a loop since it was made. */
typedef struct gy_loop_stats {
    uint64_t turns;         /**< turns of the loop */
    uint64_t io;            /**< descriptors that were found ready */
    uint64_t timers;        /**< timers that came due */
    uint64_t posts;         /**< messages, signals to the loop and finished pool jobs */
    uint64_t jobs;          /**< deferred jobs and microtasks run */
    uint64_t hooks;         /**< hooks called */
    uint64_t signals;       /**< watchers of signals called */
    uint64_t callbacks;     /**< entries of the callback queue run, jobs included */
    uint64_t stale;         /**< events of the kernel that were dropped because their descriptor had gone */
    gy_ns waiting;          /**< time spent in waits that were allowed to block, and in spinning before them (pool.h) */
    gy_ns busy;             /**< all other time inside turns */
    gy_histogram lag;       /**< how long each turn was busy, and so how late anything may have been noticed */
    gy_histogram lateness;  /**< how late timers were when they were collected */
    unsigned queued;        /**< entries on the callback queue now */
    unsigned queued_max;    /**< the most of one kind (descriptors, timers, messages) that were collected at once */
    unsigned jobs_queued;   /**< deferred jobs and microtasks now */
    unsigned active;        /**< referenced handles that keep the loop alive now */
    unsigned timers_active; /**< timers running now */
    uint64_t syscalls;      /**< system calls that the library made for this loop, waits included; reading the clock,
                                 which needs none on most systems, is not counted */
    uint64_t waits;         /**< of these, waits for events */
    uint64_t changes;       /**< of these, changes of interest */
    uint64_t wakeups;       /**< of these, writes that woke the loop from another thread */
} gy_loop_stats;

/** Copies the metrics. Loop thread. */
GY_API void gy_loop_stats_get(const gy_loop *loop, gy_loop_stats *out);

#ifdef __cplusplus
}
#endif
#endif
