/* SPDX-License-Identifier: ISC */
/* A descriptor through which another thread, or a signal handler, ends a wait. */
#ifndef GYI_SYS_WAKE_H
#define GYI_SYS_WAKE_H

#include "sys/sys.h"

typedef struct gyi_wake {
    int fd;   /* becomes readable; -1 when closed */
    int send; /* what is written to: the same descriptor where there are eventfds, else the other end of a pipe */
} gyi_wake;

#define GYI_WAKE_CLOSED ((gyi_wake){-1, -1})

int gyi_wake_open(gyi_sys *sys, gyi_wake *wake);
void gyi_wake_close(gyi_sys *sys, gyi_wake *wake);

/* Makes it readable. Any thread, and signal handlers: errno is kept. @return 0, or -errno when nobody was woken. */
int gyi_wake_send(const gyi_wake *wake);

/* Makes it unreadable again; only needed by who watches it level-triggered. */
void gyi_wake_clear(gyi_sys *sys, const gyi_wake *wake);

#endif
