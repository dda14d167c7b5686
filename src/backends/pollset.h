/* SPDX-License-Identifier: ISC */
/* The descriptors of the backends that keep their own list, because poll() keeps none: "poll" and "sim". */
#ifndef GYI_BACKENDS_POLLSET_H
#define GYI_BACKENDS_POLLSET_H

#include <poll.h>

#include "backends/backend.h"

typedef struct gyi_pollset {
    struct pollfd *at;  /* what poll() is given */
    uint64_t *token;    /* of the same index */
    uint32_t count, cap;
    uint32_t *index;    /* by descriptor: where in `at`, plus 1; 0: nowhere */
    uint32_t index_cap;
    uint32_t turn;      /* where the next scan begins, so that a small batch does not always show the same ones */
} gyi_pollset;

void gyi_pollset_free(gyi_pollset *set, const gy_alloc *alloc);

/* As gyi_backend.set. Costs no system call but one check that the descriptor is open when it is added. */
int gyi_pollset_set(gyi_poller *p, gyi_pollset *set, int fd, uint64_t token, unsigned want);

/* Asks the kernel, waiting at most `timeout`, and stores up to `cap` ready descriptors in the order of the set,
 * beginning where the last answer ended. @return as gyi_backend.wait. */
int gyi_pollset_wait(gyi_poller *p, gyi_pollset *set, gyi_ready *out, int cap, gy_ns timeout);

#endif
