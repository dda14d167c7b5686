/* SPDX-License-Identifier: ISC */
/* What the tests of streams share: a loop whose memory is counted, a run that cannot go on for ever, listeners and
 * connections of each family on loopback, and an echo server.
 *
 * A kit ends with kit_close(), which finds what was left behind: memory that the library did not give back, descriptors
 * that are still open, files. Everything is static and inline, so that a test file needs nothing but this header. */
#ifndef GY_TESTS_LOOP_STREAMS_H
#define GY_TESTS_LOOP_STREAMS_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"

#define KIT_FN __attribute__((unused)) static inline

enum { KIT_FDS = 6000, KIT_TURNS = 200000 };

typedef enum kit_family { KIT_TCP4, KIT_TCP6, KIT_LOCAL, KIT_FAMILIES } kit_family;

typedef struct kit {
    gy_loop *loop;
    int blocks;    /* allocations that are alive */
    unsigned made; /* allocations ever */
    int fds;       /* descriptors open when it began */
    char dir[64];  /* for local sockets; "" until needed */
    char addr[128];
    kit_family family;
} kit;

/* ---- memory and descriptors ------------------------------------------------------------------------------------ */

KIT_FN void *kit_alloc(size_t size, void *ctx) {
    kit *k = ctx;
    k->blocks++;
    k->made++;
    return malloc(size);
}

KIT_FN void kit_free(void *ptr, void *ctx) {
    kit *k = ctx;
    k->blocks--;
    free(ptr);
}

