/* SPDX-License-Identifier: ISC */
/* How the work of a stream ends before its time: by closing, by cancelling, by a time limit. Each pending operation is
 * told exactly once, from the loop, and what was not meant goes on. */
#include "streams.h"

/* ---- closing ----------------------------------------------------------------------------------------------------- */

typedef struct dying {
    gy_stream s;
    gy_write w[3];
    kit_note *note;
    char buf[16];
} dying;

static void dying_closed(gy_stream *s) {
    dying *d = GY_OF(s, dying, s);
    kit_note_close(s);
    free(d); /* the memory is ours in here */
}

/* Each pending operation is told exactly once, then the stream; and neither happens inside gy_stream_close(). */
TEST_BACKENDS(streams, close_cancels_what_is_pending_and_comes_last) {
    kit k;
    kit_note note = {0};
    kit_open(&k, backend);
    dying *d = calloc(1, sizeof *d);
    char *big = calloc(1, 4 << 20);
    CHECK(d && big);
    d->s.user = &note;
    int peer = kit_half(&k, &d->s);
    CHECK_EQ(gy_stream_read(&d->s, GY_BUF(d->buf), kit_note_read), 0);
    for (int i = 0; i < 3; i++) {
        d->w[i].user = &note;
        CHECK_EQ(gy_stream_write(&d->s, &d->w[i], (gy_buf){big, 4 << 20}, kit_note_write), 0);
    }
    kit_turns(&k, 3);
    CHECK_STR(note.order, "");
    gy_stream_close(&d->s, dying_closed);
    gy_stream_close(&d->s, NULL); /* ignored, as is its function */
    CHECK_STR(note.order, "");
    CHECK(!gy_stream_is_open(&d->s));
    CHECK_EQ(gy_stream_fd(&d->s), -1);
    CHECK_EQ(gy_loop_free(k.loop), -EBUSY);
    kit_run(&k);
    CHECK_EQ(note.reads, 1);
    CHECK_EQ(note.writes, 3);
    CHECK_EQ(note.closes, 1);
    CHECK_EQ(strlen(note.order), 5);
    CHECK(note.order[4] == 'x');
    close(peer);
    free(big);
    kit_close(&k);
}

static void reopen_closed(gy_stream *s) {
    kit_note *note = s->user;
    kit_note_close(s);
    if (note->closes < 3) {
        int fd = dup(note->connects);
        CHECK(fd >= 0);
        CHECK_EQ(gy_stream_open(s->loop, s, fd), 0);
        gy_stream_close(s, reopen_closed);
    }
}

TEST_BACKENDS(streams, a_stream_can_be_opened_again_in_its_close_callback) {
    kit k;
    kit_note note = {0};
    gy_stream s = {.user = &note};
    kit_open(&k, backend);
    note.connects = kit_half(&k, &s); /* what the callback duplicates */
    gy_stream_close(&s, reopen_closed);
    kit_run(&k);
    CHECK_EQ(note.closes, 3);
    close(note.connects);
    kit_close(&k);
}

static void cancelled_read(gy_stream *s, int err, gy_buf got) {
    kit_note_read(s, err, got);
    gy_stream_close(s, kit_note_close);
}

static void cancelled_write(gy_write *w, int err) {
    kit_note_write(w, err);
    gy_stream_close(w->stream, kit_note_close);
}

/* Closing inside a callback, with everything else that was pending at the time. */
TEST_BACKENDS(streams, close_inside_a_read_and_inside_a_write) {
    for (int how = 0; how < 2; how++) {
        kit k;
        char buf[16], big[] = "four score and seven";
        kit_note note = {0};
        gy_stream s = {.user = &note};
        gy_write w[3] = {{.user = &note}, {.user = &note}, {.user = &note}};
        kit_open(&k, backend);
        int peer = kit_half(&k, &s);
        CHECK_EQ(write(peer, "x", 1), 1);
        CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), how ? kit_note_read : cancelled_read), 0);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(gy_stream_write(&s, &w[i], GY_BUF(big), how ? cancelled_write : kit_note_write), 0);
        kit_run(&k);
        CHECK_EQ(note.reads, 1);
        CHECK_EQ(note.writes, 3);
        CHECK_EQ(note.closes, 1);
        CHECK(note.order[4] == 'x');
        close(peer);
        kit_close(&k);
    }
}

/* ---- cancelling and time limits ---------------------------------------------------------------------------------- */

TEST_BACKENDS(streams, a_cancelled_read_reports_and_loses_no_data) {
    kit k;
    char buf[16];
    kit_note note = {0};
    gy_stream s = {.user = &note};
    kit_open(&k, backend);
    int peer = kit_half(&k, &s);
    gy_stream_cancel(&s, GY_STREAM_READ | GY_STREAM_WRITE, -ETIMEDOUT); /* nothing is pending: no effect */
    kit_turns(&k, 1);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    CHECK_EQ(write(peer, "abc", 3), 3);
    gy_stream_cancel(&s, GY_STREAM_READ, -ETIMEDOUT);
    gy_stream_cancel(&s, GY_STREAM_READ, -EIO); /* too late */
    CHECK_EQ(note.reads, 0);
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(note.err, -ETIMEDOUT);
    CHECK_EQ(note.got, 0);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    kit_until(&k, &note.reads, 2);
    CHECK_EQ(note.got, 3);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    close(peer);
    kit_close(&k);
}

