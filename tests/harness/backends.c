/* SPDX-License-Identifier: ISC */
/* Which backends the machine has: a loop is made with each and freed again.
 *
 * Only -ENOTSUP means that there is none. Any other failure counts as available, so that a backend that is broken
 * fails its tests instead of vanishing from them. */
#include <errno.h>

#include "gyre/loop.h"
#include "harness.h"

int gy_test_backend_available(const char *name) {
    gy_loop *loop = NULL;
    int err = gy_loop_new(&loop, (gy_loop_opts){.backend = name});
    if (err == 0) gy_loop_free(loop);
    return err != -ENOTSUP;
}
