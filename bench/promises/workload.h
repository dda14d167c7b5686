/* SPDX-License-Identifier: ISC */
/* Promises. An operation is, by variant:
 *
 *   promise_then    a promise is made, is given a reaction, and is settled; the reaction runs
 *   promise_chain   one step of a chain of ten: the reaction is registered, and later runs
 *   promise_all     one of a thousand promises that are waited for together
 *   promise_memory  not timed: bytes for each of many promises, every other one of which waits for the one before it
 *
 * A hundred operations are begun by one callback (a thousand by promise_all), and all that follows from them has
 * happened before the next callback comes. Every reaction adds its value to a sum, which is checked.
 *
 * By hand, a result that is not there yet is a cell of a free list with a function, a context and a value, and those
 * that have a value are in a queue: no errors, no owners, one reaction for each. That much is needed to do the same in
 * the same order.
 */
#ifndef BENCH_PROMISES_WORKLOAD_H
#define BENCH_PROMISES_WORKLOAD_H

#include "common/bench.h"

enum { CHAIN_STEPS = 10, ALL_COUNT = 1000, BATCH = 100 };

void contender_open(void);

/* Each begins some operations, which have all been done when it returns. Reactions add to `*sum`: 1 for each operation.
 */
void contender_then(uint64_t *sum);  /* BATCH */
void contender_chain(uint64_t *sum); /* BATCH */
void contender_all(uint64_t *sum);   /* ALL_COUNT */

/* Leaves `count` promises waiting, and says how many bytes they took. */
uint64_t contender_wait(uint64_t count);

#endif
