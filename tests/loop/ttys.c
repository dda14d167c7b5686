/* SPDX-License-Identifier: ISC */
/* Terminals in a loop: keys through a stream in each mode, modes put back, and the change of size. */
#include <signal.h>

#include "pty.h"
#include "streams.h"

typedef struct desk {
    kit k;
    pty p;
    gy_tty tty;
    gy_stream stream;
    char room[64], got[64];
    int reads, closed, resized, err;
    gy_tty_size size;
} desk;

static bool desk_open(desk *d, const char *backend) {
    *d = (desk){.reads = 0};
    kit_open(&d->k, backend);
    if (pty_open(&d->p)) {
        CHECK_EQ(gy_tty_open(d->k.loop, &d->tty, d->p.slave), 0);
        return true;
    }
    kit_close(&d->k);
    return false;
}

static void desk_close(desk *d) {
    CHECK_EQ(gy_tty_close(&d->tty), 0);
    CHECK(!gy_tty_is_open(&d->tty));
    close(d->p.slave);
    close(d->p.master);
    kit_close(&d->k);
}

static void desk_read(gy_stream *s, int err, gy_buf got) {
    desk *d = GY_OF(s, desk, stream);
    CHECK_EQ(err, 0);
    CHECK(got.len < sizeof d->got);
    memcpy(d->got, got.base, got.len);
    d->got[got.len] = 0;
    d->reads++;
}

static void desk_closed(gy_stream *s) { GY_OF(s, desk, stream)->closed++; }

/* What the program reads when these keys are pressed. */
static const char *desk_type(desk *d, const char *keys) {
    int before = d->reads;
    CHECK_EQ(gy_stream_read(&d->stream, GY_BUF(d->room), desk_read), 0);
    CHECK_EQ(write(d->p.master, keys, strlen(keys)), (ssize_t)strlen(keys));
    kit_until(&d->k, &d->reads, before + 1);
    return d->got;
}

TEST_BACKENDS(ttys, keys_come_as_the_mode_says) {
    desk d;
    if (!desk_open(&d, backend)) SKIP("no pseudo terminals");
    CHECK_EQ(gy_stream_open(d.k.loop, &d.stream, dup(d.p.slave)), 0);
    CHECK_STR(desk_type(&d, "a\003b\r"), "b\n"); /* ^C drops the line, return ends it */
    CHECK_EQ(gy_tty_set_mode(&d.tty, GY_TTY_RAW), 0);
    CHECK_STR(desk_type(&d, "\003"), "\003");
    CHECK_STR(desk_type(&d, "\r"), "\r");
    CHECK_EQ(gy_tty_set_mode(&d.tty, GY_TTY_CBREAK), 0);
    CHECK_STR(desk_type(&d, "q"), "q");
    CHECK_STR(desk_type(&d, "\r"), "\n");
    CHECK_EQ(d.tty.mode, GY_TTY_CBREAK);
    CHECK_EQ(gy_tty_set_mode(&d.tty, GY_TTY_NORMAL), 0);
    CHECK(pty_normal(&d.p));
    gy_stream_close(&d.stream, desk_closed);
    kit_until(&d.k, &d.closed, 1);
    desk_close(&d);
}

TEST_BACKENDS(ttys, modes_are_put_back_by_close_and_by_reset) {
    desk d;
    if (!desk_open(&d, backend)) SKIP("no pseudo terminals");
    CHECK_EQ(gy_tty_set_mode(&d.tty, GY_TTY_RAW), 0);
    CHECK(!pty_normal(&d.p));
    gy_tty_reset(&d.tty);
    CHECK(pty_normal(&d.p));
    CHECK_EQ(gy_tty_set_mode(&d.tty, d.tty.mode), 0);
    CHECK(!pty_normal(&d.p));
    CHECK_EQ(gy_tty_close(&d.tty), 0);
    CHECK(pty_normal(&d.p));
    CHECK_EQ(gy_tty_open(d.k.loop, &d.tty, d.p.slave), 0);
    struct termios modes;
    CHECK_EQ(tcgetattr(d.p.slave, &modes), 0);
    modes.c_lflag &= ~(tcflag_t)ECHO;
    CHECK_EQ(tcsetattr(d.p.slave, TCSANOW, &modes), 0);
    gy_tty_reset(&d.tty);
    CHECK_EQ(gy_tty_close(&d.tty), 0);
    CHECK(!pty_normal(&d.p)); /* it had changed nothing, and undoes nothing */
    desk_close(&d);
}

static void desk_resized(gy_tty *tty, int err, gy_tty_size size) {
    desk *d = GY_OF(tty, desk, tty);
    d->resized++;
    d->err = err;
    d->size = size;
}

TEST_BACKENDS(ttys, only_another_size_is_told) {
    desk d;
    if (!desk_open(&d, backend)) SKIP("no pseudo terminals");
    gy_tty_size size;
    CHECK_EQ(pty_resize(&d.p, 80, 24), 0);
    CHECK_EQ(gy_tty_on_resize(&d.tty, desk_resized), 0);
    CHECK(!gy_loop_alive(d.k.loop));
    CHECK_EQ(kill(getpid(), SIGWINCH), 0);
    kit_turns(&d.k, 4);
    CHECK_EQ(d.resized, 0);
    CHECK_EQ(pty_resize(&d.p, 100, 30), 0);
    CHECK_EQ(gy_tty_size_get(&d.tty, &size), 0);
    CHECK_EQ(size.cols, 100);
    CHECK_EQ(kill(getpid(), SIGWINCH), 0);
    CHECK_EQ(d.resized, 0); /* not in the handler */
    kit_turns(&d.k, 4);
    CHECK_EQ(d.resized, 1);
    CHECK_EQ(d.err, 0);
    CHECK_EQ(d.size.cols, 100);
    CHECK_EQ(d.size.rows, 30);
    CHECK_EQ(gy_tty_on_resize(&d.tty, NULL), 0);
    CHECK_EQ(pty_resize(&d.p, 101, 30), 0);
    CHECK_EQ(kill(getpid(), SIGWINCH), 0);
    kit_turns(&d.k, 4);
    CHECK_EQ(d.resized, 1);
    desk_close(&d);
}

TEST_BACKENDS(ttys, bad_input_is_answered) {
    desk d;
    gy_tty other = {0};
    gy_tty_size size;
    int ends[2];
    if (!desk_open(&d, backend)) SKIP("no pseudo terminals");
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(gy_tty_open(d.k.loop, &other, ends[0]), -ENOTTY);
    CHECK_EQ(gy_tty_open(d.k.loop, &other, -1), -EBADF);
    CHECK(!gy_tty_is_open(&other));
    CHECK_EQ(gy_tty_set_mode(&other, GY_TTY_RAW), GY_ECLOSED);
    CHECK_EQ(gy_tty_size_get(&other, &size), GY_ECLOSED);
    CHECK_EQ(gy_tty_on_resize(&other, desk_resized), GY_ECLOSED);
    CHECK_EQ(gy_tty_close(&other), 0);
    gy_tty_reset(&other);
    CHECK_EQ(gy_tty_open(d.k.loop, &d.tty, d.p.slave), -EALREADY);
    CHECK_EQ(gy_tty_set_mode(&d.tty, (gy_tty_mode)17), -EINVAL);
    CHECK_EQ(gy_tty_set_mode(&d.tty, (gy_tty_mode)-1), -EINVAL);
    CHECK(pty_normal(&d.p));
    close(ends[0]);
    close(ends[1]);
    desk_close(&d);
}
