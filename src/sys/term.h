/* SPDX-License-Identifier: ISC */
/* Terminals: their modes and their size.
 *
 * The modes as they were are kept in words, so that a public header can have room for them without <termios.h>, whose
 * macros (ECHO, B0) are nobody's wish. No call here waits: modes change at once (TCSANOW), not when the output has
 * drained, which on a terminal that was stopped with ^S is never. As nothing waits, EINTR has one reason only, a
 * background process that catches SIGTTOU, and trying again would raise it again: it is the result. */
#ifndef GYI_SYS_TERM_H
#define GYI_SYS_TERM_H

#include "sys/sys.h"

enum { GYI_TERM_WORDS = 10 };

/* What is different from the modes that were saved. */
enum {
    GYI_TERM_KEYS = 1,      /* input comes byte by byte, without lines, editing and echo */
    GYI_TERM_PLAIN_IN = 2,  /* and as it was sent: nothing is translated, no key raises a signal */
    GYI_TERM_PLAIN_OUT = 4, /* output goes as it was written */
};

/* Whether it is a terminal. Counted nowhere, as it needs no loop. */
bool gyi_term_is(int fd);

/* @return 0; -ENOTTY for what is no terminal; -EBADF; -EIO when the terminal is gone. */
int gyi_term_save(gyi_sys *sys, int fd, uint64_t saved[GYI_TERM_WORDS]);

/* Sets the modes that were saved, with GYI_TERM_ bits, 0 for as they were. @return 0 or -errno. */
int gyi_term_set(gyi_sys *sys, int fd, const uint64_t saved[GYI_TERM_WORDS], unsigned bits);

/* The same as with 0, for signal handlers: async-signal-safe, and not counted, as a handler may interrupt counting. */
void gyi_term_put_back(int fd, const uint64_t saved[GYI_TERM_WORDS]);

/* In characters; 0 and 0 when the terminal does not know. @return 0 or -errno, with nothing stored. */
int gyi_term_size(gyi_sys *sys, int fd, unsigned *cols, unsigned *rows);

#endif
