/* SPDX-License-Identifier: ISC */
/* Streams that are open: echo, reading, the end, options, other descriptors, and what an echo costs.
 *
 * Both ends live in one loop on one thread, so that virtual time works; where the order of two events matters, the
 * other end is a plain descriptor. Closing, writing, accepting and connecting have files of their own. */
#include "streams.h"

#include <netinet/tcp.h>
#include <signal.h>

/* ---- echo -------------------------------------------------------------------------------------------------------- */

enum { ECHO_TOTAL = 300000, ECHO_PIECE = 5000 };

typedef struct echo {
    kit k;
    kit_server server;
    gy_stream client;
    gy_write w, end;
    size_t sent, received;
    int closed, ended;
    char out[ECHO_PIECE], in[3000];
} echo;

static void echo_closed(gy_stream *s) { GY_OF(s, echo, client)->closed++; }

static void echo_ended(gy_write *w, int err) {
    CHECK_EQ(err, 0);
    GY_OF(w, echo, end)->ended++;
}

static void echo_send(echo *e);

static void echo_sent(gy_write *w, int err) {
    CHECK_EQ(err, 0);
    echo_send(GY_OF(w, echo, w));
}

static void echo_send(echo *e) {
    if (e->sent == ECHO_TOTAL) {
        CHECK_EQ(gy_stream_shutdown(&e->client, &e->end, echo_ended), 0);
        return;
    }
    kit_fill(e->out, e->sent, ECHO_PIECE);
    e->sent += ECHO_PIECE;
    CHECK_EQ(gy_stream_write(&e->client, &e->w, GY_BUF(e->out), echo_sent), 0);
}

static void echo_received(gy_stream *s, int err, gy_buf got) {
    echo *e = GY_OF(s, echo, client);
    if (err) {
        CHECK_EQ(err, GY_EOF);
        gy_stream_close(s, echo_closed);
        gy_stream_close(&e->server.listener, NULL);
        return;
    }
    CHECK(kit_matches(got.base, e->received, got.len));
    e->received += got.len;
    CHECK_EQ(gy_stream_read(s, GY_BUF(e->in), echo_received), 0);
}

static void echo_connected(gy_stream *s, int err) {
    echo *e = GY_OF(s, echo, client);
    gy_addr here, there;
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_stream_peer_addr(s, &there), 0);
    CHECK_STR(there.text, e->k.addr);
    CHECK_EQ(gy_stream_local_addr(s, &here), 0);
    if (e->k.family == KIT_LOCAL) CHECK_STR(here.text, "");
    else CHECK(strcmp(here.text, there.text) != 0);
    CHECK_EQ(gy_stream_read(s, GY_BUF(e->in), echo_received), 0);
    echo_send(e);
}

static void echo_family(const char *backend, kit_family family) {
    static echo e;
    memset(&e, 0, sizeof e);
    kit_open(&e.k, backend);
    kit_server_open(&e.k, &e.server, family);
    CHECK_EQ(kit_connect(&e.k, &e.client, echo_connected), 0);
    kit_run(&e.k);
    CHECK_EQ(e.received, ECHO_TOTAL);
    CHECK_EQ(e.closed, 1);
    CHECK_EQ(e.ended, 1);
    CHECK_EQ(e.server.accepted, 1);
    CHECK_EQ(e.server.closed, 1);
    CHECK_EQ(e.server.failed, 0);
    kit_close(&e.k);
}

TEST_BACKENDS(streams, echo_over_tcp4) { echo_family(backend, KIT_TCP4); }

TEST_BACKENDS(streams, echo_over_tcp6) {
    if (!kit_has(KIT_TCP6)) SKIP("this machine has no ::1");
    echo_family(backend, KIT_TCP6);
}

TEST_BACKENDS(streams, echo_over_a_local_socket) { echo_family(backend, KIT_LOCAL); }

/* ---- the end ----------------------------------------------------------------------------------------------------- */

