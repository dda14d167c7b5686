/* SPDX-License-Identifier: ISC */
/* How the files of this floor that are about files make a call: counted, again after a signal, an error as -errno. A
 * macro, because what differs is an expression; it is the whole body of the function that it stands in. */
#ifndef GYI_SYS_FILECALL_H
#define GYI_SYS_FILECALL_H

#include "sys/sys.h"

#define GYI_FILE_CALL(sys, kind, type, call)                                                                          \
    for (;;) {                                                                                                        \
        int gyi_refused = gyi_sys_enter((sys), (kind));                                                               \
        if (gyi_refused) return gyi_refused;                                                                          \
        type gyi_result = (call);                                                                                     \
        if (gyi_result >= 0) return gyi_result;                                                                       \
        if (errno != EINTR) return -errno;                                                                            \
    }

#endif
