/* SPDX-License-Identifier: ISC */
/* Connecting: every outcome comes to the callback, once, and from the loop. */
#include "streams.h"

/* An address on 127.0.0.1 where nobody listens: that of a listener that has been closed. */
static void connect_nowhere(kit *k) {
    gy_stream server = {0};
    kit_listen(k, &server, KIT_TCP4, kit_note_connect);
    gy_stream_close(&server, NULL);
    kit_run(k);
}

TEST_BACKENDS(connect, a_refusal_comes_to_the_callback_only) {
    kit k;
    char buf[8] = "unsent";
    kit_note note = {0};
    gy_stream s = {.user = &note};
    gy_write w[2] = {{.user = &note}, {.user = &note}};
    kit_open(&k, backend);
    connect_nowhere(&k);
    CHECK_EQ(kit_connect(&k, &s, kit_note_connect), 0);
    CHECK_EQ(note.connects, 0);
    CHECK(gy_stream_is_open(&s));
    CHECK_EQ(gy_stream_write(&s, &w[0], GY_BUF(buf), kit_note_write), 0);
    CHECK_EQ(gy_stream_shutdown(&s, &w[1], kit_note_write), 0);
    kit_until(&k, &note.connects, 1);
    kit_until(&k, &note.writes, 2);
    CHECK_EQ(note.err, -ECONNREFUSED);
    gy_stream_close(&s, kit_note_close);
    kit_run(&k);
    CHECK_EQ(note.connects, 1);
    CHECK_EQ(note.closes, 1);
    kit_close(&k);
}

TEST_BACKENDS(connect, a_local_socket_that_is_not_there) {
    kit k;
    kit_note note = {0};
    gy_stream s = {.user = &note};
    kit_open(&k, backend);
    CHECK_EQ(gy_local_connect(k.loop, &s, (gy_connect_opts){.addr = kit_path(&k), .fn = kit_note_connect}), 0);
    CHECK_EQ(note.connects, 0);
    kit_until(&k, &note.connects, 1);
    CHECK_EQ(note.err, -ENOENT);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    kit_close(&k);
}

TEST_BACKENDS(connect, what_is_wrong_at_once) {
    kit k;
    char longer[200];
    kit_note note = {0};
    gy_stream s = {.user = &note};
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    kit_open(&k, backend);
    const char *const bad[] = {"", "127.0.0.1", "localhost:80", "*:80", "127.0.0.1:65536", "[::1:80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_EQ(gy_tcp_connect(k.loop, &s, (gy_connect_opts){.addr = bad[i], .fn = kit_note_connect}), GY_EADDRESS);
    gy_connect_opts opts = {.addr = "127.0.0.1:9"};
    CHECK_EQ(gy_tcp_connect(k.loop, &s, opts), -EINVAL);
    CHECK_EQ(gy_local_connect(k.loop, &s, opts), -EINVAL);
    opts = (gy_connect_opts){.fn = kit_note_connect};
    CHECK_EQ(gy_tcp_connect(k.loop, &s, opts), -EINVAL);
    CHECK_EQ(gy_local_connect(k.loop, &s, opts), -EINVAL);
    opts.addr = longer;
    CHECK_EQ(gy_local_connect(k.loop, &s, opts), -ENAMETOOLONG);
    opts = (gy_connect_opts){.addr = "127.0.0.1:9", .from = "nowhere", .fn = kit_note_connect};
    CHECK_EQ(gy_tcp_connect(k.loop, &s, opts), GY_EADDRESS);
    opts.from = "192.0.2.1:0"; /* reserved for documentation: not an address of this machine */
    CHECK_EQ(gy_tcp_connect(k.loop, &s, opts), -EADDRNOTAVAIL);
    CHECK(!gy_stream_is_open(&s));
    CHECK_EQ(gy_loop_run(k.loop), 0);
    CHECK_EQ(note.connects, 0);
    kit_close(&k);
}

static void source_connected(gy_stream *s, int err) {
    gy_addr from;
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_stream_local_addr(s, &from), 0);
    CHECK(strncmp(from.text, "127.0.0.1:", 10) == 0);
    ((kit_note *)s->user)->connects++;
}

TEST_BACKENDS(connect, from_a_chosen_address_and_writing_before_it_stands) {
    kit k;
    kit_server server;
    char out[] = "early", in[16];
    kit_note note = {0};
    gy_stream s = {.user = &note};
    gy_write w = {.user = &note}, end = {.user = &note};
    kit_open(&k, backend);
    kit_server_open(&k, &server, KIT_TCP4);
    gy_connect_opts opts = {.addr = k.addr, .from = "127.0.0.1:0", .fn = source_connected};
    CHECK_EQ(gy_tcp_connect(k.loop, &s, opts), 0);
    CHECK_EQ(gy_tcp_connect(k.loop, &s, opts), -EALREADY);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(in), kit_note_read), -EBUSY);
    CHECK_EQ(gy_stream_try_read(&s, GY_BUF(in)), -EBUSY);
    CHECK_EQ(gy_stream_try_write(&s, GY_BUF(out)), -EAGAIN);
    CHECK_EQ(gy_stream_write(&s, &w, GY_BUF(out), kit_note_write), 0);
    CHECK_EQ(gy_stream_shutdown(&s, &end, kit_note_write), 0);
    CHECK_EQ(note.connects, 0);
    kit_until(&k, &note.writes, 2);
    CHECK_EQ(note.connects, 1);
    CHECK_EQ(note.err, 0);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(in), kit_note_read), 0);
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(note.got, sizeof out);
    CHECK_STR(in, out);
    gy_stream_close(&s, NULL);
    gy_stream_close(&server.listener, NULL);
    kit_run(&k);
    kit_close(&k);
}

