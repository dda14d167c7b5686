/* SPDX-License-Identifier: ISC */
/* Signal handlers. */
#ifndef GYI_SYS_SIG_H
#define GYI_SYS_SIG_H

#include <signal.h>

#include "sys/sys.h"

#ifdef NSIG
enum { GYI_SIG_MOST = NSIG };
#else
enum { GYI_SIG_MOST = 65 };
#endif

/* Installs a handler that lets system calls go on, and stores what was there before. @return 0 or -errno. */
int gyi_sig_install(gyi_sys *sys, int signo, void (*handler)(int), struct sigaction *before);

/* Puts back what was there before, unless somebody else has installed another handler since: that one stays. */
void gyi_sig_restore(gyi_sys *sys, int signo, void (*handler)(int), const struct sigaction *before);

#endif