/* What arrived before the loop has looked is one event: the end must not be lost behind a short read. */
TEST_BACKENDS(streams, data_and_end_in_one_event) {
    for (int late = 0; late < 2; late++) {
        kit k;
        char buf[64];
        kit_note note = {0};
        gy_stream s = {.user = &note};
        kit_open(&k, backend);
        int peer = kit_half(&k, &s);
        if (late) kit_turns(&k, 2); /* registered before anything arrives */
        CHECK_EQ(write(peer, "hello", 5), 5);
        CHECK_EQ(shutdown(peer, SHUT_WR), 0);
        CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
        kit_until(&k, &note.reads, 1);
        CHECK_EQ(note.err, 0);
        CHECK_EQ(note.got, 5);
        for (int again = 2; again < 4; again++) { /* the end stays */
            CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
            kit_until(&k, &note.reads, again);
            CHECK_EQ(note.err, GY_EOF);
        }
        gy_stream_close(&s, kit_note_close);
        kit_run(&k);
        close(peer);
        kit_close(&k);
    }
}

static void fin_accept(gy_stream *server, int err) {
    gy_stream *s = server->user;
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_stream_accept(server, s), 0);
    ((kit_note *)s->user)->connects++;
}

TEST_BACKENDS(streams, data_and_fin_over_tcp) {
    kit k;
    char buf[64];
    kit_note note = {0};
    gy_stream s = {.user = &note}, server = {.user = &s};
    kit_open(&k, backend);
    kit_listen(&k, &server, KIT_TCP4, fin_accept);
    int peer = kit_raw_connect(&k, false);
    kit_until(&k, &note.connects, 1);
    kit_turns(&k, 2);
    CHECK_EQ(write(peer, "hello", 5), 5);
    close(peer);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(note.got, 5);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    kit_until(&k, &note.reads, 2);
    CHECK_EQ(note.err, GY_EOF);
    gy_stream_close(&s, NULL);
    gy_stream_close(&server, NULL);
    kit_run(&k);
    kit_close(&k);
}

/* A read that fills its buffer exactly leaves nothing: the next one waits, and is told of what comes later. */
TEST_BACKENDS(streams, a_read_that_fits_exactly_and_a_later_end) {
    kit k;
    char buf[5];
    kit_note note = {0};
    gy_stream s = {.user = &note};
    kit_open(&k, backend);
    int peer = kit_half(&k, &s);
    CHECK_EQ(write(peer, "hello", 5), 5);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    kit_turns(&k, 3);
    CHECK_EQ(note.reads, 1);
    CHECK_EQ(write(peer, "ab", 2), 2);
    kit_until(&k, &note.reads, 2);
    CHECK_EQ(note.got, 7);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    close(peer);
    kit_until(&k, &note.reads, 3);
    CHECK_EQ(note.err, GY_EOF);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    kit_close(&k);
}

TEST_BACKENDS(streams, half_closed_streams_still_send_the_other_way) {
    kit k;
    char buf[64];
    kit_note a_note = {0}, b_note = {0};
    gy_stream a = {.user = &a_note}, b = {.user = &b_note};
    gy_write end = {.user = &a_note}, w = {.user = &b_note}, late = {.user = &a_note};
    kit_open(&k, backend);
    kit_pair(&k, &a, &b);
    CHECK_EQ(gy_stream_shutdown(&a, &end, kit_note_write), 0);
    CHECK_EQ(gy_stream_write(&a, &late, GY_BUF(buf), kit_note_write), GY_ECLOSED);
    CHECK_EQ(gy_stream_shutdown(&a, &late, kit_note_write), GY_ECLOSED);
    CHECK_EQ(gy_stream_try_write(&a, GY_BUF(buf)), GY_ECLOSED);
    CHECK_EQ(gy_stream_read(&b, GY_BUF(buf), kit_note_read), 0);
    kit_until(&k, &b_note.reads, 1);
    CHECK_EQ(b_note.err, GY_EOF);
    CHECK_EQ(a_note.writes, 1);
    CHECK_EQ(gy_stream_write(&b, &w, (gy_buf){(void *)(uintptr_t) "answer", 6}, kit_note_write), 0);
    CHECK_EQ(gy_stream_read(&a, GY_BUF(buf), kit_note_read), 0);
    kit_until(&k, &a_note.reads, 1);
    CHECK_EQ(a_note.got, 6);
    gy_stream_close(&a, NULL);
    gy_stream_close(&b, NULL);
    kit_run(&k);
    kit_close(&k);
}