static void closing_connected(gy_stream *s, int err) {
    kit_note_connect(s, err);
    gy_stream_close(s, kit_note_close);
}

/* Closed before the outcome is known, or inside the callback that tells it. */
TEST_BACKENDS(connect, close_before_and_inside_the_callback) {
    for (int how = 0; how < 4; how++) {
        kit k;
        kit_server server;
        char bytes[4] = "abc";
        kit_note note = {0};
        gy_stream s = {.user = &note};
        gy_write w = {.user = &note};
        kit_open(&k, backend);
        kit_server_open(&k, &server, how & 2 ? KIT_LOCAL : KIT_TCP4);
        CHECK_EQ(kit_connect(&k, &s, closing_connected), 0);
        CHECK_EQ(gy_stream_write(&s, &w, GY_BUF(bytes), kit_note_write), 0);
        if (how & 1) gy_stream_close(&s, kit_note_close);
        kit_until(&k, &note.closes, 1);
        gy_stream_close(&server.listener, NULL);
        kit_run(&k);
        CHECK_EQ(note.connects, 1);
        CHECK_EQ(note.writes, 1);
        CHECK_EQ(strlen(note.order), 3);
        CHECK(note.order[2] == 'x');
        kit_close(&k);
    }
}

enum { FULL = 12 };

/* A listener that nobody serves and whose queue is full. */
static int connect_full(kit *k, int raw[FULL]) {
    struct sockaddr_in in;
    socklen_t len = sizeof in;
    memset(&in, 0, sizeof in);
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&in, len) == 0 && listen(fd, 0) == 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    snprintf(k->addr, sizeof k->addr, "127.0.0.1:%u", (unsigned)ntohs(in.sin_port));
    for (int i = 0; i < FULL; i++) raw[i] = kit_raw_connect(k, true);
    return fd;
}

/* Such a listener does not answer, so an attempt hangs: the time limit is what ends it. */
TEST_BACKENDS(connect, a_time_limit_ends_an_attempt) {
    kit k;
    kit_note note = {0};
    gy_stream s = {.user = &note};
    gy_timeout limit = {0};
    int raw[FULL];
    kit_open(&k, backend);
    int listener = connect_full(&k, raw);
    CHECK_EQ(kit_connect(&k, &s, kit_note_connect), 0);
    gy_ns begin = gy_loop_update_now(k.loop);
    gy_timeout_start(&limit, &s, GY_STREAM_READ, GY_MS(30));
    kit_until(&k, &note.connects, 1);
    gy_ns took = gy_loop_now(k.loop) - begin;
    int err = note.err;
    gy_timeout_stop(&limit);
    gy_stream_close(&s, kit_note_close);
    kit_run(&k);
    for (int i = 0; i < FULL; i++) close(raw[i]);
    close(listener);
    kit_close(&k);
    CHECK_EQ(note.connects, 1);
    if (err == 0) SKIP("this kernel takes connections beyond the backlog");
    CHECK_EQ(err, -ETIMEDOUT);
    CHECK(took >= GY_MS(30));
}

#ifdef __linux__
TEST_BACKENDS(connect, abstract_names) {
    kit k;
    kit_note note = {0}, server_note = {0};
    gy_stream s = {.user = &note}, server = {.user = &server_note};
    char name[64];
    gy_addr addr;
    kit_open(&k, backend);
    snprintf(name, sizeof name, "@gyre-test-%ld", (long)getpid());
    gy_listen_opts opts = {.addr = name, .fn = kit_note_connect, .mode = 0600}; /* there is no file to change */
    CHECK_EQ(gy_local_listen(k.loop, &server, opts), 0);
    CHECK_EQ(gy_local_connect(k.loop, &s, (gy_connect_opts){.addr = name, .fn = kit_note_connect}), 0);
    kit_until(&k, &note.connects, 1);
    CHECK_EQ(note.err, 0);
    CHECK_EQ(gy_stream_peer_addr(&s, &addr), 0);
    CHECK_STR(addr.text, name);
    CHECK_EQ(gy_stream_local_addr(&server, &addr), 0);
    CHECK_STR(addr.text, name);
    gy_stream_close(&s, NULL);
    gy_stream_close(&server, NULL);
    kit_run(&k);
    kit_close(&k);
}
#endif
