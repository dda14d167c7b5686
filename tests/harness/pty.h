/* SPDX-License-Identifier: ISC */
/* A pseudo terminal for tests: its two ends, and its size. Neither becomes the terminal of the test's process. */
#ifndef GY_TESTS_PTY_H
#define GY_TESTS_PTY_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

typedef struct pty {
    int master, slave; /* who types and looks at the screen, and the terminal itself */
} pty;

/* @return whether the machine has one; if not, nothing is open */
__attribute__((unused)) static inline bool pty_open(pty *p) {
    p->slave = -1;
    p->master = posix_openpt(O_RDWR | O_NOCTTY);
    if (p->master < 0) return false;
    if (!grantpt(p->master) && !unlockpt(p->master)) p->slave = open(ptsname(p->master), O_RDWR | O_NOCTTY);
    if (p->slave < 0) close(p->master);
    return p->slave >= 0;
}

__attribute__((unused)) static inline int pty_resize(const pty *p, unsigned cols, unsigned rows) {
    struct winsize size = {.ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows};
    return ioctl(p->master, TIOCSWINSZ, &size);
}

/* Whether the terminal has lines, editing and echo. */
__attribute__((unused)) static inline bool pty_normal(const pty *p) {
    struct termios modes;
    tcflag_t all = ICANON | ECHO | ISIG;
    return tcgetattr(p->slave, &modes) == 0 && (modes.c_lflag & all) == all && (modes.c_oflag & OPOST);
}

#endif