TEST_BACKENDS(streams, a_reset_is_reported_to_the_read) {
    kit k;
    char buf[64];
    kit_note note = {0};
    gy_stream s = {.user = &note}, server = {.user = &s};
    kit_open(&k, backend);
    kit_listen(&k, &server, KIT_TCP4, fin_accept);
    int peer = kit_raw_connect(&k, false);
    kit_until(&k, &note.connects, 1);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    kit_turns(&k, 2);
    struct linger linger = {.l_onoff = 1};
    CHECK_EQ(setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    close(peer);
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(note.err, -ECONNRESET);
    gy_stream_close(&s, NULL);
    gy_stream_close(&server, NULL);
    kit_run(&k);
    kit_close(&k);
}

/* ---- requests that are refused, and reads without waiting -------------------------------------------------------- */

TEST_BACKENDS(streams, reads_are_refused_when_they_cannot_be) {
    kit k;
    char buf[8];
    kit_note note = {0};
    gy_stream s = {.user = &note}, never = {0};
    kit_open(&k, backend);
    int peer = kit_half(&k, &s);
    CHECK_EQ(gy_stream_read(&never, GY_BUF(buf), kit_note_read), GY_ECLOSED);
    CHECK_EQ(gy_stream_try_read(&never, GY_BUF(buf)), GY_ECLOSED);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), NULL), -EINVAL);
    CHECK_EQ(gy_stream_read(&s, (gy_buf){buf, 0}, kit_note_read), -EINVAL);
    CHECK_EQ(gy_stream_try_read(&s, (gy_buf){buf, 0}), -EINVAL);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), -EBUSY);
    CHECK_EQ(gy_stream_try_read(&s, GY_BUF(buf)), -EBUSY);
    CHECK_EQ(gy_stream_open(k.loop, &s, peer), -EALREADY);
    CHECK_EQ(gy_stream_open(k.loop, &never, -1), -EBADF);
    CHECK_EQ(gy_stream_open(k.loop, &never, KIT_FDS - 1), -EBADF);
    CHECK(!gy_stream_is_open(&never));
    CHECK_EQ(gy_stream_fd(&never), -1);
    CHECK_EQ(gy_stream_accept(&s, &never), -EINVAL);
    CHECK_EQ(gy_loop_free(k.loop), -EBUSY);
    gy_stream_close(&s, kit_note_close);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), GY_ECLOSED);
    CHECK_EQ(gy_stream_try_read(&s, GY_BUF(buf)), GY_ECLOSED);
    kit_run(&k);
    CHECK_STR(note.order, "rx");
    close(peer);
    kit_close(&k);
}

TEST_BACKENDS(streams, try_read_takes_what_is_there) {
    kit k;
    char buf[4];
    kit_note note = {0};
    gy_stream s = {.user = &note};
    kit_open(&k, backend);
    int peer = kit_half(&k, &s);
    CHECK_EQ(gy_stream_try_read(&s, GY_BUF(buf)), -EAGAIN);
    CHECK_EQ(write(peer, "abcdef", 6), 6);
    CHECK_EQ(gy_stream_try_read(&s, GY_BUF(buf)), 4);
    CHECK_EQ(gy_stream_try_read(&s, GY_BUF(buf)), 2);
    CHECK_EQ(gy_stream_try_read(&s, GY_BUF(buf)), -EAGAIN);
    kit_turns(&k, 2);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0); /* the event of before brings nothing any more */
    kit_turns(&k, 2);
    CHECK_EQ(note.reads, 0);
    CHECK_EQ(write(peer, "gh", 2), 2);
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(note.got, 2);
    close(peer);
    CHECK_EQ(gy_stream_try_read(&s, GY_BUF(buf)), GY_EOF);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    kit_close(&k);
}