typedef struct rescue {
    gy_io io;
    gy_stream *s;
    int fd, called;
} rescue;

static void rescue_ready(gy_io *io, int err, unsigned events) {
    (void)events;
    rescue *r = GY_OF(io, rescue, io);
    CHECK_EQ(err, 0);
    r->called = 1;
    gy_io_stop(io);
    gy_stream_cancel(r->s, GY_STREAM_READ, -ETIMEDOUT);
}

/* The event that says "writable" has been collected but not run when the read is cancelled: it comes no second time. */
TEST_BACKENDS(streams, cancelling_a_read_does_not_lose_the_room_for_writes) {
    kit k;
    char buf[16];
    kit_note note = {0};
    gy_stream s = {.user = &note};
    gy_write w = {.user = &note};
    int ends[2];
    char *big = calloc(1, 4 << 20);
    kit_open(&k, backend);
    CHECK(big && pipe(ends) == 0);
    rescue r = {.s = &s, .fd = ends[0]};
    CHECK_EQ(gy_io_start(k.loop, &r.io, ends[0], GY_READABLE, rescue_ready), 0);
    kit_turns(&k, 1); /* so that it is told first also where the order is that of registration */
    int peer = kit_half(&k, &s);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    CHECK_EQ(gy_stream_write(&s, &w, (gy_buf){big, 4 << 20}, kit_note_write), 0);
    kit_turns(&k, 3);
    CHECK_EQ(note.writes, 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK(kit_drain(peer) > 0);
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(note.err, -ETIMEDOUT);
    CHECK_EQ(r.called, 1);
    for (int i = 0; i < 1000 && !note.writes; i++) {
        kit_turns(&k, 1);
        kit_drain(peer);
    }
    CHECK_EQ(note.writes, 1);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    close(peer);
    close(ends[0]);
    close(ends[1]);
    free(big);
    kit_close(&k);
}

/* What a read or its cancelling has put on the queue stays there when a write then has to wait for room. */
TEST_BACKENDS(streams, a_queued_read_survives_a_change_of_interest) {
    for (int how = 0; how < 3; how++) {
        kit k;
        char buf[4];
        kit_note note = {0};
        gy_stream s = {.user = &note};
        gy_write w = {.user = &note};
        char *big = calloc(1, 4 << 20);
        kit_open(&k, backend);
        CHECK(big != NULL);
        int peer = kit_half(&k, &s);
        CHECK_EQ(write(peer, "abcdefgh", 8), 8);
        CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
        if (how < 2) {
            kit_until(&k, &note.reads, 1); /* a full buffer: there is more */
            CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
        }
        if (how) gy_stream_cancel(&s, GY_STREAM_READ, -ETIMEDOUT);
        CHECK_EQ(gy_stream_write(&s, &w, (gy_buf){big, 4 << 20}, kit_note_write), 0);
        int before = how < 2 ? 1 : 0;
        kit_turns(&k, 4);
        CHECK_EQ(note.reads, before + 1);
        CHECK_EQ(note.err, how ? -ETIMEDOUT : 0);
        gy_stream_close(&s, NULL);
        kit_run(&k);
        close(peer);
        free(big);
        kit_close(&k);
    }
}

TEST_BACKENDS(streams, time_limits_for_reads_and_writes) {
    kit k;
    char buf[16];
    kit_note note = {0};
    gy_stream s = {.user = &note}, never = {0};
    gy_write w[2] = {{.user = &note}, {.user = &note}};
    gy_timeout slow = {0}, stuck = {0}, unused = {0};
    char *big = calloc(1, 4 << 20);
    kit_open(&k, backend);
    CHECK(big != NULL);
    gy_timeout_start(&unused, &never, GY_STREAM_READ, 1); /* of a stream that was never open */
    CHECK(!gy_timer_active(&unused.timer));
    int peer = kit_half(&k, &s);
    gy_ns begin = gy_loop_update_now(k.loop);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    gy_timeout_start(&slow, &s, GY_STREAM_READ, GY_MS(20));
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(note.err, -ETIMEDOUT);
    CHECK(gy_loop_now(k.loop) - begin >= GY_MS(20));
    CHECK(gy_stream_is_open(&s));
    for (int i = 0; i < 2; i++) CHECK_EQ(gy_stream_write(&s, &w[i], (gy_buf){big, 4 << 20}, kit_note_write), 0);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    gy_timeout_start(&stuck, &s, GY_STREAM_WRITE, GY_MS(5));
    kit_until(&k, &note.writes, 2);
    CHECK_EQ(note.err, -ETIMEDOUT);
    CHECK_EQ(note.reads, 1); /* the read was not meant */
    CHECK_EQ(gy_stream_queued(&s), 0);
    gy_timeout_start(&slow, &s, GY_STREAM_READ, GY_MS(1));
    gy_timeout_stop(&slow);
    CHECK(!gy_timer_active(&slow.timer));
    CHECK_EQ(write(peer, "x", 1), 1);
    kit_until(&k, &note.reads, 2);
    CHECK_EQ(note.err, 0);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    close(peer);
    free(big);
    kit_close(&k);
}
