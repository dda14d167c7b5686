/* SPDX-License-Identifier: ISC */
/* Writing to streams: order, gathering, the limit, errors that stay, and a peer that has stopped reading. */
#include "streams.h"

#include <netinet/tcp.h>

enum { BIG = 4 << 20 };

static char *write_big(void) {
    char *big = malloc(BIG);
    CHECK(big != NULL);
    kit_fill(big, 0, BIG);
    return big;
}

/* Reads from a plain descriptor what there is, and checks that it goes on where the last piece has ended. */
static void write_check(int fd, size_t *at) {
    static char piece[65536];
    for (ssize_t n; (n = read(fd, piece, sizeof piece)) > 0; *at += (size_t)n)
        CHECK(kit_matches(piece, *at, (size_t)n));
}

/* ---- order and gathering ----------------------------------------------------------------------------------------- */

/* Megabytes in pieces of every size, through buffers that take a little at a time. */
TEST_BACKENDS(streams_write, partial_writes_keep_the_order) {
    enum { WRITES = 60, BUFS = 7 };
    static gy_buf bufs[WRITES][BUFS];
    static gy_write w[WRITES];
    kit k;
    kit_note note = {0};
    gy_stream s = {.user = &note};
    size_t total = 0, seen = 0;
    char *big = write_big();
    kit_open(&k, backend);
    int peer = kit_half(&k, &s);
    CHECK_EQ(gy_stream_set(&s, GY_SEND_BUFFER, 8192), 0);
    for (unsigned i = 0; i < WRITES; i++) {
        unsigned count = i % 3 ? BUFS : 1;
        for (unsigned j = 0; j < count; j++) {
            size_t len = j == i % BUFS ? 0 : (i * 977 + j * 3571) % 17000;
            bufs[i][j] = (gy_buf){len ? big + total : NULL, len};
            total += len;
        }
        CHECK(total < BIG);
        w[i] = (gy_write){.user = &note};
        CHECK_EQ(gy_stream_writev(&s, &w[i], bufs[i], count, kit_note_write), 0);
    }
    CHECK(total > 2000000);
    CHECK_EQ(note.writes, 0); /* never inside the call */
    for (int i = 0; i < 20000 && note.writes < WRITES; i++) {
        kit_turns(&k, 1);
        write_check(peer, &seen);
    }
    CHECK_EQ(note.writes, WRITES);
    CHECK_EQ(note.err, 0);
    CHECK_EQ(gy_stream_queued(&s), 0);
    write_check(peer, &seen);
    CHECK_EQ(seen, total);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    close(peer);
    free(big);
    kit_close(&k);
}

typedef struct numbered {
    gy_write w;
    int number;
    int *next;
} numbered;

static void numbered_done(gy_write *w, int err) {
    numbered *n = GY_OF(w, numbered, w);
    CHECK_EQ(err, 0);
    CHECK_EQ(n->number, *n->next);
    ++*n->next;
}

enum { SMALL = 1000 };

typedef struct burst {
    gy_timer timer;
    gy_stream *s;
    numbered w[SMALL];
    int next;
    char bytes[SMALL * 4];
} burst;

static void burst_fire(gy_timer *timer) {
    burst *b = GY_OF(timer, burst, timer);
    for (int i = 0; i < SMALL; i++) {
        b->w[i] = (numbered){.number = i, .next = &b->next};
        CHECK_EQ(gy_stream_write(b->s, &b->w[i].w, (gy_buf){b->bytes + i * 4, 4}, numbered_done), 0);
    }
    CHECK_EQ(b->next, 0);
}

TEST_BACKENDS(streams_write, a_thousand_small_writes_leave_together) {
    static burst b;
    kit k;
    size_t seen = 0;
    gy_stream s = {0};
    kit_open(&k, backend);
    memset(&b, 0, sizeof b);
    b.s = &s;
    kit_fill(b.bytes, 0, sizeof b.bytes);
    int peer = kit_half(&k, &s);
    kit_turns(&k, 2);
    uint64_t before = kit_syscalls(&k);
    gy_timer_start(k.loop, &b.timer, (gy_timer_opts){.fn = burst_fire, .after = 1});
    kit_until(&k, &b.next, SMALL);
    uint64_t calls = kit_syscalls(&k) - before;
    if (calls > 20) CHECK_FAIL("%u system calls for %d writes", (unsigned)calls, SMALL);
    write_check(peer, &seen);
    CHECK_EQ(seen, sizeof b.bytes);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    close(peer);
    kit_close(&k);
}