/* ---- options, references, other descriptors ---------------------------------------------------------------------- */

static int stream_option(const gy_stream *s, int level, int option) {
    int value = 0;
    socklen_t len = sizeof value;
    CHECK_EQ(getsockopt(gy_stream_fd(s), level, option, &value, &len), 0);
    return value;
}

TEST_BACKENDS(streams, options) {
    kit k;
    kit_note note = {0};
    gy_stream s = {.user = &note}, server = {.user = &s}, never = {0};
    gy_addr addr;
    kit_open(&k, backend);
    kit_listen(&k, &server, KIT_TCP4, fin_accept);
    int peer = kit_raw_connect(&k, false);
    kit_until(&k, &note.connects, 1);
    CHECK(stream_option(&s, IPPROTO_TCP, TCP_NODELAY) != 0); /* the default */
    CHECK_EQ(gy_stream_set(&s, GY_NODELAY, 0), 0);
    CHECK_EQ(stream_option(&s, IPPROTO_TCP, TCP_NODELAY), 0);
    CHECK_EQ(gy_stream_set(&s, GY_KEEPALIVE, 70), 0);
    CHECK(stream_option(&s, SOL_SOCKET, SO_KEEPALIVE) != 0);
#ifdef TCP_KEEPIDLE
    CHECK_EQ(stream_option(&s, IPPROTO_TCP, TCP_KEEPIDLE), 70);
#endif
    CHECK_EQ(gy_stream_set(&s, GY_KEEPALIVE, 0), 0);
    CHECK_EQ(stream_option(&s, SOL_SOCKET, SO_KEEPALIVE), 0);
    CHECK_EQ(gy_stream_set(&s, GY_SEND_BUFFER, 16384), 0);
    CHECK(stream_option(&s, SOL_SOCKET, SO_SNDBUF) >= 16384);
    CHECK_EQ(gy_stream_set(&s, GY_RECV_BUFFER, 16384), 0);
    CHECK(stream_option(&s, SOL_SOCKET, SO_RCVBUF) >= 16384);
    CHECK_EQ(gy_stream_set(&s, GY_NODELAY, -1), -EINVAL);
    CHECK_EQ(gy_stream_set(&s, (gy_stream_opt)99, 1), -EINVAL);
    CHECK_EQ(gy_stream_set(&never, GY_NODELAY, 1), GY_ECLOSED);
    CHECK_EQ(gy_stream_local_addr(&never, &addr), GY_ECLOSED);
    CHECK_EQ(gy_stream_peer_addr(&never, &addr), GY_ECLOSED);
    CHECK_EQ(gy_stream_peer_addr(&server, &addr), -ENOTCONN);
    gy_stream_close(&s, NULL);
    gy_stream_close(&server, NULL);
    kit_run(&k);
    close(peer);
    kit_close(&k);
}

TEST_BACKENDS(streams, an_unreferenced_stream_does_not_keep_the_loop) {
    kit k;
    char buf[8];
    kit_note note = {0};
    gy_stream s = {.user = &note};
    kit_open(&k, backend);
    int peer = kit_half(&k, &s);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    CHECK(gy_loop_alive(k.loop));
    gy_stream_unref(&s);
    CHECK(!gy_loop_alive(k.loop));
    CHECK_EQ(gy_loop_run(k.loop), 0);
    CHECK_EQ(note.reads, 0);
    gy_stream_ref(&s);
    CHECK(gy_loop_alive(k.loop));
    CHECK_EQ(write(peer, "x", 1), 1);
    kit_until(&k, &note.reads, 1);
    gy_stream_unref(&s);
    gy_stream_close(&s, kit_note_close);
    kit_run(&k);
    CHECK_EQ(note.closes, 1);
    close(peer);
    kit_close(&k);
}

