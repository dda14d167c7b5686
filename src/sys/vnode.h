/* SPDX-License-Identifier: ISC */
/* Being told by a kqueue that something has happened to an open file or directory: what kind of thing, but no names.
 *
 * Where there is no kqueue, gyi_vnode_open() says -ENOTSUP, and the other functions are not called. */
#ifndef GYI_SYS_VNODE_H
#define GYI_SYS_VNODE_H

#include "sys/file.h"

enum gyi_vnode_what {
    GYI_VNODE_WRITTEN = 1,    /* a file; or the list of names in a directory */
    GYI_VNODE_ATTRIBUTES = 2, /* also when a file was made shorter, which FreeBSD does not call writing */
    GYI_VNODE_LINKED = 4,     /* it has one more name; or the directory more or fewer directories */
    GYI_VNODE_UNLINKED = 8,   /* one of its names is gone */
    GYI_VNODE_MOVED = 16,
    GYI_VNODE_ENDED = 32      /* its file system went */
};

typedef struct gyi_vnode_event {
    int fd;
    unsigned what; /* bits of gyi_vnode_what */
} gyi_vnode_event;

/* A queue: a descriptor that is readable when there are events. @return it, or -ENOTSUP */
int gyi_vnode_open(gyi_sys *sys);

/* Opens a file for being watched only (a fifo is not waited for) and watches it until the descriptor is closed. What is
 * neither a file nor a directory is refused. @return the descriptor, and in `*out` what it is at this moment; -EMFILE
 * too, when more than half of what the process may have are taken: the rest is the program's. */
int gyi_vnode_watch(gyi_sys *sys, int queue, const char *path, gyi_follow follow, gyi_stat *out);

/* Collects what has happened to files since the last call. @return how many, not waiting for any */
int gyi_vnode_read(gyi_sys *sys, int queue, gyi_vnode_event *out, int room);

#endif