TEST_BACKENDS(streams_write, writes_report_in_order_also_empty_ones_and_shutdown) {
    enum { COUNT = 9 };
    kit k;
    int next = 0;
    gy_stream s = {0};
    numbered w[COUNT];
    gy_buf empty[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    char *big = write_big();
    kit_open(&k, backend);
    int peer = kit_half(&k, &s);
    for (int i = 0; i < COUNT; i++) w[i] = (numbered){.number = i, .next = &next};
    CHECK_EQ(gy_stream_write(&s, &w[0].w, (gy_buf){NULL, 0}, numbered_done), 0);
    CHECK_EQ(gy_stream_write(&s, &w[1].w, (gy_buf){big, 10}, numbered_done), 0);
    CHECK_EQ(gy_stream_writev(&s, &w[2].w, empty, 3, numbered_done), 0);
    CHECK_EQ(gy_stream_write(&s, &w[3].w, (gy_buf){big + 10, BIG - 20}, numbered_done), 0);
    CHECK_EQ(gy_stream_write(&s, &w[4].w, (gy_buf){NULL, 0}, numbered_done), 0);
    CHECK_EQ(gy_stream_write(&s, &w[5].w, (gy_buf){big + BIG - 10, 10}, numbered_done), 0);
    CHECK_EQ(gy_stream_writev(&s, &w[6].w, empty, 1, numbered_done), 0);
    CHECK_EQ(gy_stream_write(&s, &w[7].w, (gy_buf){NULL, 0}, numbered_done), 0);
    CHECK_EQ(gy_stream_shutdown(&s, &w[8].w, numbered_done), 0);
    CHECK_EQ(next, 0);
    size_t seen = 0;
    for (int i = 0; i < 20000 && next < COUNT; i++) {
        kit_turns(&k, 1);
        write_check(peer, &seen);
    }
    CHECK_EQ(next, COUNT);
    write_check(peer, &seen);
    CHECK_EQ(seen, BIG);
    char byte;
    CHECK_EQ(read(peer, &byte, 1), 0); /* the shutdown came through, behind all data */
    gy_stream_close(&s, NULL);
    kit_run(&k);
    close(peer);
    free(big);
    kit_close(&k);
}

/* More buffers than one call takes, in a single write. */
TEST_BACKENDS(streams_write, a_write_of_very_many_buffers) {
    enum { COUNT = 3000 };
    static gy_buf bufs[COUNT];
    static char bytes[COUNT * 3];
    kit k;
    kit_note note = {0};
    size_t seen = 0;
    gy_stream s = {.user = &note};
    gy_write w = {.user = &note};
    kit_open(&k, backend);
    kit_fill(bytes, 0, sizeof bytes);
    for (int i = 0; i < COUNT; i++) bufs[i] = (gy_buf){bytes + i * 3, 3};
    int peer = kit_half(&k, &s);
    CHECK_EQ(gy_stream_writev(&s, &w, bufs, COUNT, kit_note_write), 0);
    CHECK_EQ(note.writes, 0);
    kit_until(&k, &note.writes, 1);
    CHECK_EQ(note.err, 0);
    write_check(peer, &seen);
    CHECK_EQ(seen, sizeof bytes);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    close(peer);
    kit_close(&k);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

TEST_BACKENDS(streams_write, writes_are_refused_when_they_cannot_be) {
    kit k;
    char bytes[4] = "abc";
    gy_buf broken[2] = {{bytes, 4}, {NULL, 1}}, vast[2] = {{bytes, SIZE_MAX / 2}, {bytes, SIZE_MAX / 2}};
    kit_note note = {0};
    gy_stream s = {.user = &note}, never = {0};
    gy_write w = {.user = &note};
    kit_open(&k, backend);
    int peer = kit_half(&k, &s);
    CHECK_EQ(gy_stream_write(&never, &w, GY_BUF(bytes), kit_note_write), GY_ECLOSED);
    CHECK_EQ(gy_stream_shutdown(&never, &w, kit_note_write), GY_ECLOSED);
    CHECK_EQ(gy_stream_try_write(&never, GY_BUF(bytes)), GY_ECLOSED);
    CHECK_EQ(gy_stream_write(&s, &w, GY_BUF(bytes), NULL), -EINVAL);
    CHECK_EQ(gy_stream_write(&s, &w, (gy_buf){NULL, 1}, kit_note_write), -EINVAL);
    CHECK_EQ(gy_stream_writev(&s, &w, NULL, 1, kit_note_write), -EINVAL);
    CHECK_EQ(gy_stream_writev(&s, &w, broken, 0, kit_note_write), -EINVAL);
    CHECK_EQ(gy_stream_writev(&s, &w, broken, 2, kit_note_write), -EINVAL);
    CHECK_EQ(gy_stream_writev(&s, &w, vast, 2, kit_note_write), -EINVAL);
    CHECK_EQ(gy_stream_shutdown(&s, &w, NULL), -EINVAL);
    CHECK_EQ(gy_stream_try_write(&s, (gy_buf){NULL, 1}), -EINVAL);
    CHECK_EQ(gy_stream_write(&s, &w, GY_BUF(bytes), kit_note_write), 0);
    CHECK_EQ(gy_stream_write(&s, &w, GY_BUF(bytes), kit_note_write), -EALREADY);
    CHECK_EQ(gy_stream_shutdown(&s, &w, kit_note_write), -EALREADY);
    gy_stream_close(&s, kit_note_close);
    gy_write late = {.user = &note};
    CHECK_EQ(gy_stream_write(&s, &late, GY_BUF(bytes), kit_note_write), GY_ECLOSED);
    CHECK_EQ(gy_stream_try_write(&s, GY_BUF(bytes)), GY_ECLOSED);
    kit_run(&k);
    CHECK_STR(note.order, "wx");
    CHECK_EQ(kit_drain(peer), 4);
    close(peer);
    kit_close(&k);
}

TEST_BACKENDS(streams_write, try_write_sends_what_goes_and_never_overtakes) {
    kit k;
    kit_note note = {0};
    gy_stream s = {.user = &note};
    gy_write w = {.user = &note};
    size_t sent = 0, seen = 0;
    char *big = write_big();
    kit_open(&k, backend);
    int peer = kit_half(&k, &s);
    CHECK_EQ(gy_stream_try_write(&s, (gy_buf){NULL, 0}), 0);
    int64_t n;
    while ((n = gy_stream_try_write(&s, (gy_buf){big + sent, BIG - sent})) > 0) sent += (size_t)n;
    CHECK_EQ(n, -EAGAIN);
    CHECK(sent > 0 && sent < BIG);
    CHECK_EQ(gy_stream_write(&s, &w, (gy_buf){big + sent, 1000}, kit_note_write), 0);
    CHECK_EQ(gy_stream_queued(&s), 1000);
    write_check(peer, &seen);
    CHECK_EQ(gy_stream_try_write(&s, (gy_buf){big + sent + 1000, 10}), -EAGAIN);
    kit_until(&k, &note.writes, 1);
    CHECK_EQ(gy_stream_try_write(&s, (gy_buf){big + sent + 1000, 10}), 10);
    write_check(peer, &seen);
    CHECK_EQ(seen, sent + 1010);
    close(peer);
    CHECK_EQ(gy_stream_try_write(&s, (gy_buf){big, 10}), -EPIPE);
    CHECK_EQ(gy_stream_try_write(&s, (gy_buf){big, 10}), -EPIPE);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    free(big);
    kit_close(&k);
}

TEST_BACKENDS(streams_write, the_limit_refuses_and_keeps_what_was_taken) {
    kit k;
    kit_note note = {0};
    gy_stream s = {.user = &note};
    gy_write w[4] = {{.user = &note}, {.user = &note}, {.user = &note}, {.user = &note}};
    char *big = write_big();
    size_t seen = 0;
    kit_open(&k, backend);
    int peer = kit_half(&k, &s);
    gy_stream_set_limit(&s, 1000);
    CHECK_EQ(gy_stream_write(&s, &w[0], (gy_buf){big, BIG - 600}, kit_note_write), 0); /* nothing is queued: taken */
    size_t queued = gy_stream_queued(&s);
    CHECK(queued > 1000 && queued < BIG);
    CHECK_EQ(gy_stream_write(&s, &w[1], (gy_buf){big, 1}, kit_note_write), GY_EBACKLOG);
    CHECK_EQ(gy_stream_writev(&s, &w[1], &(gy_buf){big, 500}, 1, kit_note_write), GY_EBACKLOG);
    CHECK_EQ(gy_stream_queued(&s), queued);
    gy_stream_set_limit(&s, queued + 500);
    CHECK_EQ(gy_stream_write(&s, &w[1], (gy_buf){big + BIG - 600, 500}, kit_note_write), 0);
    CHECK_EQ(gy_stream_write(&s, &w[2], (gy_buf){big, 1}, kit_note_write), GY_EBACKLOG);
    gy_stream_set_limit(&s, 0);
    CHECK_EQ(gy_stream_write(&s, &w[2], (gy_buf){big + BIG - 100, 100}, kit_note_write), 0);
    for (int i = 0; i < 20000 && note.writes < 3; i++) {
        kit_turns(&k, 1);
        write_check(peer, &seen);
    }
    write_check(peer, &seen);
    CHECK_EQ(seen, BIG);
    CHECK_EQ(note.writes, 3);
    CHECK_EQ(note.err, 0);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    close(peer);
    free(big);
    kit_close(&k);
}

/* ---- trouble ----------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(streams_write, an_error_stays_and_is_told_to_all) {
    kit k;
    char bytes[10] = "0123456789", more[8];
    kit_note note = {0};
    gy_stream s = {.user = &note};
    gy_write w[5];
    kit_open(&k, backend);
    for (int i = 0; i < 5; i++) w[i] = (gy_write){.user = &note};
    int peer = kit_half(&k, &s);
    kit_turns(&k, 2);
    close(peer);
    CHECK_EQ(gy_stream_write(&s, &w[0], GY_BUF(bytes), kit_note_write), 0);
    CHECK_EQ(gy_stream_write(&s, &w[1], GY_BUF(bytes), kit_note_write), 0);
    CHECK_EQ(note.writes, 0);
    for (int i = 1; i <= 2; i++) {
        kit_until(&k, &note.writes, i);
        CHECK_EQ(note.err, -EPIPE);
    }
    CHECK_EQ(gy_stream_write(&s, &w[2], GY_BUF(bytes), kit_note_write), 0);
    CHECK_EQ(gy_stream_writev(&s, &w[3], &(gy_buf){bytes, 3}, 1, kit_note_write), 0);
    CHECK_EQ(gy_stream_shutdown(&s, &w[4], kit_note_write), 0);
    kit_until(&k, &note.writes, 5);
    CHECK_EQ(note.err, -EPIPE);
    CHECK_EQ(gy_stream_queued(&s), 0);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(more), kit_note_read), 0); /* reading is another matter */
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(note.err, GY_EOF);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    kit_close(&k);
}

static void queued_accept(gy_stream *server, int err) {
    gy_stream *s = server->user;
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_stream_accept(server, s), 0);
    ((kit_note *)s->user)->connects++;
}

