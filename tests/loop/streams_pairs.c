/* SPDX-License-Identifier: ISC */
/* Pairs of streams and pipes; streams of one direction; and the blocking mode of descriptors that are handed over. */
#include "streams.h"

#include "sys/sock.h"

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

/* One side ends, and goes on reading; then the other. */
static void pair_half_close(kit *k, gy_stream *a, gy_stream *b) {
    char text[] = "abc", buf[16];
    kit_note an = {0}, bn = {0};
    gy_write aw = {.user = &an}, bw = {.user = &bn}, late = {.user = &an};
    a->user = &an;
    b->user = &bn;
    CHECK_EQ(gy_stream_shutdown(a, &aw, kit_note_write), 0);
    CHECK_EQ(gy_stream_read(b, GY_BUF(buf), kit_note_read), 0);
    kit_until(k, &bn.reads, 1);
    CHECK_EQ(bn.err, GY_EOF);
    CHECK_EQ(gy_stream_write(a, &late, (gy_buf){text, 3}, kit_note_write), GY_ECLOSED);
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(gy_stream_write(b, &bw, (gy_buf){text, 3}, kit_note_write), 0);
        CHECK_EQ(gy_stream_read(a, GY_BUF(buf), kit_note_read), 0);
        kit_until(k, &an.reads, i);
        kit_until(k, &bn.writes, i);
        CHECK_EQ(an.err, 0);
        CHECK_EQ(an.got, 3 * (size_t)i);
    }
    CHECK_EQ(gy_stream_shutdown(b, &bw, kit_note_write), 0);
    CHECK_EQ(gy_stream_read(a, GY_BUF(buf), kit_note_read), 0);
    kit_until(k, &an.reads, 4);
    CHECK_EQ(an.err, GY_EOF);
    kit_until(k, &bn.writes, 4);
}

TEST_BACKENDS(streams, a_pair_talks_both_ways_and_ends_each_by_itself) {
    kit k;
    gy_stream a = {0}, b = {0}, c = {0};
    kit_open(&k, backend);
    CHECK_EQ(gy_stream_pair(k.loop, &a, &a), -EINVAL);
    CHECK_EQ(gy_stream_pair(k.loop, &a, &b), 0);
    CHECK_EQ(gy_stream_pair(k.loop, &a, &c), -EALREADY);
    CHECK_EQ(gy_stream_pair(k.loop, &c, &a), -EALREADY);
    CHECK(!gy_stream_is_open(&c));
    CHECK(fcntl(gy_stream_fd(&a), F_GETFD) & FD_CLOEXEC);
    pair_half_close(&k, &a, &b);
    gy_stream_close(&a, NULL);
    gy_stream_close(&b, NULL);
    kit_run(&k);
    kit_close(&k);
}

static void pair_accept(gy_stream *server, int err) {
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_stream_accept(server, server->user), 0);
    gy_stream_close(server, NULL);
}

TEST_BACKENDS(streams, a_tcp_connection_ends_each_direction_by_itself) {
    kit k;
    kit_note note = {0};
    gy_stream a = {.user = &note}, b = {0}, server = {.user = &b};
    kit_open(&k, backend);
    kit_listen(&k, &server, KIT_TCP4, pair_accept);
    CHECK_EQ(kit_connect(&k, &a, kit_note_connect), 0);
    kit_until(&k, &note.connects, 1);
    for (int i = 0; i < 1000 && !gy_stream_is_open(&b); i++) kit_turns(&k, 1);
    pair_half_close(&k, &a, &b);
    gy_stream_close(&a, NULL);
    gy_stream_close(&b, NULL);
    kit_run(&k);
    kit_close(&k);
}

