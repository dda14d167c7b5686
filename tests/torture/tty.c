/* SPDX-License-Identifier: ISC */
/* What is tortured with terminals: raw mode, a key through a stream, and a change of size. */
#include <signal.h>

#include "pty.h"
#include "torture.h"

typedef struct seat {
    torture t;
    pty p;
    gy_tty tty;
    gy_stream stream;
    bool have, sized, keyed, open;
    char room[8];
} seat;

static void seat_key(gy_stream *s, int err, gy_buf got) {
    seat *e = s->user;
    (void)got;
    if (!torture_try(&e->t, err)) return;
    e->keyed = true;
    e->t.done = e->sized;
}

static void seat_size(gy_tty *tty, int err, gy_tty_size size) {
    seat *e = tty->user;
    (void)size;
    if (!torture_try(&e->t, err)) return;
    e->sized = true;
    e->t.done = e->keyed;
}

static void seat_closed(gy_stream *s) { ((seat *)s->user)->open = false; }

static void seat_begin(torture *t) {
    seat *e = (seat *)t;
    e->tty.user = e->stream.user = e;
    e->have = pty_open(&e->p);
    if (!torture_try(t, e->have ? 0 : -1)) return;
    if (!torture_try(t, gy_tty_open(t->loop, &e->tty, e->p.slave))) return;
    if (!torture_try(t, gy_tty_set_mode(&e->tty, GY_TTY_RAW))) return;
    if (!torture_try(t, gy_tty_on_resize(&e->tty, seat_size))) return;
    int fd = dup(e->p.slave), err = gy_stream_open(t->loop, &e->stream, fd);
    e->open = err == 0;
    if (err) close(fd);
    if (!torture_try(t, err)) return;
    if (!torture_try(t, gy_stream_read(&e->stream, GY_BUF(e->room), seat_key))) return;
    if (write(e->p.master, "\003", 1) != 1 || pty_resize(&e->p, 90, 20)) torture_try(t, -1);
    raise(SIGWINCH);
}

static void seat_end(torture *t) {
    seat *e = (seat *)t;
    gy_tty_close(&e->tty);
    gy_stream_close(&e->stream, seat_closed);
    if (!e->have) return;
    close(e->p.slave);
    close(e->p.master);
}

static bool seat_ended(torture *t) { return !((const seat *)t)->open; }

TEST_BACKENDS(torture, terminals) {
    pty p;
    if (!pty_open(&p)) SKIP("no pseudo terminals");
    close(p.slave);
    close(p.master);
    torture_run(backend,
                &(torture_scenario){.size = sizeof(seat), .begin = seat_begin, .end = seat_end, .ended = seat_ended});
}
