/* SPDX-License-Identifier: ISC */
/* Terminals as the kernel has them: what each bit changes, putting back, size, and what is no terminal. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "harness.h"
#include "pty.h"
#include "sys/term.h"

static gyi_sys sys;
static uint64_t saved[GYI_TERM_WORDS];

static struct termios modes_of(int fd) {
    struct termios modes;
    CHECK_EQ(tcgetattr(fd, &modes), 0);
    return modes;
}

TEST(term, each_bit_changes_its_modes_and_none_puts_back) {
    pty p;
    if (!pty_open(&p)) SKIP("no pseudo terminals");
    CHECK_EQ(gyi_term_save(&sys, p.slave, saved), 0);
    struct termios before = modes_of(p.slave), now;
    CHECK_EQ(gyi_term_set(&sys, p.slave, saved, GYI_TERM_KEYS), 0);
    now = modes_of(p.slave);
    CHECK_EQ(now.c_lflag & (tcflag_t)(ICANON | ECHO), 0);
    CHECK(now.c_lflag & ISIG);
    CHECK_EQ(now.c_iflag, before.c_iflag);
    CHECK_EQ(now.c_cc[VMIN], 1);
    CHECK_EQ(now.c_cc[VTIME], 0);
    CHECK_EQ(gyi_term_set(&sys, p.slave, saved, GYI_TERM_KEYS | GYI_TERM_PLAIN_IN), 0);
    now = modes_of(p.slave);
    CHECK_EQ(now.c_lflag & (tcflag_t)(ICANON | ECHO | ISIG | IEXTEN), 0);
    CHECK_EQ(now.c_iflag & (tcflag_t)(ICRNL | IXON), 0);
    CHECK(now.c_oflag & OPOST);
    CHECK_EQ(gyi_term_set(&sys, p.slave, saved, GYI_TERM_PLAIN_OUT), 0);
    now = modes_of(p.slave);
    CHECK_EQ(now.c_oflag & (tcflag_t)OPOST, 0);
    CHECK_EQ(now.c_lflag, before.c_lflag);
    CHECK_EQ(gyi_term_set(&sys, p.slave, saved, 0), 0);
    now = modes_of(p.slave);
    CHECK_EQ(now.c_lflag, before.c_lflag);
    CHECK_EQ(now.c_oflag, before.c_oflag);
    CHECK_EQ(sys.count[GYI_SYS_TERMINAL], 5);
    close(p.slave);
    close(p.master);
}

TEST(term, a_handler_puts_back_uncounted_and_keeps_errno) {
    pty p;
    if (!pty_open(&p)) SKIP("no pseudo terminals");
    CHECK_EQ(gyi_term_save(&sys, p.slave, saved), 0);
    CHECK_EQ(gyi_term_set(&sys, p.slave, saved, GYI_TERM_KEYS), 0);
    CHECK(!pty_normal(&p));
    errno = EDOM;
    gyi_term_put_back(p.slave, saved);
    gyi_term_put_back(-1, saved);
    CHECK_EQ(errno, EDOM);
    CHECK(pty_normal(&p));
    CHECK_EQ(sys.count[GYI_SYS_TERMINAL], 2);
    close(p.slave);
    close(p.master);
}

TEST(term, size_and_what_is_no_terminal) {
    pty p;
    unsigned cols = 7, rows = 9;
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(gyi_term_save(&sys, ends[0], saved), -ENOTTY);
    CHECK_EQ(gyi_term_size(&sys, ends[0], &cols, &rows), -ENOTTY);
    CHECK_EQ(gyi_term_save(&sys, -1, saved), -EBADF);
    CHECK(!gyi_term_is(ends[0]) && !gyi_term_is(-1));
    CHECK_EQ(cols, 7);
    CHECK_EQ(rows, 9);
    close(ends[0]);
    close(ends[1]);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQ(gyi_term_save(&sys, ends[0], saved), -ENOTTY);
    close(ends[0]);
    close(ends[1]);
    if (!pty_open(&p)) SKIP("no pseudo terminals");
    CHECK(gyi_term_is(p.slave));
    CHECK_EQ(pty_resize(&p, 132, 43), 0);
    CHECK_EQ(gyi_term_size(&sys, p.slave, &cols, &rows), 0);
    CHECK_EQ(cols, 132);
    CHECK_EQ(rows, 43);
    close(p.slave);
    close(p.master);
}
