/* SPDX-License-Identifier: ISC */
/* What tests of promises have in common: what became of one, and when. */
#ifndef GY_TESTS_UNIT_OUTCOME_H
#define GY_TESTS_UNIT_OUTCOME_H

#include "gyre/promise.h"

typedef struct outcome {
    int count; /* how often it was told: once, if all is well */
    int err;
    gy_value value;
} outcome;

static inline gy_value outcome_note(gy_value value, void *ctx) {
    outcome *o = ctx;
    o->count++;
    o->err = gy_value_err(value);
    o->value = value;
    return gy_num(0);
}

static inline void outcome_of(gy_promise *promise, outcome *o) {
    gy_then_catch(promise, outcome_note, outcome_note, o);
}

#endif
