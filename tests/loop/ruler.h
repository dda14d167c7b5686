/* SPDX-License-Identifier: ISC */
/* Counting jobs: what tests of fibers and of coroutines have in common. While something waits, a chain of reactions
 * says 1, 2, 3, ..., one a job; so a line of words shows how many jobs an await has taken. */
#ifndef GY_TESTS_LOOP_RULER_H
#define GY_TESTS_LOOP_RULER_H

#include "gyre/gyre.h"
#include "harness.h"
#include "trail.h"

static gy_loop *loop;
static trail trace;

static inline void begin(const char *backend) {
    trace.text[0] = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
}

static inline void end(void) { CHECK_EQ(gy_loop_free(loop), 0); }

static inline void say(const char *what) { trail_add(&trace, what); }

static inline gy_value say_then(gy_value v, void *ctx) {
    (void)v;
    say(ctx);
    return gy_num(0);
}

static inline gy_promise *settled(gy_value v) {
    gy_promise *p;
    CHECK_EQ(gy_promise_new(loop, &p), 0);
    gy_promise_resolve(p, v);
    return p;
}

static inline void ruler(void) {
    static const char *const name[] = {"1", "2", "3", "4", "5"};
    gy_promise *p = settled(gy_num(0)), *q = p;
    for (int i = 0; i < 5; i++) q = gy_then(q, say_then, (void *)(uintptr_t)name[i]);
    gy_promise_free(p);
}

#endif
