/* SPDX-License-Identifier: ISC */
/* Changes to files where the kernel does not tell of them by name: there is nothing, and files are looked at
 * instead. */
#include "sys/notify.h"

int gyi_notify_open(gyi_sys *sys) {
    int err = gyi_sys_enter(sys, GYI_SYS_NOTIFY);
    return err ? err : -ENOTSUP;
}

int gyi_notify_add(gyi_sys *sys, int fd, const char *path, gyi_notify_part part) {
    (void)sys, (void)fd, (void)path, (void)part;
    return -ENOTSUP;
}

int gyi_notify_remove(gyi_sys *sys, int fd, int id) {
    (void)sys, (void)fd, (void)id;
    return -ENOTSUP;
}

int gyi_notify_read(gyi_sys *sys, int fd, gyi_notify_block *to) {
    (void)sys, (void)fd, (void)to;
    return -ENOTSUP;
}

int gyi_notify_next(const gyi_notify_block *block, int at, gyi_notify_event *out) {
    (void)block;
    *out = (gyi_notify_event){.id = -1, .name = ""};
    return at;
}
