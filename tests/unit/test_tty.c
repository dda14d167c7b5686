/* SPDX-License-Identifier: ISC */
/* How many colours a terminal has by its names. */
#include "gyre/tty.h"
#include "harness.h"
#include "pty.h"

TEST(tty, colors_follow_the_environment_that_is_given) {
    static const struct {
        const char *term, *colorterm, *no_color;
        int colors;
    } rows[] = {
        {"xterm", NULL, NULL, 16},          {"xterm-256color", NULL, NULL, 256},
        {"xterm", "truecolor", NULL, 1 << 24}, {"xterm", "24bit", NULL, 1 << 24},
        {"xterm", "yes", NULL, 16},         {"odd", "yes", NULL, 16},
        {"xterm-direct", NULL, NULL, 1 << 24}, {"xterm-kitty", NULL, NULL, 1 << 24},
        {"vt100", NULL, NULL, 0},           {"dumb", "truecolor", NULL, 0},
        {"linux-m", NULL, NULL, 0},         {"linux", "", NULL, 16},
        {"", "truecolor", NULL, 0},         {NULL, "truecolor", NULL, 0},
        {"xterm", NULL, "1", 0},            {"xterm", NULL, "", 16},
    };
    pty p;
    if (!pty_open(&p)) SKIP("no pseudo terminals");
    CHECK(gy_tty_is(p.slave));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_EQ(gy_tty_colors(p.slave, rows[i].term, rows[i].colorterm, rows[i].no_color), rows[i].colors);
    close(p.slave);
    close(p.master);
    CHECK(!gy_tty_is(p.slave));
    CHECK_EQ(gy_tty_colors(p.slave, "xterm", "truecolor", NULL), 0);
}
