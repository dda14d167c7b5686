/* SPDX-License-Identifier: ISC */
/* What sockets have beyond bytes: resets, options, fast open, listeners that share a port, listeners that are handed
 * over, abstract names, and who is at the other end. */
#include "streams.h"

#include <netinet/tcp.h>

typedef struct line {
    kit k;
    gy_stream server, near, far;
    kit_note note, far_note;
    int accepted;
    char buf[64], far_buf[64];
} line;

static void line_accept(gy_stream *server, int err) {
    line *l = server->user;
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_stream_accept(server, &l->far), 0);
    l->accepted++;
}

static void line_begin(line *l, const char *backend) {
    memset(l, 0, sizeof *l);
    kit_open(&l->k, backend);
    l->server.user = l;
    l->near.user = &l->note;
    l->far.user = &l->far_note;
}

static void line_open(line *l, const char *backend, kit_family family) {
    line_begin(l, backend);
    kit_listen(&l->k, &l->server, family, line_accept);
    CHECK_EQ(kit_connect(&l->k, &l->near, kit_note_connect), 0);
    kit_until(&l->k, &l->accepted, 1);
    kit_until(&l->k, &l->note.connects, 1);
}

static void line_close(line *l) {
    gy_stream_close(&l->server, NULL);
    gy_stream_close(&l->near, NULL);
    gy_stream_close(&l->far, NULL);
    kit_run(&l->k);
    kit_close(&l->k);
}

/* ---- resets ------------------------------------------------------------------------------------------------------ */

TEST_BACKENDS(streams, a_reset_closes_and_the_peer_is_told) {
    static char big[8 << 20];
    line l;
    line_open(&l, backend, KIT_TCP4);
    gy_write w = {.user = &l.note};
    CHECK_EQ(gy_stream_read(&l.near, GY_BUF(l.buf), kit_note_read), 0);
    CHECK_EQ(gy_stream_write(&l.near, &w, GY_BUF(big), kit_note_write), 0);
    CHECK_EQ(gy_stream_reset(&l.near, kit_note_close), 0);
    CHECK(!gy_stream_is_open(&l.near));
    CHECK_EQ(gy_stream_reset(&l.near, kit_note_close), GY_ECLOSED);
    kit_until(&l.k, &l.note.closes, 1);
    CHECK_EQ(l.note.reads, 1);
    CHECK_EQ(l.note.writes, 1);
    CHECK_EQ(l.note.order[strlen(l.note.order) - 1], 'x');
    for (int reads = 1; !l.far_note.err; reads++) { /* what had arrived may come first */
        CHECK_EQ(gy_stream_read(&l.far, GY_BUF(l.far_buf), kit_note_read), 0);
        kit_until(&l.k, &l.far_note.reads, reads);
    }
    CHECK_EQ(l.far_note.err, -ECONNRESET);
    line_close(&l);
}

TEST_BACKENDS(streams, what_is_no_tcp_connection_is_not_reset) {
    line l;
    gy_stream from = {0}, to = {0}, never = {0};
    line_open(&l, backend, KIT_LOCAL);
    CHECK_EQ(gy_stream_reset(&l.near, NULL), -ENOTSUP);
    CHECK_EQ(gy_stream_reset(&l.server, NULL), -ENOTSUP);
    CHECK_EQ(gy_stream_reset(&never, NULL), GY_ECLOSED);
    CHECK_EQ(gy_pipe_pair(l.k.loop, &from, &to), 0);
    CHECK_EQ(gy_stream_reset(&to, NULL), -ENOTSUP);
    CHECK(gy_stream_is_open(&l.near) && gy_stream_is_open(&to));
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(gy_stream_open(l.k.loop, &never, udp), 0);
    CHECK_EQ(gy_stream_reset(&never, NULL), -ENOTSUP);
    CHECK(gy_stream_is_open(&never));
    gy_stream_close(&never, NULL);
    gy_stream_close(&from, NULL);
    gy_stream_close(&to, NULL);
    line_close(&l);
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static void option_round(gy_stream *s, gy_stream_opt option, int value) {
    int got = -1, err = gy_stream_set(s, option, value);
    if (err == -ENOTSUP) return; /* this system has it not */
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_stream_get(s, option, &got), 0);
    CHECK_EQ(got, value);
}

