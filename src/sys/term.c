/* SPDX-License-Identifier: ISC */
/* The modes of a terminal by termios, and its size. */
#include "sys/term.h"

#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

_Static_assert(sizeof(struct termios) <= GYI_TERM_WORDS * sizeof(uint64_t), "the saved modes fit into the handle");

bool gyi_term_is(int fd) {
    struct termios modes;
    return tcgetattr(fd, &modes) == 0;
}

/* Systems have several errors for what is no terminal (a device without the call, a socket); programs need one. */
static int term_error(int err) { return err == EBADF || err == EIO ? -err : -ENOTTY; }

int gyi_term_save(gyi_sys *sys, int fd, uint64_t saved[GYI_TERM_WORDS]) {
    struct termios modes;
    int err = gyi_sys_enter(sys, GYI_SYS_TERMINAL);
    if (err) return err;
    if (tcgetattr(fd, &modes)) return term_error(errno);
    memcpy(saved, &modes, sizeof modes);
    return 0;
}

/* One byte is enough for a read to return, and there is no time limit. In line mode the two places may mean other
 * things, so they are set, not left. */
static void term_keys(struct termios *modes) {
    modes->c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL);
    modes->c_cc[VMIN] = 1;
    modes->c_cc[VTIME] = 0;
}

static void term_plain_in(struct termios *modes) {
    modes->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | INPCK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    modes->c_lflag &= ~(tcflag_t)(ISIG | IEXTEN);
    modes->c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
    modes->c_cflag |= CS8;
}

int gyi_term_set(gyi_sys *sys, int fd, const uint64_t saved[GYI_TERM_WORDS], unsigned bits) {
    struct termios modes;
    int err = gyi_sys_enter(sys, GYI_SYS_TERMINAL);
    if (err) return err;
    memcpy(&modes, saved, sizeof modes);
    if (bits & GYI_TERM_KEYS) term_keys(&modes);
    if (bits & GYI_TERM_PLAIN_IN) term_plain_in(&modes);
    if (bits & GYI_TERM_PLAIN_OUT) modes.c_oflag &= ~(tcflag_t)OPOST;
    return tcsetattr(fd, TCSANOW, &modes) ? -errno : 0;
}

void gyi_term_put_back(int fd, const uint64_t saved[GYI_TERM_WORDS]) {
    struct termios modes;
    int before = errno;
    memcpy(&modes, saved, sizeof modes);
    tcsetattr(fd, TCSANOW, &modes); /* a handler has nobody to tell */
    errno = before;
}

int gyi_term_size(gyi_sys *sys, int fd, unsigned *cols, unsigned *rows) {
    struct winsize size;
    int err = gyi_sys_enter(sys, GYI_SYS_TERMINAL);
    if (err) return err;
    if (ioctl(fd, TIOCGWINSZ, &size)) return term_error(errno);
    *cols = size.ws_col;
    *rows = size.ws_row;
    return 0;
}