/* Writes that wait for room hear of a peer that resets the connection. */
TEST_BACKENDS(streams_write, a_reset_is_reported_to_queued_writes) {
    kit k;
    kit_note note = {0};
    gy_stream s = {.user = &note}, server = {.user = &s};
    gy_write w[3] = {{.user = &note}, {.user = &note}, {.user = &note}};
    char *big = write_big();
    kit_open(&k, backend);
    kit_listen(&k, &server, KIT_TCP4, queued_accept);
    int peer = kit_raw_connect(&k, false);
    kit_until(&k, &note.connects, 1);
    for (int i = 0; i < 3; i++) CHECK_EQ(gy_stream_write(&s, &w[i], (gy_buf){big, BIG}, kit_note_write), 0);
    kit_turns(&k, 3);
    struct linger linger = {.l_onoff = 1};
    CHECK_EQ(setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    close(peer);
    kit_until(&k, &note.writes, 3);
    CHECK(note.err == -ECONNRESET || note.err == -EPIPE);
    CHECK_EQ(gy_stream_queued(&s), 0);
    int first = note.err;
    gy_write late = {.user = &note};
    CHECK_EQ(gy_stream_write(&s, &late, (gy_buf){big, 1}, kit_note_write), 0);
    kit_until(&k, &note.writes, 4);
    CHECK_EQ(note.err, first);
    gy_stream_close(&s, NULL);
    gy_stream_close(&server, NULL);
    kit_run(&k);
    free(big);
    kit_close(&k);
}

/* The library keeps nothing for a peer that has stopped reading: no memory but the caller's, and no completion. */
TEST_BACKENDS(streams_write, a_peer_that_stops_reading_is_noticed) {
    enum { COUNT = 200, EACH = 65536 };
    static gy_write w[COUNT];
    kit k;
    kit_note note = {0};
    gy_stream s = {.user = &note};
    char *big = write_big();
    size_t given = 0, seen = 0;
    kit_open(&k, backend);
    int peer = kit_half(&k, &s);
    kit_turns(&k, 2);
    unsigned made = k.made;
    int stuck = 0, done = 0;
    for (int i = 0; i < COUNT; i++) {
        w[i] = (gy_write){.user = &note};
        size_t before = gy_stream_queued(&s);
        CHECK_EQ(gy_stream_write(&s, &w[i], (gy_buf){big, EACH}, kit_note_write), 0);
        CHECK(gy_stream_queued(&s) <= before + EACH);
        given += EACH;
        kit_turns(&k, 2);
        stuck = note.writes == done ? stuck + 1 : 0;
        done = note.writes;
    }
    CHECK_EQ(k.made, made);
    CHECK(stuck > COUNT / 2); /* no completion any more: that is how the writer learns of it */
    size_t queued = gy_stream_queued(&s);
    seen = kit_drain(peer);
    CHECK_EQ(seen + queued, given);
    for (int i = 0; i < 20000 && note.writes < COUNT; i++) {
        kit_turns(&k, 1);
        seen += kit_drain(peer);
    }
    CHECK_EQ(note.writes, COUNT);
    CHECK_EQ(seen + kit_drain(peer), given);
    CHECK_EQ(k.made, made);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    close(peer);
    free(big);
    kit_close(&k);
}

TEST_BACKENDS(streams_write, cancelled_writes_report_and_the_stream_stays_readable) {
    kit k;
    char buf[8];
    kit_note note = {0};
    gy_stream s = {.user = &note};
    gy_write w[3] = {{.user = &note}, {.user = &note}, {.user = &note}};
    char *big = write_big();
    kit_open(&k, backend);
    int peer = kit_half(&k, &s);
    for (int i = 0; i < 2; i++) CHECK_EQ(gy_stream_write(&s, &w[i], (gy_buf){big, BIG}, kit_note_write), 0);
    gy_stream_cancel(&s, GY_STREAM_WRITE, GY_ECANCELED);
    CHECK_EQ(note.writes, 0);
    CHECK_EQ(gy_stream_queued(&s), 0);
    kit_until(&k, &note.writes, 2);
    CHECK_EQ(note.err, GY_ECANCELED);
    /* A part of the first one has been sent: nothing that made sense could follow. */
    CHECK_EQ(gy_stream_write(&s, &w[2], (gy_buf){big, 1}, kit_note_write), 0);
    kit_until(&k, &note.writes, 3);
    CHECK_EQ(note.err, GY_ECANCELED);
    CHECK_EQ(write(peer, "x", 1), 1);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(note.got, 1);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    close(peer);
    free(big);
    kit_close(&k);
}
