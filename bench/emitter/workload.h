/* SPDX-License-Identifier: ISC */
/* Emitting one event to `listeners` listeners (1 and 10), each of which adds the payload to a sum.
 *
 * The event is the third of three that are registered on the emitter, and its name is given as the same literal each
 * time, as programs do. By hand there is no name and no list that could change: an array of function pointers.
 */
#ifndef BENCH_EMITTER_WORKLOAD_H
#define BENCH_EMITTER_WORKLOAD_H

#include "common/bench.h"

enum { MOST_LISTENERS = 64 };

/* Registers the listeners, each with a place of its own to add to. */
void contender_open(uint64_t *sums, size_t listeners);

/* Emits `count` times with a pointer to a number. */
void contender_emit(uint64_t count, const uint64_t *payload);

#endif