TEST_BACKENDS(streams, options_are_set_and_asked_for) {
    line l;
    int value = -1;
    gy_stream never = {0};
    line_open(&l, backend, KIT_TCP4);
    CHECK_EQ(gy_stream_get(&l.near, GY_NODELAY, &value), 0);
    CHECK_EQ(value, 1);
    option_round(&l.near, GY_NODELAY, 0);
    option_round(&l.near, GY_NODELAY, 1);
    CHECK_EQ(gy_stream_get(&l.near, GY_KEEPALIVE, &value), 0);
    CHECK_EQ(value, 0);
    option_round(&l.near, GY_KEEPALIVE, 70);
    option_round(&l.near, GY_KEEPALIVE_INTERVAL, 7);
    option_round(&l.near, GY_KEEPALIVE_PROBES, 3);
    option_round(&l.near, GY_USER_TIMEOUT, 12345);
    option_round(&l.near, GY_USER_TIMEOUT, 0);
    option_round(&l.near, GY_KEEPALIVE, 0);
    CHECK_EQ(gy_stream_set(&l.near, GY_RECV_BUFFER, 30000), 0);
    CHECK_EQ(gy_stream_get(&l.near, GY_RECV_BUFFER, &value), 0);
    CHECK(value >= 30000);
    CHECK_EQ(gy_stream_get(&l.near, GY_SEND_BUFFER, &value), 0);
    CHECK(value > 0);
    CHECK_EQ(gy_stream_set(&l.near, GY_KEEPALIVE_PROBES, -1), -EINVAL);
    CHECK(gy_stream_set(&l.near, GY_KEEPALIVE_INTERVAL, 0) < 0);
    CHECK_EQ(gy_stream_get(&l.near, (gy_stream_opt)99, &value), -EINVAL);
    CHECK_EQ(gy_stream_get(&l.near, (gy_stream_opt)-1, &value), -EINVAL);
    CHECK_EQ(gy_stream_set(&l.near, (gy_stream_opt)-1, 1), -EINVAL);
    CHECK_EQ(gy_stream_get(&never, GY_NODELAY, &value), GY_ECLOSED);
    line_close(&l);
}

TEST_BACKENDS(streams, tcp_options_of_what_is_no_tcp) {
    kit k;
    int value;
    gy_stream a = {0}, b = {0}, from = {0}, to = {0};
    kit_open(&k, backend);
    CHECK_EQ(gy_stream_pair(k.loop, &a, &b), 0);
    CHECK_EQ(gy_pipe_pair(k.loop, &from, &to), 0);
    CHECK(gy_stream_get(&a, GY_NODELAY, &value) < 0);
    CHECK_EQ(gy_stream_get(&a, GY_SEND_BUFFER, &value), 0);
    CHECK_EQ(gy_stream_get(&from, GY_SEND_BUFFER, &value), -ENOTSOCK);
    CHECK_EQ(gy_stream_set(&from, GY_SEND_BUFFER, 1000), -ENOTSOCK);
    gy_stream *all[] = {&a, &b, &from, &to};
    for (int i = 0; i < 4; i++) gy_stream_close(all[i], NULL);
    kit_run(&k);
    kit_close(&k);
}

/* ---- fast open --------------------------------------------------------------------------------------------------- */

