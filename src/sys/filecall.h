/* SPDX-License-Identifier: ISC */
/* How the files of this floor that are about files make a call: counted, again after a signal, an error as -errno. A
 * macro, because what differs is an expression; it is the whole body of the function that it stands in. */
#ifndef GYI_SYS_FILECALL_H
#define GYI_SYS_FILECALL_H

#include <stdbool.h>

#include "sys/sys.h"

#define GYI_FILE_CALL(sys, kind, type, call)                                                                          \
    for (;;) {                                                                                                        \
        int gyi_refused = gyi_sys_enter((sys), (kind));                                                               \
        if (gyi_refused) return gyi_refused;                                                                          \
        type gyi_result = (call);                                                                                     \
        if (gyi_result >= 0) return gyi_result;                                                                       \
        if (errno != EINTR) return -errno;                                                                            \
    }

/* Whether a call that lets the kernel move bytes says that it cannot do this: that has many names, by kernel and file
 * system. Some of them may mean something worse, which is met again when the bytes are read and written. */
static inline bool gyi_file_unable(int64_t err) {
    return err == -ENOSYS || err == -EXDEV || err == -EINVAL || err == -EOPNOTSUPP || err == -EPERM ||
           err == -EACCES || err == -EBADF;
}

#endif
