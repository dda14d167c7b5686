/* SPDX-License-Identifier: ISC */
/* How the gyre contenders make their loop: with the backend "epoll", named, so that a library that was built without it
 * fails here instead of being measured with poll() against epoll. `--backend` measures another on purpose.
 */
#ifndef BENCH_COMMON_GYRE_LOOP_H
#define BENCH_COMMON_GYRE_LOOP_H

#include "common/bench.h"

#include "gyre/loop.h"

static inline gy_loop *bench_loop(void)
{
    gy_loop *loop;
    int err = gy_loop_new(&loop, (gy_loop_opts){.backend = bench_arg_text("backend", "epoll")});

    bench_must(err == 0, "make a loop");
    return loop;
}

#endif