TEST_BACKENDS(streams, a_pipe_is_a_stream_too) {
    kit k;
    enum { TOTAL = 1 << 20 };
    static char out[TOTAL], in[TOTAL];
    kit_note rn = {0}, wn = {0};
    gy_stream from = {.user = &rn}, to = {.user = &wn};
    gy_write w = {.user = &wn}, late = {.user = &wn};
    int ends[2];
    signal(SIGPIPE, SIG_IGN); /* pipes know no MSG_NOSIGNAL */
    kit_open(&k, backend);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(gy_stream_open(k.loop, &from, ends[0]), 0);
    CHECK_EQ(gy_stream_open(k.loop, &to, ends[1]), 0);
    kit_fill(out, 0, TOTAL);
    CHECK_EQ(gy_stream_write(&to, &w, GY_BUF(out), kit_note_write), 0);
    while (rn.got < TOTAL) {
        int before = rn.reads;
        CHECK_EQ(gy_stream_read(&from, (gy_buf){in + rn.got, TOTAL - rn.got}, kit_note_read), 0);
        kit_until(&k, &rn.reads, before + 1);
        CHECK_EQ(rn.err, 0);
    }
    CHECK(memcmp(in, out, TOTAL) == 0);
    kit_until(&k, &wn.writes, 1);
    CHECK_EQ(wn.err, 0);
    gy_stream_close(&from, NULL);
    CHECK_EQ(gy_stream_write(&to, &late, (gy_buf){out, 10}, kit_note_write), 0);
    kit_until(&k, &wn.writes, 2);
    CHECK_EQ(wn.err, -EPIPE);
    gy_stream_close(&to, NULL);
    kit_run(&k);
    kit_close(&k);
}

/* ---- what an echo costs ------------------------------------------------------------------------------------------ */

enum { ROUNDS = 1000, ROUNDS_WARM = 20 };

/* The clients are plain descriptors, so that all calls that are counted are the server's. */
TEST_BACKENDS(streams, an_echo_allocates_nothing_and_costs_three_calls) {
    kit k;
    kit_server server;
    char buf[100] = "echo";
    kit_open(&k, backend);
    kit_server_open(&k, &server, KIT_TCP4);
    int peer = kit_raw_connect(&k, false);
    kit_until(&k, &server.accepted, 1);
    CHECK_EQ(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
    uint64_t calls = 0;
    unsigned made = 0;
    for (int i = 0; i < ROUNDS_WARM + ROUNDS; i++) {
        if (i == ROUNDS_WARM) {
            calls = kit_syscalls(&k);
            made = k.made;
        }
        CHECK_EQ(write(peer, buf, sizeof buf), sizeof buf);
        ssize_t n = -1;
        for (int turn = 0; turn < 10 && n < 0; turn++) {
            CHECK_EQ(gy_loop_step(k.loop, GY_STEP_WAIT), 1);
            n = read(peer, buf, sizeof buf);
        }
        CHECK_EQ(n, sizeof buf);
    }
    CHECK_EQ(k.made, made);
    /* Where levels are reported, interest goes and comes with each read. */
    unsigned most = strcmp(backend, "epoll") == 0 ? 3 : 6;
    if (kit_syscalls(&k) - calls > (uint64_t)most * ROUNDS)
        CHECK_FAIL("%u calls in %d rounds", (unsigned)(kit_syscalls(&k) - calls), ROUNDS);
    gy_stream_close(&server.listener, NULL);
    close(peer);
    kit_run(&k);
    kit_close(&k);
}
