/* SPDX-License-Identifier: ISC */
/* Groups at work: many connections, gifts from loop to loop, and a stop in the middle of it. On every backend but
 * "sim", whose virtual time runs ahead of what real threads do.
 *
 * The loops' threads make no checks: they count, and the test's thread judges when they have ended. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "gyre/gyre.h"
#include "harness.h"

enum { LOOPS = 3, CLIENTS = 48 };

typedef struct conn {
    gy_stream stream;
    gy_write write;
    gy_gift gift;
    char buf[256];
} conn;

static _Atomic int taken, closed, strange, gifts, gift_errors, on_loop[LOOPS];

static void reset(void) {
    taken = closed = strange = gifts = gift_errors = 0;
    for (int i = 0; i < LOOPS; i++) on_loop[i] = 0;
}

/* Whether a callback runs where it belongs. */
static void look(gy_loop *loop) {
    static _Thread_local gy_loop *mine;
    if (mine && mine != loop) strange++;
    mine = loop;
}

static gy_read_fn conn_read;

static void conn_closed(gy_stream *s) {
    look(s->loop);
    closed++;
    free(GY_OF(s, conn, stream));
}

static void conn_written(gy_write *w, int err) {
    conn *c = GY_OF(w, conn, write);
    if (err || gy_stream_read(&c->stream, GY_BUF(c->buf), conn_read)) gy_stream_close(&c->stream, conn_closed);
}

static void conn_read(gy_stream *s, int err, gy_buf got) {
    conn *c = GY_OF(s, conn, stream);
    look(s->loop);
    if (err || gy_stream_write(s, &c->write, got, conn_written)) gy_stream_close(s, conn_closed);
}

static void conn_begin(conn *c) {
    look(c->stream.loop);
    taken++;
    on_loop[gy_group_index(c->stream.loop)]++;
    if (gy_stream_read(&c->stream, GY_BUF(c->buf), conn_read)) gy_stream_close(&c->stream, conn_closed);
}

static void server_accept(gy_stream *server, int err) {
    conn *c = err ? NULL : calloc(1, sizeof *c);
    if (c && gy_stream_accept(server, &c->stream) == 0) conn_begin(c);
    else free(c);
}

static gy_stream *gift_place(gy_gift *gift) { return &GY_OF(gift, conn, gift)->stream; }

static void gift_done(gy_gift *gift, gy_stream *stream, int err) {
    conn *c = GY_OF(gift, conn, gift);
    gifts++;
    if (!err && stream == &c->stream) {
        conn_begin(c);
        return;
    }
    gift_errors++;
    free(c);
}

/* Gives each connection to the loop after this one. */
static void server_give(gy_stream *server, int err) {
    conn *c = err ? NULL : calloc(1, sizeof *c);
    if (!c) return;
    gy_gift_opts opts = {.from = server, .place = gift_place, .fn = gift_done};
    int next = (gy_group_index(server->loop) + 1) % LOOPS;
    if (gy_group_give(gy_group_of(server->loop), next, &c->gift, opts)) free(c);
}

/* ---- the other side: one loop of the test's thread ----------------------------------------------------------- */

typedef struct client {
    gy_stream stream;
    gy_write write;
    char sent[8], got[8];
    size_t length;
} client;

static client clients[CLIENTS];
static int answered, clients_closed, refused;
static int rounds; /* echoes that each client still asks for, beyond the first; negative: for ever */

static void client_closed(gy_stream *s) {
    (void)s;
    clients_closed++;
}

static void client_read(gy_stream *s, int err, gy_buf got);

static void client_written(gy_write *w, int err) {
    (void)w;
    refused += err != 0;
}

static void client_ask(client *c) {
    c->length = 0;
    if (gy_stream_write(&c->stream, &c->write, GY_BUF(c->sent), client_written) ||
        gy_stream_read(&c->stream, GY_BUF(c->got), client_read))
        gy_stream_close(&c->stream, client_closed);
}

static void client_read(gy_stream *s, int err, gy_buf got) {
    client *c = GY_OF(s, client, stream);
    if (err) {
        refused++;
        gy_stream_close(s, client_closed);
        return;
    }
    c->length += got.len;
    if (c->length < sizeof c->sent) {
        gy_buf rest = {c->got + c->length, sizeof c->got - c->length};
        if (gy_stream_read(s, rest, client_read)) gy_stream_close(s, client_closed);
        return;
    }
    if (memcmp(c->sent, c->got, sizeof c->sent)) refused++;
    answered++;
    if (rounds < 0) client_ask(c);
    else gy_stream_close(s, client_closed);
}

static void client_connected(gy_stream *s, int err) {
    client *c = GY_OF(s, client, stream);
    if (!err) {
        client_ask(c);
        return;
    }
    refused++;
    gy_stream_close(s, client_closed);
}

static void clients_begin(gy_loop *loop, const gy_addr *at) {
    memset(clients, 0, sizeof clients);
    answered = clients_closed = refused = 0;
    for (int i = 0; i < CLIENTS; i++) {
        memset(clients[i].sent, 'a' + i % 26, sizeof clients[i].sent);
        gy_connect_opts opts = {.addr = at->text, .fn = client_connected};
        CHECK_EQ(gy_tcp_connect(loop, &clients[i].stream, opts), 0);
    }
}

static gy_group *group;
static gy_loop *here;

