/* SPDX-License-Identifier: ISC */
/* Installing and restoring signal handlers. */
#include "sys/sig.h"

#include <string.h>

int gyi_sig_install(gyi_sys *sys, int signo, void (*handler)(int), struct sigaction *before) {
    int err = gyi_sys_enter(sys, GYI_SYS_SIGACTION);
    if (err) return err;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigfillset(&action.sa_mask); /* the handler is short, and need not be interrupted by another */
    return sigaction(signo, &action, before) ? -errno : 0;
}

void gyi_sig_restore(gyi_sys *sys, int signo, void (*handler)(int), const struct sigaction *before) {
    struct sigaction now;
    sys->count[GYI_SYS_SIGACTION] += 2;
    if (sigaction(signo, NULL, &now) || (now.sa_flags & SA_SIGINFO) || now.sa_handler != handler) return;
    sigaction(signo, before, NULL);
}
