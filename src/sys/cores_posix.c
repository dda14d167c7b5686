/* SPDX-License-Identifier: ISC */
/* Processors where the system says only how many there are. */
#include "sys/cores.h"

#include <unistd.h>

unsigned gyi_cores_count(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 1024 ? 1024 : (unsigned)n;
}

int gyi_cores_pin(gyi_sys *sys, gyi_thread thread, unsigned index) {
    (void)thread, (void)index;
    int err = gyi_sys_enter(sys, GYI_SYS_THREAD);
    return err ? err : -ENOTSUP;
}
