/* SPDX-License-Identifier: ISC */
/* The floor that calls the kernel. Every function here
 *   - returns 0 or positive, or `-errno`;
 *   - handles EINTR once and for all where going on is what everybody wants;
 *   - makes descriptors close-on-exec and non-blocking from birth;
 *   - is counted by kind in the gyi_sys of its caller, and can be made to fail in tests.
 *
 * Failing on purpose is compiled in only with GYI_FAULTS, for the copy of the library that the tests link: a hook that
 * is asked before each call and may answer with an error instead. */
#ifndef GYI_SYS_SYS_H
#define GYI_SYS_SYS_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "gyre/base.h"

typedef enum gyi_syscall {
    GYI_SYS_WAIT,   /* for events */
    GYI_SYS_CHANGE, /* of interest */
    GYI_SYS_POLLER, /* opening a backend, a wake-up or a clock watch */
    GYI_SYS_WAKE,
    GYI_SYS_CLOSE,
    GYI_SYS_FCNTL,
    GYI_SYS_READ,
    GYI_SYS_WRITE,
    GYI_SYS_SOCKET,
    GYI_SYS_BIND,
    GYI_SYS_LISTEN,
    GYI_SYS_ACCEPT,
    GYI_SYS_CONNECT,
    GYI_SYS_SOCKOPT,
    GYI_SYS_NAME,
    GYI_SYS_SHUTDOWN,
    GYI_SYS_FILE,
    GYI_SYS_SIGACTION,
    GYI_SYS_THREAD,
    GYI_SYS_MEMORY,  /* mapping it */
    GYI_SYS_PROCESS, /* starting one, waiting for it, signalling it */
    GYI_SYS_NOTIFY,  /* of changes to files */
    GYI_SYS_LOOKUP,  /* of names */
    GYI_SYS_TERMINAL,
    GYI_SYS_KINDS
} gyi_syscall;

/* Calls made, by kind, on behalf of one loop or pool. */
typedef struct gyi_sys {
    uint64_t count[GYI_SYS_KINDS];
} gyi_sys;

#if defined(GYI_FAULTS) && GYI_FAULTS
/* Asked before each call; 0 lets it through, a negative error is what the call returns instead. NULL: all go through.
 * Tests set it while no other thread makes calls, or make it thread-safe themselves. */
extern int (*gyi_sys_fault)(gyi_syscall kind);
#define GYI_SYS_FAULT(kind) (gyi_sys_fault ? gyi_sys_fault(kind) : 0)
#else
#define GYI_SYS_FAULT(kind) 0
#endif

/* To be called before every system call: counts it. @return 0, or the error to return instead of making it. */
static inline int gyi_sys_enter(gyi_sys *sys, gyi_syscall kind) {
    sys->count[kind]++;
    return GYI_SYS_FAULT(kind);
}


#endif