/* ---- pipes ------------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(streams, a_pipe_goes_one_way_and_ends_by_shutdown) {
    enum { TOTAL = 300000 };
    static char out[TOTAL], in[TOTAL];
    kit k;
    kit_note rn = {0}, wn = {0};
    gy_stream from = {.user = &rn}, to = {.user = &wn};
    gy_write w = {.user = &wn}, end = {.user = &wn}, no = {0};
    kit_open(&k, backend);
    CHECK_EQ(gy_pipe_pair(k.loop, &from, &from), -EINVAL);
    CHECK_EQ(gy_pipe_pair(k.loop, &from, &to), 0);
    CHECK_EQ(gy_pipe_pair(k.loop, &from, &to), -EALREADY);
    CHECK_EQ(gy_stream_read(&to, GY_BUF(in), kit_note_read), -EBADF);
    CHECK_EQ(gy_stream_try_read(&to, GY_BUF(in)), -EBADF);
    CHECK_EQ(gy_stream_write(&from, &no, GY_BUF(out), kit_note_write), -EBADF);
    CHECK_EQ(gy_stream_writev(&from, &no, &(gy_buf){out, 1}, 1, kit_note_write), -EBADF);
    CHECK_EQ(gy_stream_try_write(&from, GY_BUF(out)), -EBADF);
    CHECK_EQ(gy_stream_shutdown(&from, &no, kit_note_write), -EBADF);
    kit_fill(out, 0, TOTAL);
    CHECK_EQ(gy_stream_write(&to, &w, GY_BUF(out), kit_note_write), 0);
    CHECK_EQ(gy_stream_shutdown(&to, &end, kit_note_write), 0);
    for (int reads = 1; rn.err != GY_EOF; reads++) {
        CHECK_EQ(gy_stream_read(&from, (gy_buf){in + rn.got, TOTAL + 1 - rn.got}, kit_note_read), 0);
        kit_until(&k, &rn.reads, reads);
        CHECK(rn.err == 0 || rn.err == GY_EOF);
    }
    CHECK_EQ(rn.got, TOTAL);
    CHECK(memcmp(in, out, TOTAL) == 0);
    kit_until(&k, &wn.writes, 2);
    CHECK_EQ(wn.err, 0);
    CHECK(gy_stream_is_open(&to)); /* until it is closed, though it has no descriptor any more */
    CHECK_EQ(gy_stream_fd(&to), -1);
    CHECK_EQ(gy_stream_write(&to, &w, GY_BUF(out), kit_note_write), GY_ECLOSED);
    gy_stream_unref(&to);
    gy_stream_ref(&to);
    gy_stream_close(&to, kit_note_close);
    gy_stream_close(&from, kit_note_close);
    kit_run(&k);
    CHECK_EQ(wn.closes, 1);
    CHECK_EQ(rn.closes, 1);
    kit_close(&k);
}

/* Shut down with nothing queued, which happens inside the call; and closed at once. */
TEST_BACKENDS(streams, a_pipe_shut_down_and_closed_in_one_breath) {
    kit k;
    char buf[8];
    kit_note rn = {0}, wn = {0};
    gy_stream from = {.user = &rn}, to = {.user = &wn};
    gy_write end = {.user = &wn};
    kit_open(&k, backend);
    CHECK_EQ(gy_pipe_pair(k.loop, &from, &to), 0);
    CHECK_EQ(gy_stream_read(&from, GY_BUF(buf), kit_note_read), 0);
    CHECK_EQ(gy_stream_shutdown(&to, &end, kit_note_write), 0);
    gy_stream_close(&to, kit_note_close);
    kit_until(&k, &rn.reads, 1);
    CHECK_EQ(rn.err, GY_EOF);
    gy_stream_close(&from, NULL);
    kit_run(&k);
    CHECK_STR(wn.order, "wx");
    kit_close(&k);
}

/* ---- blocking mode ----------------------------------------------------------------------------------------------- */

static bool mode_waits(int fd) { return !(fcntl(fd, F_GETFL) & O_NONBLOCK); }

