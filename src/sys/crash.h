/* SPDX-License-Identifier: ISC */
/* A last word before the process dies of an access to memory that is guarded. */
#ifndef GYI_SYS_CRASH_H
#define GYI_SYS_CRASH_H

#include <stdbool.h>

#include "sys/sys.h"

/* Installs handlers for SIGSEGV and SIGBUS for the whole process, once, and a stack for them on the calling thread if
 * it has none. An access at an address for which `ours` is true has `line` written, and then in all cases what would
 * have happened without: the handlers that were there before are put back and the access fails once more. `ours` runs
 * in a signal handler. @return 0 or a negative error. */
int gyi_crash_watch(gyi_sys *sys, bool (*ours)(const void *at), const char *line);

#endif
