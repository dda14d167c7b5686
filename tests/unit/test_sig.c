/* SPDX-License-Identifier: ISC */
/* Signal handlers: installed, restored, and left alone when somebody else's. */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "refuse.h"
#include "sys/sig.h"

static volatile sig_atomic_t ours, theirs;

static void our_handler(int signo) { ours = signo; }
static void their_handler(int signo) { theirs = signo; }

TEST(sig, installs_and_restores) {
    gyi_sys sys = {{0}};
    struct sigaction before, now;
    ours = theirs = 0;
    CHECK(signal(SIGUSR1, their_handler) != SIG_ERR);
    CHECK_EQ(gyi_sig_install(&sys, SIGUSR1, our_handler, &before), 0);
    CHECK(before.sa_handler == their_handler);
    CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
    CHECK(now.sa_handler == our_handler);
    CHECK(now.sa_flags & SA_RESTART);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(ours, SIGUSR1);
    gyi_sig_restore(&sys, SIGUSR1, our_handler, &before);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(theirs, SIGUSR1);
    CHECK(sys.count[GYI_SYS_SIGACTION] >= 2);
    CHECK(signal(SIGUSR1, SIG_DFL) != SIG_ERR);
}

TEST(sig, a_handler_that_came_later_stays) {
    gyi_sys sys = {{0}};
    struct sigaction before, now;
    CHECK_EQ(gyi_sig_install(&sys, SIGUSR1, our_handler, &before), 0);
    CHECK(signal(SIGUSR1, their_handler) == our_handler);
    gyi_sig_restore(&sys, SIGUSR1, our_handler, &before);
    CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
    CHECK(now.sa_handler == their_handler);
    CHECK_EQ(sigaction(SIGUSR1, &before, NULL), 0);
}

TEST(sig, what_cannot_be_caught_is_refused) {
    gyi_sys sys = {{0}};
    struct sigaction before;
    CHECK_EQ(gyi_sig_install(&sys, SIGKILL, our_handler, &before), -EINVAL);
    refuse(GYI_SYS_SIGACTION, -ENOMEM);
    int err = gyi_sig_install(&sys, SIGUSR1, our_handler, &before);
    refuse_nothing();
    CHECK_EQ(err, -ENOMEM);
    CHECK(GYI_SIG_MOST > SIGUSR1 && GYI_SIG_MOST > SIGTERM);
}
