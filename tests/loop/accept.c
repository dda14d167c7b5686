/* SPDX-License-Identifier: ISC */
/* Listening and accepting: connections that are taken at once, later or never, many of them, and none left to give. */
#include "streams.h"

#include <sys/resource.h>

/* ---- taking ------------------------------------------------------------------------------------------------------ */

TEST_BACKENDS(accept, a_connection_not_taken_is_announced_again) {
    kit k;
    char buf[4];
    kit_note note = {0}, reads = {0};
    gy_stream server = {.user = &note}, s = {.user = &reads}, none = {0};
    kit_open(&k, backend);
    kit_listen(&k, &server, KIT_TCP4, kit_note_connect);
    CHECK_EQ(gy_stream_accept(&server, &s), -EAGAIN);
    int peer = kit_raw_connect(&k, false);
    for (int times = 1; times <= 3; times++) {
        kit_until(&k, &note.connects, times);
        CHECK_EQ(note.err, 0);
    }
    gy_loop_stats stats;
    gy_loop_stats_get(k.loop, &stats);
    CHECK(stats.turns < 40); /* with a pause between */
    CHECK_EQ(gy_stream_accept(&server, &s), 0); /* at any later time */
    CHECK_EQ(gy_stream_accept(&server, &none), -EAGAIN);
    CHECK_EQ(gy_stream_accept(&server, &s), -EALREADY);
    CHECK_EQ(write(peer, "x", 1), 1);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    kit_until(&k, &reads.reads, 1);
    CHECK_EQ(reads.got, 1);
    int second = kit_raw_connect(&k, false);
    kit_until(&k, &note.connects, 4);
    gy_stream_close(&server, NULL); /* with one that nobody took */
    gy_stream_close(&s, NULL);
    kit_run(&k);
    CHECK(read(second, buf, 1) <= 0); /* it has ended for the client too */
    close(peer);
    close(second);
    kit_close(&k);
}

static void accept_and_close(gy_stream *server, int err) {
    kit_note *note = server->user;
    gy_stream *s = calloc(1, sizeof *s);
    CHECK(err == 0 && s);
    s->user = note;
    note->connects++;
    CHECK_EQ(gy_stream_accept(server, s), 0);
    gy_stream_close(s, kit_note_close);
    gy_stream_close(server, kit_note_close);
    gy_stream_close(server, NULL);
    note->got = (size_t)(uintptr_t)s;
}

TEST_BACKENDS(accept, both_ends_closed_inside_the_callback) {
    kit k;
    kit_note note = {0};
    kit_open(&k, backend);
    gy_stream server = {.user = &note};
    kit_listen(&k, &server, KIT_LOCAL, accept_and_close);
    kit_note client_note = {0};
    gy_stream client = {.user = &client_note}, other = {.user = &client_note};
    CHECK_EQ(kit_connect(&k, &client, kit_note_connect), 0);
    CHECK_EQ(kit_connect(&k, &other, kit_note_connect), 0); /* the second one meets a closed listener */
    kit_until(&k, &note.closes, 2);
    kit_until(&k, &client_note.connects, 2);
    CHECK_EQ(note.connects, 1);
    gy_stream_close(&client, NULL);
    gy_stream_close(&other, NULL);
    kit_run(&k);
    free((void *)(uintptr_t)note.got);
    kit_close(&k);
}

TEST_BACKENDS(accept, closed_and_unreferenced_listeners) {
    kit k;
    char buf[4];
    kit_note note = {0};
    gy_stream server = {.user = &note}, s = {0};
    gy_write w = {.user = &note};
    kit_open(&k, backend);
    kit_listen(&k, &server, KIT_TCP4, kit_note_connect);
    CHECK_EQ(gy_stream_read(&server, GY_BUF(buf), kit_note_read), GY_ECLOSED);
    CHECK_EQ(gy_stream_write(&server, &w, GY_BUF(buf), kit_note_write), GY_ECLOSED);
    CHECK_EQ(gy_stream_shutdown(&server, &w, kit_note_write), GY_ECLOSED);
    gy_stream_cancel(&server, GY_STREAM_READ | GY_STREAM_WRITE, -EIO); /* means nothing to a listener */
    gy_stream_unref(&server);
    CHECK_EQ(gy_loop_run(k.loop), 0);
    CHECK_STR(note.order, "");
    gy_stream_close(&server, kit_note_close);
    CHECK_EQ(gy_stream_accept(&server, &s), -EINVAL);
    kit_run(&k);
    CHECK_STR(note.order, "x");
    kit_close(&k);
}

/* ---- many -------------------------------------------------------------------------------------------------------- */

