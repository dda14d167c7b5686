/* SPDX-License-Identifier: ISC */
/* Terminals: modes, size and colours, beside a stream that knows nothing of them.
 *
 * A tty is open or not. While open it has the modes that it found; `changed` says whether others may be set now. It is
 * set before the terminal is, and cleared after, so that a handler that comes in between puts back once too often and
 * never once too few; the fences keep the compiler from moving the saved modes across it. What a handler has put back
 * stays marked as changed: the program may have set it again. */
#include <stdatomic.h>
#include <string.h>

#include "gyre/tty.h"
#include "loop/loop.h"
#include "sys/sig.h"
#include "sys/term.h"

_Static_assert(sizeof((gy_tty *)0)->priv.saved == GYI_TERM_WORDS * sizeof(uint64_t), "the header's room is sys's");

static void tty_mark(gy_tty *t, int changed) {
    atomic_signal_fence(memory_order_seq_cst);
    t->priv.changed = changed;
    atomic_signal_fence(memory_order_seq_cst);
}

int gy_tty_open(gy_loop *loop, gy_tty *t, int fd) {
    if (t->priv.open) return -EALREADY;
    int err = gyi_term_save(&loop->sys, fd, t->priv.saved);
    if (err) return err;
    t->loop = loop;
    t->fd = fd;
    t->mode = GY_TTY_NORMAL;
    t->priv.open = 1;
    return 0;
}

bool gy_tty_is_open(const gy_tty *t) { return t->priv.open; }

int gy_tty_close(gy_tty *t) {
    if (!t->priv.open) return 0;
    gy_signal_stop(&t->priv.signal);
    int err = t->priv.changed ? gyi_term_set(&t->loop->sys, t->fd, t->priv.saved, 0) : 0;
    tty_mark(t, 0);
    t->mode = GY_TTY_NORMAL;
    t->priv.open = 0;
    return err;
}

int gy_tty_set_mode(gy_tty *t, gy_tty_mode mode) {
    static const unsigned bits[] = {
        [GY_TTY_NORMAL] = 0,
        [GY_TTY_CBREAK] = GYI_TERM_KEYS,
        [GY_TTY_RAW_INPUT] = GYI_TERM_KEYS | GYI_TERM_PLAIN_IN,
        [GY_TTY_RAW] = GYI_TERM_KEYS | GYI_TERM_PLAIN_IN | GYI_TERM_PLAIN_OUT,
    };
    if ((unsigned)mode >= sizeof bits / sizeof *bits) return -EINVAL;
    if (!t->priv.open) return GY_ECLOSED;
    int before = t->priv.changed;
    tty_mark(t, 1);
    int err = gyi_term_set(&t->loop->sys, t->fd, t->priv.saved, bits[mode]);
    if (err) tty_mark(t, before);
    else if (mode == GY_TTY_NORMAL) tty_mark(t, 0);
    if (!err) t->mode = mode;
    return err;
}

void gy_tty_reset(const gy_tty *t) {
    if (!t->priv.changed) return;
    atomic_signal_fence(memory_order_seq_cst);
    gyi_term_put_back(t->fd, t->priv.saved);
}

/* ---- size -------------------------------------------------------------------------------------------------------- */

int gy_tty_size_get(gy_tty *t, gy_tty_size *out) {
    if (!t->priv.open) return GY_ECLOSED;
    return gyi_term_size(&t->loop->sys, t->fd, &out->cols, &out->rows);
}

/* The signal says that some terminal of the process may be of another size. */
static void tty_winch(gy_signal *signal, unsigned count) {
    gy_tty *t = GY_OF(signal, gy_tty, priv.signal);
    gy_tty_size now = t->priv.known;
    (void)count;
    int err = gy_tty_size_get(t, &now);
    if (!err && now.cols == t->priv.known.cols && now.rows == t->priv.known.rows) return;
    t->priv.known = now;
    t->priv.fn(t, err, now); /* may have closed it */
}

int gy_tty_on_resize(gy_tty *t, gy_tty_resize_fn *fn) {
    if (!t->priv.open) return GY_ECLOSED;
    gy_signal_stop(&t->priv.signal);
    if (!fn) return 0;
    gy_signal_unref(&t->priv.signal);
    /* The signal first: what changes after it is told, what changed before it is in the size. */
    int err = gy_signal_start(t->loop, &t->priv.signal, SIGWINCH, tty_winch);
    if (!err) err = gy_tty_size_get(t, &t->priv.known);
    if (err) gy_signal_stop(&t->priv.signal);
    t->priv.fn = fn;
    return err;
}

/* ---- colours ----------------------------------------------------------------------------------------------------- */

enum { TTY_COLORS_FEW = 16, TTY_COLORS_TABLE = 256, TTY_COLORS_ALL = 1 << 24 };

/* Whether a word of the list is found in the text. */
static bool tty_names(const char *text, const char *const *words) {
    for (; *words; words++)
        if (strstr(text, *words)) return true;
    return false;
}

/* COLORTERM is what the terminal says itself, and "truecolor" and "24bit" are its two agreed words. Otherwise the name
 * in TERM decides: terminals that have always had all colours, the usual marks, and the families that have few. */
static int tty_colors_named(const char *term, const char *colorterm) {
    static const char *const says[] = {"truecolor", "24bit", NULL};
    static const char *const all[] = {"-direct", "-truecolor", "kitty",   "alacritty",
                                      "foot",    "ghostty",    "wezterm", NULL};
    static const char *const table[] = {"256color", "-256", NULL};
    static const char *const few[] = {"color", "xterm", "screen", "tmux",    "rxvt", "linux",
                                      "ansi",  "cygwin", "konsole", "cons25", "wsvt", NULL};
    if (tty_names(colorterm, says) || tty_names(term, all)) return TTY_COLORS_ALL;
    if (tty_names(term, table)) return TTY_COLORS_TABLE;
    return *colorterm || tty_names(term, few) ? TTY_COLORS_FEW : 0;
}

/* "-m" at the end is terminfo's mark for monochrome. */
static bool tty_plain(const char *term) {
    size_t len = strlen(term);
    return len == 0 || strcmp(term, "dumb") == 0 || (len > 2 && strcmp(term + len - 2, "-m") == 0);
}

bool gy_tty_is(int fd) { return gyi_term_is(fd); }

int gy_tty_colors(int fd, const char *term, const char *colorterm, const char *no_color) {
    if (!gyi_term_is(fd) || (no_color && *no_color) || !term || tty_plain(term)) return 0;
    return tty_colors_named(term, colorterm ? colorterm : "");
}
