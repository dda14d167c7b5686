/* SPDX-License-Identifier: ISC */
/* The processors that the calling thread may run on, which its new threads inherit, and keeping a thread on one. */
#ifndef GYI_SYS_CORES_H
#define GYI_SYS_CORES_H

#include "sys/thread.h"

/* How many there are, between 1 and 1024. */
unsigned gyi_cores_count(void);

/* Keeps a thread on the processor that stands at `index` among those of the caller; beyond the last one it begins anew.
 * @return 0; -ENOTSUP where the system keeps no thread anywhere; -errno */
int gyi_cores_pin(gyi_sys *sys, gyi_thread thread, unsigned index);

#endif
