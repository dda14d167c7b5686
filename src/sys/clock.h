/* SPDX-License-Identifier: ISC */
/* Clocks. */
#ifndef GYI_SYS_CLOCK_H
#define GYI_SYS_CLOCK_H

#include <time.h>

#include "sys/sys.h"

/* The monotonic clock in nanoseconds, never negative. Inline, as it is read in every turn; it cannot fail. */
static inline gy_ns gyi_clock_mono(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (gy_ns)t.tv_sec * GY_S(1) + t.tv_nsec;
}

/* The wall clock in nanoseconds since 1970-01-01 00:00 UTC. */
gy_ns gyi_clock_wall(void);

/* Opens a descriptor that becomes readable when somebody sets the wall clock, or -ENOTSUP where there is no such thing.
 * It is for edge-triggered use; gyi_clock_watch_clear() makes it unreadable again. */
int gyi_clock_watch_open(gyi_sys *sys);
void gyi_clock_watch_clear(gyi_sys *sys, int fd);

#endif
