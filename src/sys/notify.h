/* SPDX-License-Identifier: ISC */
/* Being told by the kernel of changes to files. A descriptor collects the changes of everything that was added to it,
 * and is readable when there are any. Each thing that is watched has a number there, which comes with its changes.
 *
 * Where the kernel has nothing of the kind gyi_notify_open() says -ENOTSUP, and the other functions are not called. */
#ifndef GYI_SYS_NOTIFY_H
#define GYI_SYS_NOTIFY_H

#include "sys/sys.h"

enum gyi_notify_what {
    GYI_NOTIFY_CREATED = 1,
    GYI_NOTIFY_REMOVED = 2,
    GYI_NOTIFY_CHANGED = 4,
    GYI_NOTIFY_ATTRIBUTES = 8,
    GYI_NOTIFY_MOVED_FROM = 16, /* the old name; the new one has the same cookie, if it is watched too */
    GYI_NOTIFY_MOVED_TO = 32,
    GYI_NOTIFY_GONE = 64,       /* what is watched itself: removed, moved, or its file system went */
    GYI_NOTIFY_ENDED = 128,     /* the number is not valid any more; the last event that it has */
    GYI_NOTIFY_OVERFLOW = 256,  /* events were lost; without a number */
    GYI_NOTIFY_DIR = 512        /* along with another: it is about a directory */
};

typedef struct gyi_notify_event {
    int id;           /* of what is watched */
    unsigned what;    /* bits of gyi_notify_what */
    uint32_t cookie;  /* of a move */
    const char *name; /* in the directory that is watched; "" for that itself */
} gyi_notify_event;

/* Whether a path is what the caller was asked to watch, or something below it: only a directory, and never by a
 * link. */
typedef enum gyi_notify_part { GYI_NOTIFY_ROOT, GYI_NOTIFY_BELOW } gyi_notify_part;

/* Room for at least one event of any length. */
enum { GYI_NOTIFY_ROOM = 4096 };

/* A block that events are read into. */
typedef struct gyi_notify_block {
    _Alignas(8) unsigned char bytes[GYI_NOTIFY_ROOM];
} gyi_notify_block;

/* @return the descriptor, or -ENOTSUP */
int gyi_notify_open(gyi_sys *sys);

/* @return the number, which is the old one when the same file is watched already; -ENOSPC when there are too many */
int gyi_notify_add(gyi_sys *sys, int fd, const char *path, gyi_notify_part part);

/* Watches something no more. Its last event, GYI_NOTIFY_ENDED, comes still. */
int gyi_notify_remove(gyi_sys *sys, int fd, int id);

/* Reads what fits. @return bytes; -EAGAIN when there is nothing */
int gyi_notify_read(gyi_sys *sys, int fd, gyi_notify_block *to);

/* Takes the event at `at` of a block apart. @return where the next one begins */
int gyi_notify_next(const gyi_notify_block *block, int at, gyi_notify_event *out);

#endif