/* Whether the kernel does it or not, twice (the second time it would know the peer): the bytes arrive, both ways. */
TEST_BACKENDS(streams, fast_open_or_not_the_bytes_arrive) {
    char text[] = "hello";
    for (int round = 0; round < 2; round++) {
        line l;
        gy_addr bound;
        line_begin(&l, backend);
        gy_listen_opts listen = {.addr = "127.0.0.1:0", .fn = line_accept, .fastopen = 16};
        CHECK_EQ(gy_tcp_listen(l.k.loop, &l.server, listen), 0);
        CHECK_EQ(gy_stream_local_addr(&l.server, &bound), 0);
        gy_connect_opts connect = {.addr = bound.text, .fn = kit_note_connect, .fastopen = true};
        CHECK_EQ(gy_tcp_connect(l.k.loop, &l.near, connect), 0);
        gy_write w = {.user = &l.note}, back = {.user = &l.far_note};
        CHECK_EQ(gy_stream_write(&l.near, &w, (gy_buf){text, 5}, kit_note_write), 0);
        kit_until(&l.k, &l.accepted, 1);
        CHECK_EQ(l.note.connects, 1);
        CHECK_EQ(gy_stream_read(&l.far, GY_BUF(l.far_buf), kit_note_read), 0);
        kit_until(&l.k, &l.far_note.reads, 1);
        CHECK_EQ(l.far_note.got, 5);
        kit_until(&l.k, &l.note.writes, 1);
        CHECK_EQ(l.note.err, 0);
        CHECK_EQ(gy_stream_write(&l.far, &back, (gy_buf){text, 5}, kit_note_write), 0);
        CHECK_EQ(gy_stream_read(&l.near, GY_BUF(l.buf), kit_note_read), 0);
        kit_until(&l.k, &l.note.reads, 1);
        CHECK_EQ(l.note.got, 5);
        line_close(&l);
    }
}

/* ---- listeners --------------------------------------------------------------------------------------------------- */

#if defined(__linux__) || defined(__FreeBSD__) /* elsewhere sharing a port does not mean spreading */

TEST_BACKENDS(streams, two_loops_share_a_port_and_both_get_connections) {
    enum { MANY = 64 };
    kit k[2];
    kit_server server[2];
    gy_addr bound;
    int peers[MANY];
    for (int i = 0; i < 2; i++) {
        kit_open(&k[i], backend);
        server[i] = (kit_server){.k = &k[i]};
        gy_listen_opts opts = {.addr = i ? bound.text : "127.0.0.1:0", .fn = kit_server_accept, .reuseport = true};
        CHECK_EQ(gy_tcp_listen(k[i].loop, &server[i].listener, opts), 0);
        CHECK_EQ(gy_stream_local_addr(&server[i].listener, &bound), 0);
    }
    snprintf(k[0].addr, sizeof k[0].addr, "%s", bound.text);
    for (int i = 0; i < MANY; i++) peers[i] = kit_raw_connect(&k[0], false);
    for (int i = 0; i < KIT_TURNS && server[0].accepted + server[1].accepted < MANY; i++) kit_turns(&k[i % 2], 1);
    CHECK_EQ(server[0].accepted + server[1].accepted, MANY);
    CHECK(server[0].accepted > 0); /* missing one by chance: once in 2^63 */
    CHECK(server[1].accepted > 0);
    for (int i = 0; i < MANY; i++) close(peers[i]);
    for (int i = 0; i < 2; i++) {
        gy_stream_close(&server[i].listener, NULL);
        kit_run(&k[i]);
        CHECK_EQ(gy_loop_free(k[i].loop), 0);
        CHECK_EQ(k[i].blocks, 0);
    }
    CHECK_EQ(kit_count_fds(), k[0].fds);
}

#endif

