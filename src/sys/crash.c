/* SPDX-License-Identifier: ISC */
/* The handlers of gyi_crash_watch(). What they need is the process's and stays; it is set before they are installed. */
#include "sys/crash.h"

#include <signal.h>
#include <stdatomic.h>

#include "sys/memory.h"
#include "sys/report.h"

enum { CRASH_STACK = 65536, CRASH_SIGNALS = 2 };

static const int crash_signals[CRASH_SIGNALS] = {SIGSEGV, SIGBUS};

static struct {
    _Atomic int installed;
    bool (*ours)(const void *at);
    const char *line;
    struct sigaction before[CRASH_SIGNALS];
} crash;

/* Everything here is allowed in a signal handler. */
static void crash_handle(int signo, siginfo_t *info, void *context) {
    (void)signo;
    (void)context;
    for (int i = 0; i < CRASH_SIGNALS; i++) sigaction(crash_signals[i], &crash.before[i], NULL);
    if (crash.ours(info->si_addr)) gyi_report(crash.line);
}

static int crash_stack(gyi_sys *sys) {
    stack_t now, own = {.ss_size = CRASH_STACK};
    if (sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE)) return 0;
    void *memory;
    int err = gyi_memory_map(sys, CRASH_STACK, &memory);
    if (err) return err;
    own.ss_sp = memory;
    return sigaltstack(&own, NULL) ? -errno : 0;
}

int gyi_crash_watch(gyi_sys *sys, bool (*ours)(const void *at), const char *line) {
    int err = crash_stack(sys);
    if (err || atomic_exchange(&crash.installed, 1)) return err;
    crash.ours = ours;
    crash.line = line;
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    action.sa_sigaction = crash_handle;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < CRASH_SIGNALS && !err; i++) {
        err = gyi_sys_enter(sys, GYI_SYS_SIGACTION);
        if (!err && sigaction(crash_signals[i], &action, &crash.before[i])) err = -errno;
        if (err && i) sigaction(crash_signals[0], &crash.before[0], NULL);
    }
    if (err) atomic_store(&crash.installed, 0);
    return err;
}