KIT_FN int kit_count_fds(void) {
    int n = 0;
    for (int fd = 0; fd < KIT_FDS; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

KIT_FN void kit_open(kit *k, const char *backend) {
    *k = (kit){.fds = kit_count_fds()};
    gy_loop_opts opts = {.backend = backend, .alloc = {kit_alloc, kit_free, k}};
    CHECK_EQ(gy_loop_new(&k->loop, opts), 0);
}

KIT_FN void kit_remove(kit *k) {
    if (!k->dir[0]) return;
    char path[128];
    snprintf(path, sizeof path, "%s/s", k->dir);
    unlink(path);
    CHECK_EQ(rmdir(k->dir), 0);
    k->dir[0] = 0;
}

KIT_FN void kit_close(kit *k) {
    CHECK_EQ(gy_loop_free(k->loop), 0);
    kit_remove(k);
    CHECK_EQ(k->blocks, 0);
    CHECK_EQ(kit_count_fds(), k->fds);
}

/* ---- running --------------------------------------------------------------------------------------------------- */

/* Runs until nothing is left, or the loop is stopped. A loop that spins is caught; one that sleeps for ever meets the
 * time limit of the runner. */
KIT_FN void kit_run(kit *k) {
    int left = 1;
    for (int turn = 0; turn < KIT_TURNS; turn++) {
        left = gy_loop_step(k->loop, GY_STEP_WAIT);
        if (left <= 0) break;
    }
    CHECK_EQ(left, 0);
}

/* Runs turns until `*flag` is at least `value`. Every other one does not wait: it runs what is queued already, after
 * which there may be nothing to wait for. */
KIT_FN void kit_until(kit *k, const int *flag, int value) {
    for (int turn = 0; turn < KIT_TURNS && *flag < value; turn++)
        CHECK(gy_loop_step(k->loop, turn % 2 ? GY_STEP_WAIT : GY_STEP_POLL) >= 0);
    CHECK(*flag >= value);
}

/* Runs some turns that do not wait. */
KIT_FN void kit_turns(kit *k, int count) {
    while (count-- > 0) CHECK(gy_loop_step(k->loop, GY_STEP_POLL) >= 0);
}

KIT_FN uint64_t kit_syscalls(kit *k) {
    gy_loop_stats stats;
    gy_loop_stats_get(k->loop, &stats);
    return stats.syscalls;
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

KIT_FN const char *kit_path(kit *k) {
    static char path[128];
    if (!k->dir[0]) {
        snprintf(k->dir, sizeof k->dir, "/tmp/gyre-test-XXXXXX");
        CHECK(mkdtemp(k->dir) != NULL);
    }
    snprintf(path, sizeof path, "%s/s", k->dir);
    return path;
}

/* Whether the machine has the family. */
KIT_FN bool kit_has(kit_family family) {
    if (family != KIT_TCP6) return true;
    struct sockaddr_in6 in;
    memset(&in, 0, sizeof in);
    in.sin6_family = AF_INET6;
    in.sin6_addr = in6addr_loopback;
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd < 0) return false;
    bool has = bind(fd, (struct sockaddr *)&in, sizeof in) == 0;
    close(fd);
    return has;
}

KIT_FN void kit_listen(kit *k, gy_stream *server, kit_family family, gy_connect_fn *fn) {
    k->family = family;
    if (family == KIT_LOCAL) {
        CHECK_EQ(gy_local_listen(k->loop, server, (gy_listen_opts){.addr = kit_path(k), .fn = fn}), 0);
        snprintf(k->addr, sizeof k->addr, "%s", kit_path(k));
        return;
    }
    const char *addr = family == KIT_TCP4 ? "127.0.0.1:0" : "[::1]:0";
    gy_addr bound;
    CHECK_EQ(gy_tcp_listen(k->loop, server, (gy_listen_opts){.addr = addr, .fn = fn}), 0);
    CHECK_EQ(gy_stream_local_addr(server, &bound), 0);
    snprintf(k->addr, sizeof k->addr, "%s", bound.text);
}

KIT_FN int kit_connect(kit *k, gy_stream *client, gy_connect_fn *fn) {
    gy_connect_opts opts = {.addr = k->addr, .fn = fn};
    return k->family == KIT_LOCAL ? gy_local_connect(k->loop, client, opts) : gy_tcp_connect(k->loop, client, opts);
}

/* A plain descriptor connected to the kit's tcp listener on 127.0.0.1: a peer that the library does not know. */
KIT_FN int kit_raw_connect(const kit *k, bool nonblocking) {
    struct sockaddr_in in;
    memset(&in, 0, sizeof in);
    in.sin_family = AF_INET;
    in.sin_port = htons((uint16_t)atoi(strrchr(k->addr, ':') + 1));
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    if (nonblocking) CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    int err = connect(fd, (struct sockaddr *)&in, sizeof in) ? errno : 0;
    CHECK(err == 0 || (nonblocking && err == EINPROGRESS));
    return fd;
}

/* A stream and a plain non-blocking descriptor, connected with each other. */
KIT_FN int kit_half(kit *k, gy_stream *s) {
    int ends[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    CHECK_EQ(gy_stream_open(k->loop, s, ends[0]), 0);
    return ends[1];
}

/* Two streams that are connected with each other. */
KIT_FN void kit_pair(kit *k, gy_stream *a, gy_stream *b) {
    int fd = kit_half(k, a);
    CHECK_EQ(gy_stream_open(k->loop, b, fd), 0);
}

/* Reads all that a plain descriptor has. @return how much. */
KIT_FN size_t kit_drain(int fd) {
    static char sink[65536];
    size_t all = 0;
    for (ssize_t n; (n = read(fd, sink, sizeof sink)) > 0;) all += (size_t)n;
    return all;
}

/* The byte at a place of the endless pattern that tests send: a lost, doubled or moved piece is noticed. */
KIT_FN char kit_byte(size_t at) { return (char)(at * 7 + (at >> 8) * 13 + (at >> 16)); }

KIT_FN void kit_fill(char *to, size_t at, size_t len) {
    for (size_t i = 0; i < len; i++) to[i] = kit_byte(at + i);
}

KIT_FN bool kit_matches(const char *from, size_t at, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (from[i] != kit_byte(at + i)) return false;
    return true;
}

/* ---- an echo server -------------------------------------------------------------------------------------------- */

typedef struct kit_server {
    gy_stream listener;
    kit *k;
    int accepted, closed, failed;
} kit_server;

typedef struct kit_conn {
    gy_stream s;
    gy_write w;
    kit_server *of;
    char buf[4096];
} kit_conn;

KIT_FN void kit_conn_closed(gy_stream *s) {
    kit_conn *c = GY_OF(s, kit_conn, s);
    c->of->closed++;
    free(c);
}

static void kit_conn_read(gy_stream *s, int err, gy_buf got);

KIT_FN void kit_conn_written(gy_write *w, int err) {
    kit_conn *c = GY_OF(w, kit_conn, w);
    if (err) c->of->failed++;
    if (err) gy_stream_close(&c->s, kit_conn_closed);
    else CHECK_EQ(gy_stream_read(&c->s, GY_BUF(c->buf), kit_conn_read), 0);
}

__attribute__((unused)) static void kit_conn_read(gy_stream *s, int err, gy_buf got) {
    kit_conn *c = GY_OF(s, kit_conn, s);
    if (err && err != GY_EOF) c->of->failed++;
    if (err) gy_stream_close(s, kit_conn_closed);
    else CHECK_EQ(gy_stream_write(s, &c->w, got, kit_conn_written), 0);
}

KIT_FN void kit_server_accept(gy_stream *listener, int err) {
    kit_server *server = GY_OF(listener, kit_server, listener);
    CHECK_EQ(err, 0);
    kit_conn *c = calloc(1, sizeof *c);
    CHECK(c != NULL);
    c->of = server;
    CHECK_EQ(gy_stream_accept(listener, &c->s), 0);
    server->accepted++;
    CHECK_EQ(gy_stream_read(&c->s, GY_BUF(c->buf), kit_conn_read), 0);
}

KIT_FN void kit_server_open(kit *k, kit_server *server, kit_family family) {
    *server = (kit_server){.k = k};
    kit_listen(k, &server->listener, family, kit_server_accept);
}

/* ---- callbacks that only note ---------------------------------------------------------------------------------- */

typedef struct kit_note {
    int reads, writes, closes, connects; /* how often each was called */
    int err;                             /* what the last one said */
    size_t got;                          /* bytes read */
    char order[64];                      /* a letter for each, in the order of the calls */
} kit_note;

KIT_FN void kit_noted(kit_note *note, char letter, int err) {
    size_t len = strlen(note->order);
    if (len + 1 < sizeof note->order) note->order[len] = letter;
    note->err = err;
}

KIT_FN void kit_note_read(gy_stream *s, int err, gy_buf got) {
    kit_note *note = s->user;
    note->reads++;
    note->got += got.len;
    kit_noted(note, 'r', err);
}

KIT_FN void kit_note_write(gy_write *w, int err) {
    kit_note *note = w->user;
    note->writes++;
    kit_noted(note, 'w', err);
}

KIT_FN void kit_note_connect(gy_stream *s, int err) {
    kit_note *note = s->user;
    note->connects++;
    kit_noted(note, 'c', err);
}

KIT_FN void kit_note_close(gy_stream *s) {
    kit_note *note = s->user;
    note->closes++;
    kit_noted(note, 'x', 0);
}

#endif