/* As from a service manager: bound, in blocking mode, and shared. */
TEST_BACKENDS(streams, a_bound_socket_becomes_a_listener) {
    line l;
    struct sockaddr_in in;
    gy_addr bound;
    memset(&in, 0, sizeof in);
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    line_begin(&l, backend);
    int fd = socket(AF_INET, SOCK_STREAM, 0), kept = dup(fd), file = open("/dev/null", O_RDONLY);
    CHECK_EQ(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    CHECK_EQ(gy_stream_listen(l.k.loop, &l.server, fd, NULL), -EINVAL);
    CHECK_EQ(gy_stream_listen(l.k.loop, &l.server, -1, line_accept), -EBADF);
    CHECK_EQ(gy_stream_listen(l.k.loop, &l.server, KIT_FDS - 1, line_accept), -EBADF);
    CHECK_EQ(gy_stream_listen(l.k.loop, &l.server, file, line_accept), -ENOTSOCK);
    CHECK(!gy_stream_is_open(&l.server));
    CHECK_EQ(gy_stream_listen(l.k.loop, &l.server, fd, line_accept), 0);
    CHECK_EQ(gy_stream_listen(l.k.loop, &l.server, fd, line_accept), -EALREADY);
    CHECK_EQ(gy_stream_local_addr(&l.server, &bound), 0);
    CHECK_EQ(gy_stream_accept(&l.server, &l.far), -EAGAIN); /* and does not wait */
    gy_connect_opts connect = {.addr = bound.text, .fn = kit_note_connect};
    CHECK_EQ(gy_tcp_connect(l.k.loop, &l.near, connect), 0);
    kit_until(&l.k, &l.accepted, 1);
    kit_until(&l.k, &l.note.connects, 1);
    CHECK_EQ(l.note.err, 0);
    gy_stream_close(&l.server, NULL);
    CHECK(!(fcntl(kept, F_GETFL) & O_NONBLOCK));
    close(kept);
    close(file);
    line_close(&l);
}

/* ---- local sockets ----------------------------------------------------------------------------------------------- */

TEST_BACKENDS(streams, abstract_names_are_of_linux) {
    line l;
    char name[64];
    gy_addr addr;
    snprintf(name, sizeof name, "@gyre-test-%d-%s", (int)getpid(), backend);
    line_begin(&l, backend);
    gy_listen_opts listen = {.addr = name, .fn = line_accept};
    gy_connect_opts connect = {.addr = name, .fn = kit_note_connect};
#ifdef __linux__
    CHECK_EQ(gy_local_listen(l.k.loop, &l.server, listen), 0);
    CHECK_EQ(gy_stream_local_addr(&l.server, &addr), 0);
    CHECK_STR(addr.text, name);
    CHECK_EQ(gy_local_connect(l.k.loop, &l.near, connect), 0);
    kit_until(&l.k, &l.accepted, 1);
    kit_until(&l.k, &l.note.connects, 1);
    CHECK_EQ(l.note.err, 0);
    CHECK_EQ(gy_stream_peer_addr(&l.near, &addr), 0);
    CHECK_STR(addr.text, name);
#else
    (void)addr;
    CHECK_EQ(gy_local_listen(l.k.loop, &l.server, listen), GY_EADDRESS);
    CHECK_EQ(gy_local_connect(l.k.loop, &l.near, connect), GY_EADDRESS);
#endif
    line_close(&l);
}

TEST_BACKENDS(streams, the_peer_of_a_local_stream_is_known) {
    line l;
    gy_peer_cred cred = {0};
    gy_stream never = {0};
    line_open(&l, backend, KIT_LOCAL);
    gy_stream *ends[] = {&l.near, &l.far};
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(gy_stream_peer_cred(ends[i], &cred), 0);
        CHECK_EQ(cred.uid, geteuid());
        CHECK_EQ(cred.gid, getegid());
        CHECK(cred.pid == getpid() || cred.pid == -1);
    }
    CHECK_EQ(gy_stream_peer_cred(&never, &cred), GY_ECLOSED);
    line_close(&l);
    line_open(&l, backend, KIT_TCP4);
    CHECK_EQ(gy_stream_peer_cred(&l.near, &cred), -ENOTSUP);
    line_close(&l);
}
