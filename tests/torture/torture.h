/* SPDX-License-Identifier: ISC */
/* Torture: a scenario is run over and over, and each time another allocation or another system call fails.
 *
 * A scenario is three functions over a struct of its own. `begin` starts everything, `end` closes everything; between
 * them the loop turns until the scenario has its full result (torture.done) or was told of a failure, by a call or by a
 * callback (torture.told). One of the two must come about within a bounded number of turns, and afterwards nothing may
 * be left: no memory, no descriptor, and a loop that can be freed. */
#ifndef GY_TESTS_TORTURE_H
#define GY_TESTS_TORTURE_H

#include "gyre/gyre.h"
#include "harness.h"

typedef struct torture {
    const char *backend;
    gy_loop *loop;
    int told;  /* the first failure that was reported; 0: none */
    bool done; /* the result is complete */
} torture;

typedef struct torture_scenario {
    size_t size;                /* of the scenario's struct, which begins with a torture and is zeroed for each run */
    void (*begin)(torture *);   /* stops at the first failure */
    void (*end)(torture *);     /* may be called after any part of `begin` */
    bool (*ended)(torture *);   /* whether all that `end` has closed is closed; NULL: at once */
} torture_scenario;

/* Notes a failure. @return whether there was none */
bool torture_try(torture *t, int err);

/* Runs all passes of a scenario on a backend. */
void torture_run(const char *backend, const torture_scenario *scenario);

#endif
