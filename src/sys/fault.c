/* SPDX-License-Identifier: ISC */
/* The tests' hook into every system call; empty in the library that programs link. */
#include "sys/sys.h"

#if defined(GYI_FAULTS) && GYI_FAULTS
int (*gyi_sys_fault)(gyi_syscall kind);
#else
typedef int gyi_sys_no_fault; /* a file must declare something */
#endif
