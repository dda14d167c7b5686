/* SPDX-License-Identifier: ISC */
/** @file tty.h
 *  Terminals: modes, size, and how many colours.
 *
 *  Bytes come and go through a stream as with any descriptor: gy_stream_open(). A gy_tty is beside it, on the same
 *  descriptor or another one of the same terminal, and handles what only terminals have. It owns no descriptor.
 *
 *  Modes belong to the terminal, not to the descriptor or the process: one gy_tty for a terminal is right, a second one
 *  would save what the first has set. They outlive the process too. gy_tty_close() puts back what gy_tty_open()
 *  found; a program that may end without it calls gy_tty_reset() from where it ends:
 *
 *      static gy_tty tty;
 *      static void leave(void) { gy_tty_reset(&tty); }
 *      static void crash(int signo) { gy_tty_reset(&tty); signal(signo, SIG_DFL); raise(signo); }
 *      ...
 *      if (gy_tty_open(loop, &tty, STDIN_FILENO) == 0) {
 *          atexit(leave);
 *          signal(SIGSEGV, crash);
 *          signal(SIGTERM, crash);
 *          gy_tty_set_mode(&tty, GY_TTY_RAW);
 *      }
 *
 *  The library itself installs no such handler. Loop thread only, but where another word is said.
 */
#ifndef GYRE_TTY_H
#define GYRE_TTY_H

#include "gyre/signal.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_tty gy_tty;

/** What the terminal does to what passes through it. */
typedef enum gy_tty_mode {
    GY_TTY_NORMAL = 0, /**< as it was when gy_tty_open() found it: mostly lines, with editing and echo */
    GY_TTY_CBREAK,     /**< each key at once, without editing and echo; ^C and its like still raise signals */
    GY_TTY_RAW_INPUT,  /**< each byte at once and as it was sent, ^C and carriage return too; output stays as it was, so
                            that "\n" still begins a line */
    GY_TTY_RAW         /**< and output goes as it is written: "\r\n" begins a line */
} gy_tty_mode;

/** How large a terminal is, in characters; 0 when it does not know, as on a serial line. */
typedef struct gy_tty_size {
    unsigned cols; /**< in a row */
    unsigned rows; /**< in the window */
} gy_tty_size;

/** The size is another one, or `err` is negative: it could not be asked for, and `size` is the last one that is known.
 *  The tty may be closed in here. */
typedef void gy_tty_resize_fn(gy_tty *tty, int err, gy_tty_size size);

/** A terminal. The caller's memory, valid as `{0}`; it must stay until gy_tty_close(). */
struct gy_tty {
    void *user;       /**< the program's */
    gy_loop *loop;    /**< read only: where it was opened last */
    int fd;           /**< read only: the descriptor that was given; it stays the caller's */
    gy_tty_mode mode; /**< read only: what was set last with success */
    /** @cond internal */
    struct {
        int open;
        volatile int changed; /* a handler reads it: the modes may be others than `saved` */
        uint64_t saved[10];   /* struct termios, without its header */
        gy_signal signal;     /* active while `fn` is to be called */
        gy_tty_resize_fn *fn;
        gy_tty_size known;
    } priv;
    /** @endcond */
};

/** Saves the modes of the terminal `fd`, and changes nothing. The descriptor must stay open until gy_tty_close(), so
 *  a stream on it is closed after the tty.
 *  @return 0; -ENOTTY; -EBADF; -EIO when the terminal is gone; -EALREADY when it is open. */
GY_API int gy_tty_open(gy_loop *loop, gy_tty *tty, int fd);

/** Puts the modes back if gy_tty_set_mode() has changed them, and stops watching the size. It is closed when this
 *  returns, whatever the result, and may be opened anew; the descriptor stays open. What is not open is left alone.
 *  Close it before the loop is freed.
 *  @return 0, or the error of putting back: -EIO when the terminal is gone. */
GY_API int gy_tty_close(gy_tty *tty);

GY_API bool gy_tty_is_open(const gy_tty *tty); /**< whether it is between gy_tty_open() and gy_tty_close() */

/** Sets a mode, at once: neither waits for output to drain nor drops input. A process in the background is stopped
 *  by SIGTTOU until it is in the foreground, as by any program; where that signal is caught, the result is -EINTR or
 *  the call is repeated until then, as the handler's SA_RESTART says. A mode that is set already is set again, for a
 *  program that continues after it was stopped.
 *  @return 0; -EINVAL for a mode that is none; GY_ECLOSED; -EIO when the terminal is gone. */
GY_API int gy_tty_set_mode(gy_tty *tty, gy_tty_mode mode);

/** Puts the modes back as gy_tty_close() does, and nothing else: the tty stays open, and gy_tty_set_mode() sets its
 *  mode again. Async-signal-safe, from any thread, with errno kept; for handlers and atexit(). Before gy_tty_open(),
 *  after gy_tty_close(), and when nothing was changed it does nothing. */
GY_API void gy_tty_reset(const gy_tty *tty);

/** Asks how large the terminal is. @return 0; GY_ECLOSED; or what the system says, with nothing stored. */
GY_API int gy_tty_size_get(gy_tty *tty, gy_tty_size *out);

/** Has `fn` called when the size becomes another one than at this call, and then each time; NULL ends that. Ask for the
 *  size after this call, and no change is missed. What says so is SIGWINCH, which comes to the foreground processes of
 *  a terminal: after SIGCONT, ask. It does not keep the loop alive. Another function replaces the one before.
 *  @return 0; GY_ECLOSED; or what keeps the size or the signal from being watched, with nothing watched. */
GY_API int gy_tty_on_resize(gy_tty *tty, gy_tty_resize_fn *fn);

/** Whether a descriptor is a terminal. Any thread. */
GY_API bool gy_tty_is(int fd);

/** How many colours to use on `fd`: 0, 16, 256 or 16,777,216. 0 when it is no terminal. The library reads no
 *  environment: `term`, `colorterm` and `no_color` are what getenv() gives for TERM, COLORTERM and NO_COLOR, NULL
 *  included. A set NO_COLOR that is not empty is 0; a terminal of which nothing is known is, too. Any thread. */
GY_API int gy_tty_colors(int fd, const char *term, const char *colorterm, const char *no_color);

#ifdef __cplusplus
}
#endif
#endif