static void begin(const char *backend, gy_connect_fn *fn, gy_addr *at, gy_ns grace) {
    gy_loop_opts opts = {.backend = backend};
    reset();
    CHECK_EQ(gy_loop_new(&here, opts), 0);
    CHECK_EQ(gy_group_new(&group, (gy_group_opts){.count = LOOPS, .loop = opts, .grace = grace}), 0);
    CHECK_EQ(gy_group_listen(group, NULL, at, (gy_listen_opts){.addr = "127.0.0.1:0", .fn = fn}), 0);
}

static bool virtual(const char *backend) { return strcmp(backend, "sim") == 0; }

TEST_BACKENDS(groups, every_connection_is_served_by_one_of_the_loops) {
    gy_addr at;
    if (virtual(backend)) SKIP("virtual time does not wait for other threads");
    begin(backend, server_accept, &at, GY_FOREVER);
    rounds = 0;
    clients_begin(here, &at);
    CHECK_EQ(gy_loop_run(here), 0);
    CHECK_EQ(answered, CLIENTS);
    CHECK_EQ(refused, 0);
    gy_group_stop(group);
    CHECK_EQ(gy_group_join(group), 0);
    CHECK_EQ(gy_group_free(group), 0);
    CHECK_EQ(taken, CLIENTS);
    CHECK_EQ(closed, CLIENTS);
    CHECK_EQ(strange, 0);
    CHECK_EQ(on_loop[0] + on_loop[1] + on_loop[2], CLIENTS);
    CHECK_EQ(gy_loop_free(here), 0);
}

TEST_BACKENDS(groups, connections_are_given_from_loop_to_loop) {
    gy_addr at;
    if (virtual(backend)) SKIP("virtual time does not wait for other threads");
    begin(backend, server_give, &at, GY_FOREVER);
    rounds = 0;
    clients_begin(here, &at);
    CHECK_EQ(gy_loop_run(here), 0);
    CHECK_EQ(answered, CLIENTS);
    CHECK_EQ(gy_group_free(group), 0);
    CHECK_EQ(gifts, CLIENTS);
    CHECK_EQ(gift_errors, 0);
    CHECK_EQ(closed, CLIENTS);
    CHECK_EQ(strange, 0);
    CHECK_EQ(gy_loop_free(here), 0);
}

static void stop_now(gy_timer *timer) {
    (void)timer;
    gy_group_stop(group);
    gy_group_stop(group);
}

TEST_BACKENDS(groups, stop_under_load) {
    gy_addr at;
    gy_timer timer = {0};
    if (virtual(backend)) SKIP("virtual time does not wait for other threads");
    for (int way = 0; way < 2; way++) {
        begin(backend, way ? server_give : server_accept, &at, GY_MS(20));
        rounds = -1;
        clients_begin(here, &at);
        gy_timer_start(here, &timer, (gy_timer_opts){.fn = stop_now, .after = GY_MS(20)});
        CHECK_EQ(gy_loop_run(here), 0); /* each client loses its connection, or never had one */
        CHECK_EQ(clients_closed, CLIENTS);
        CHECK(refused >= CLIENTS);
        CHECK_EQ(gy_group_free(group), 0);
        CHECK_EQ(closed, taken);
        CHECK_EQ(strange, 0);
        CHECK_EQ(gy_loop_free(here), 0);
    }
}

/* ---- tasks from several threads, while the group ends ------------------------------------------------------------ */

enum { SENDERS = 3, TASKS = 3000 };

static _Atomic int ran, accepted;

static void task_run(gy_message *message) {
    look(message->loop);
    ran++;
}

static gy_message *tasks;

static void *sender_main(void *arg) {
    gy_message *mine = tasks + TASKS * *(int *)arg;
    for (int i = 0; i < TASKS; i++)
        if (gy_group_post(group, i % 2 ? GY_GROUP_ANY : i / 2 % LOOPS, &mine[i], task_run) == 0) accepted++;
    return NULL;
}

TEST_BACKENDS(groups, what_was_accepted_runs_also_in_the_end) {
    pthread_t thread[SENDERS];
    int number[SENDERS];
    if (virtual(backend)) SKIP("virtual time does not wait for other threads");
    for (int round = 0; round < 2; round++) {
        reset();
        ran = accepted = 0;
        tasks = calloc((size_t)SENDERS * TASKS, sizeof *tasks);
        CHECK(tasks != NULL);
        CHECK_EQ(gy_group_new(&group, (gy_group_opts){.count = LOOPS, .loop.backend = backend}), 0);
        for (int i = 0; i < SENDERS; i++) {
            number[i] = i;
            CHECK_EQ(pthread_create(&thread[i], NULL, sender_main, &number[i]), 0);
        }
        if (round) gy_group_stop(group);
        for (int i = 0; i < SENDERS; i++) pthread_join(thread[i], NULL);
        gy_group_stop(group);
        CHECK_EQ(gy_group_join(group), 0);
        CHECK_EQ(ran, accepted);
        if (!round) CHECK_EQ(accepted, SENDERS * TASKS);
        CHECK_EQ(strange, 0);
        CHECK_EQ(gy_group_post(group, GY_GROUP_ANY, &tasks[0], task_run), GY_ECLOSED);
        CHECK_EQ(gy_group_free(group), 0);
        free(tasks);
    }
}