TEST_BACKENDS(streams, a_pipe_that_was_blocking_is_so_again_after_close) {
    kit k;
    int ends[2], kept[2];
    gy_stream from = {0}, to = {0};
    kit_open(&k, backend);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0); /* this one was not */
    for (int i = 0; i < 2; i++) kept[i] = dup(ends[i]);
    CHECK_EQ(gy_stream_open(k.loop, &from, ends[0]), 0);
    CHECK_EQ(gy_stream_open(k.loop, &to, ends[1]), 0);
    CHECK(!mode_waits(kept[0]) && !mode_waits(kept[1]));
    gy_stream_close(&from, NULL);
    CHECK(mode_waits(kept[0]));
    gy_stream_close(&to, NULL);
    CHECK(!mode_waits(kept[1]));
    kit_run(&k);
    for (int i = 0; i < 2; i++) close(kept[i]);
    kit_close(&k);
}

/* Two streams of one open file, as the input and output of a terminal are: the first to close leaves it as it is. */
TEST_BACKENDS(streams, the_mode_is_put_back_by_the_last_of_those_who_share_it) {
    for (int order = 0; order < 2; order++) {
        kit k;
        char buf[8];
        int ends[2];
        kit_note note = {0};
        gy_stream s[2] = {{.user = &note}, {.user = &note}}, other = {0};
        kit_open(&k, backend);
        CHECK_EQ(pipe(ends), 0);
        int kept = dup(ends[0]), twin = dup(ends[0]);
        CHECK_EQ(gy_stream_open(k.loop, &s[0], ends[0]), 0);
        CHECK_EQ(gy_stream_open(k.loop, &s[1], twin), 0);
        CHECK_EQ(gy_stream_open(k.loop, &other, ends[1]), 0); /* of another file */
        gy_stream_close(&s[order], NULL);
        CHECK(!mode_waits(kept));
        CHECK_EQ(gy_stream_read(&s[!order], GY_BUF(buf), kit_note_read), 0);
        kit_turns(&k, 3); /* which would hang if reading waited */
        CHECK_EQ(note.reads, 0);
        CHECK_EQ(write(ends[1], "x", 1), 1);
        kit_until(&k, &note.reads, 1);
        CHECK(!mode_waits(ends[1]));
        gy_stream_close(&s[!order], NULL);
        CHECK(mode_waits(kept));
        gy_stream_close(&other, NULL);
        kit_run(&k);
        close(kept);
        kit_close(&k);
    }
}

/* A socket in blocking mode: reading and writing do not wait, and others find it as they left it, at any time where the
 * system allows that, else after the close. */
TEST_BACKENDS(streams, a_blocking_socket_does_not_make_the_loop_wait) {
    enum { BIG = 1 << 20 };
    static char big[BIG], in[BIG];
    kit k;
    int pair[2];
    kit_note note = {0};
    gy_stream s = {.user = &note};
    gy_write w = {.user = &note};
    size_t got = 0;
    kit_open(&k, backend);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    int kept = dup(pair[0]);
    CHECK_EQ(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
    CHECK_EQ(gy_stream_open(k.loop, &s, pair[0]), 0);
    CHECK_EQ(mode_waits(kept), GYI_SOCK_NOWAIT != 0);
    CHECK_EQ(gy_stream_try_read(&s, GY_BUF(in)), -EAGAIN);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(in), kit_note_read), 0);
    CHECK_EQ(gy_stream_write(&s, &w, GY_BUF(big), kit_note_write), 0);
    kit_turns(&k, 3);
    CHECK_EQ(note.reads + note.writes, 0);
    while (got < BIG) {
        got += kit_drain(pair[1]);
        kit_turns(&k, 1);
    }
    kit_until(&k, &note.writes, 1);
    CHECK_EQ(write(pair[1], "abc", 3), 3);
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(note.got, 3);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    CHECK(mode_waits(kept));
    close(kept);
    close(pair[1]);
    kit_close(&k);
}
