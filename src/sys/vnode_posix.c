/* SPDX-License-Identifier: ISC */
/* Events of open files where there is no kqueue: none. */
#include "sys/vnode.h"

int gyi_vnode_open(gyi_sys *sys) {
    int err = gyi_sys_enter(sys, GYI_SYS_NOTIFY);
    return err ? err : -ENOTSUP;
}

int gyi_vnode_watch(gyi_sys *sys, int queue, const char *path, gyi_follow follow, gyi_stat *out) {
    (void)sys, (void)queue, (void)path, (void)follow, (void)out;
    return -ENOTSUP;
}

int gyi_vnode_read(gyi_sys *sys, int queue, gyi_vnode_event *out, int room) {
    (void)sys, (void)queue, (void)out, (void)room;
    return -ENOTSUP;
}
