/* SPDX-License-Identifier: ISC */
/* What one turn of a loop costs: five variants of one program.
 *
 *   dispatch          `count` descriptors that are always readable; each calls back with every turn
 *   dispatch_timeout  the same, and each callback pushes that descriptor's timeout to now + 60 s
 *   one_event         one of the descriptors is ready in each turn; its callback passes the token on to the next one
 *                     (a read and a write): the fixed price of a turn shows
 *   idle_turns        one quiet descriptor, turns that may not wait: nothing is found
 *   restart_watcher   `count` quiet descriptors; every turn stops and restarts each watcher
 *
 * The other callbacks do nothing but count. Descriptors are eventfds; unless a token is passed on, nobody reads them,
 * so a ready one stays ready.
 */
#ifndef BENCH_DISPATCH_WORKLOAD_H
#define BENCH_DISPATCH_WORKLOAD_H

#include "common/bench.h"

enum { TIMEOUT_S = 60 };

struct dispatch {
    int *fds;
    size_t count;
    bool timeouts; /* callbacks move timeouts */
    bool relay;    /* callbacks call dispatch_relay() */
};

/* Takes the token out of one descriptor and puts it into another. */
void dispatch_relay(int from, int to);

/* Watches the descriptors for reading; with `timeouts`, each has a timer as well. */
void contender_open(const struct dispatch *setup);

/* Runs the loop as a program would (it may wait) until callbacks were called `events` times. */
void contender_run(uint64_t events);

/* Does `turns` turns that do not wait and find nothing. */
void contender_idle(uint64_t turns);

/* As contender_idle(), but each turn first stops and restarts every watcher. */
void contender_restart(uint64_t turns);

#endif
