/* SPDX-License-Identifier: ISC */
/* Processors on Linux: the affinity mask, which taskset, cpusets and containers make smaller than the machine. Shares
 * of time that a cgroup grants (cpu.max) are not processors, and are not looked at. */
#include "sys/cores.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

enum { CORES_MOST = 1024, CORES_WORDS = 8192 / (8 * sizeof(cpu_set_t)) }; /* no kernel knows more than 8192 */

/* As a set is an array of words for the kernel, a larger one is an array of sets. */
typedef struct cores_set {
    cpu_set_t part[CORES_WORDS];
} cores_set;

/* @return how many; 0 when it is not known */
static unsigned cores_allowed(cores_set *set) {
    memset(set, 0, sizeof *set);
    if (sched_getaffinity(0, sizeof *set, set->part)) return 0;
    int n = CPU_COUNT_S(sizeof *set, set->part);
    return n > 0 ? (unsigned)n : 0;
}

unsigned gyi_cores_count(void) {
    cores_set set;
    unsigned n = cores_allowed(&set);
    if (!n) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        n = online > 0 ? (unsigned)online : 1;
    }
    return n < CORES_MOST ? n : CORES_MOST;
}

int gyi_cores_pin(gyi_sys *sys, gyi_thread thread, unsigned index) {
    cores_set set, one;
    int err = gyi_sys_enter(sys, GYI_SYS_THREAD);
    if (err) return err;
    unsigned n = cores_allowed(&set), left = n ? index % n : 0;
    if (!n) return -ENOTSUP;
    memset(&one, 0, sizeof one);
    for (unsigned cpu = 0; cpu < 8 * sizeof set; cpu++) {
        if (!CPU_ISSET_S(cpu, sizeof set, set.part) || left--) continue;
        CPU_SET_S(cpu, sizeof one, one.part);
        break;
    }
    return -pthread_setaffinity_np(thread, sizeof one, one.part);
}