static bool accept_descriptors(rlim_t count, rlim_t *before) {
    struct rlimit limit;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    *before = limit.rlim_cur;
    limit.rlim_cur = count;
    return count <= limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

enum { CROWD = 2000 };

typedef struct crowd_client {
    gy_stream s;
    kit_note *note;
} crowd_client;

static void crowd_connected(gy_stream *s, int err) {
    CHECK_EQ(err, 0);
    GY_OF(s, crowd_client, s)->note->connects++;
}

static void crowd_closed(gy_stream *s) { GY_OF(s, crowd_client, s)->note->closes++; }

TEST_BACKENDS(accept, two_thousand_connections_at_once) {
    kit k;
    kit_server server;
    kit_note note = {0};
    rlim_t before;
    if (!accept_descriptors(2 * CROWD + 100, &before)) SKIP("the hard limit of descriptors is too low");
    crowd_client *clients = calloc(CROWD, sizeof *clients);
    CHECK(clients != NULL);
    kit_open(&k, backend);
    kit_server_open(&k, &server, KIT_TCP4);
    for (int i = 0; i < CROWD; i++) {
        clients[i].note = &note;
        CHECK_EQ(kit_connect(&k, &clients[i].s, crowd_connected), 0);
        if (i % 100 == 99) kit_turns(&k, 3); /* the backlog is finite */
    }
    kit_until(&k, &note.connects, CROWD);
    kit_until(&k, &server.accepted, CROWD);
    CHECK_EQ(server.closed, 0);
    for (int i = 0; i < CROWD; i++) gy_stream_close(&clients[i].s, crowd_closed);
    gy_stream_close(&server.listener, NULL);
    kit_run(&k);
    CHECK_EQ(note.closes, CROWD);
    CHECK_EQ(server.closed, CROWD);
    CHECK_EQ(server.failed, 0);
    free(clients);
    kit_close(&k);
    CHECK(accept_descriptors(before, &before));
}

/* ---- none left --------------------------------------------------------------------------------------------------- */

enum { HOARD = 3000 };

typedef struct hoard {
    int fd[HOARD], count;
} hoard;

/* Takes all descriptors that are left below a limit that is lowered for it. */
static void hoard_take(hoard *h, rlim_t *before) {
    int top = dup(0);
    CHECK(top >= 0);
    CHECK(accept_descriptors((rlim_t)top + 20, before));
    h->count = 0;
    h->fd[h->count++] = top;
    for (int fd; h->count < HOARD && (fd = dup(0)) >= 0;) h->fd[h->count++] = fd;
    CHECK_EQ(errno, EMFILE);
}

static void hoard_give(hoard *h, int count) {
    while (count-- > 0 && h->count) close(h->fd[--h->count]);
}

typedef struct scarce {
    gy_stream server, s[3];
    int refused, taken, other;
} scarce;

static void scarce_accept(gy_stream *server, int err) {
    scarce *c = GY_OF(server, scarce, server);
    if (err == -EMFILE) c->refused++;
    else if (!err && c->taken < 3 && gy_stream_accept(server, &c->s[c->taken]) == 0) c->taken++;
    else c->other++;
}

TEST_BACKENDS(accept, without_descriptors_it_pauses_and_recovers) {
    static hoard h;
    kit k;
    scarce c = {.refused = 0};
    int peers[3];
    rlim_t before;
    kit_open(&k, backend);
    kit_listen(&k, &c.server, KIT_TCP4, scarce_accept);
    kit_turns(&k, 2);
    for (int i = 0; i < 3; i++) peers[i] = kit_raw_connect(&k, false);
    hoard_take(&h, &before);
    gy_ns begin = gy_loop_update_now(k.loop);
    gy_loop_stats first, last;
    gy_loop_stats_get(k.loop, &first);
    kit_until(&k, &c.refused, 3);
    gy_loop_stats_get(k.loop, &last);
    CHECK(gy_loop_now(k.loop) - begin >= GY_MS(100)); /* two pauses, whatever they are */
    CHECK(last.turns - first.turns < 30);
    CHECK(last.syscalls - first.syscalls < 90);
    CHECK_EQ(c.taken, 0);
    hoard_give(&h, 2); /* room for two of the three */
    kit_until(&k, &c.taken, 2);
    int refused = c.refused;
    kit_until(&k, &c.refused, refused + 1);
    CHECK_EQ(c.taken, 2);
    hoard_give(&h, HOARD);
    kit_until(&k, &c.taken, 3);
    CHECK_EQ(c.other, 0);
    CHECK(accept_descriptors(before, &before));
    for (int i = 0; i < 3; i++) {
        close(peers[i]);
        gy_stream_close(&c.s[i], NULL);
    }
    gy_stream_close(&c.server, NULL);
    kit_run(&k);
    kit_close(&k);
}

/* ---- listening --------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(accept, listening_that_cannot_be) {
    kit k;
    kit_note note = {0};
    gy_stream server = {.user = &note}, second = {.user = &note};
    char longer[200];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    kit_open(&k, backend);
    kit_listen(&k, &server, KIT_TCP4, kit_note_connect);
    gy_listen_opts taken = {.addr = k.addr, .fn = kit_note_connect};
    CHECK_EQ(gy_tcp_listen(k.loop, &second, taken), -EADDRINUSE);
    CHECK(!gy_stream_is_open(&second));
    CHECK_EQ(gy_tcp_listen(k.loop, &server, taken), -EALREADY);
    taken.addr = "127.0.0.1";
    CHECK_EQ(gy_tcp_listen(k.loop, &second, taken), GY_EADDRESS);
    taken.addr = NULL;
    CHECK_EQ(gy_tcp_listen(k.loop, &second, taken), -EINVAL);
    CHECK_EQ(gy_local_listen(k.loop, &second, taken), -EINVAL);
    gy_listen_opts deaf = {.addr = "127.0.0.1:0"};
    CHECK_EQ(gy_tcp_listen(k.loop, &second, deaf), -EINVAL);
    gy_listen_opts local = {.addr = kit_path(&k), .fn = kit_note_connect, .mode = 0600};
    CHECK_EQ(gy_local_listen(k.loop, &second, local), 0);
    struct stat st;
    CHECK_EQ(stat(local.addr, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    gy_stream third = {0};
    CHECK_EQ(gy_local_listen(k.loop, &third, local), -EADDRINUSE);
    local.addr = longer;
    CHECK_EQ(gy_local_listen(k.loop, &third, local), -ENAMETOOLONG);
    local.addr = "";
    CHECK_EQ(gy_local_listen(k.loop, &third, local), GY_EADDRESS);
    gy_stream_close(&server, NULL);
    gy_stream_close(&second, NULL);
    kit_run(&k);
    kit_close(&k);
}

/* Bits of permission are for the file of a local socket. A tcp address is no path, and no file must be looked for. */
TEST_BACKENDS(accept, a_mode_means_nothing_to_tcp) {
    kit k;
    kit_note note = {0};
    gy_stream server = {.user = &note};
    kit_open(&k, backend);
    kit_listen(&k, &server, KIT_TCP4, kit_note_connect);
    gy_stream_close(&server, kit_note_close);
    kit_until(&k, &note.closes, 1);
    gy_listen_opts same = {.addr = k.addr, .fn = kit_note_connect, .mode = 0600};
    CHECK_EQ(gy_tcp_listen(k.loop, &server, same), 0); /* with a port that is known beforehand */
    gy_stream_close(&server, NULL);
    kit_run(&k);
    kit_close(&k);
}

TEST_BACKENDS(accept, a_port_may_be_shared_on_request) {
    kit k;
    kit_note note = {0};
    gy_stream a = {.user = &note}, b = {.user = &note};
    gy_addr bound;
    kit_open(&k, backend);
    gy_listen_opts opts = {.addr = "127.0.0.1:0", .fn = kit_note_connect, .reuseport = true, .backlog = 5};
    CHECK_EQ(gy_tcp_listen(k.loop, &a, opts), 0);
    CHECK_EQ(gy_stream_local_addr(&a, &bound), 0);
    opts.addr = bound.text;
    CHECK_EQ(gy_tcp_listen(k.loop, &b, opts), 0);
    gy_stream_close(&a, NULL);
    gy_stream_close(&b, NULL);
    kit_run(&k);
    kit_close(&k);
}

/* "*" takes both families where there are two, and one when told so. */
TEST_BACKENDS(accept, every_address) {
    for (int only = 0; only < 2; only++) {
        kit k;
        kit_note note = {0};
        gy_stream server = {.user = &note}, client = {.user = &note};
        gy_addr bound;
        bool six = kit_has(KIT_TCP6);
        if (only && !six) break;
        kit_open(&k, backend);
        gy_listen_opts opts = {.addr = "*:0", .fn = kit_note_connect, .v6only = only};
        CHECK_EQ(gy_tcp_listen(k.loop, &server, opts), 0);
        CHECK_EQ(gy_stream_local_addr(&server, &bound), 0);
        CHECK(strncmp(bound.text, six ? "[::]:" : "0.0.0.0:", six ? 5 : 8) == 0);
        snprintf(k.addr, sizeof k.addr, "127.0.0.1%s", strrchr(bound.text, ':'));
        CHECK_EQ(kit_connect(&k, &client, kit_note_connect), 0);
        kit_until(&k, &note.connects, only ? 1 : 2);
        CHECK_EQ(note.err, only ? -ECONNREFUSED : 0);
        gy_stream_close(&client, NULL);
        gy_stream_close(&server, NULL);
        kit_run(&k);
        kit_close(&k);
    }
}
