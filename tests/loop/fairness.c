/* SPDX-License-Identifier: ISC */
/* Fairness: what can go on for ever leaves room for the others, and what waits for its turn keeps its order.
 *
 * A callback that starts the next read, write or accept, a job that queues the next one: with a peer that is fast
 * enough none of these chains ever ends by itself, so a turn ends them after a while and leaves the rest for the next
 * turn. How long that while is, is nobody's business; that it is finite is. What was left for later must then come
 * before what was started after it, and before the end of the stream that it belongs to. */
#include "streams.h"

enum { TURN_MOST = 5000, CHAIN_MOST = 100000, MANY = 200, ECHOES = 120 };

/* A timer that is due notices whether others are let in. */
static void note_timer(gy_timer *timer) { ++*(int *)timer->user; }

static void timer_begin(kit *k, gy_timer *timer, int *fired) {
    *timer = (gy_timer){.user = fired};
    gy_timer_start(k->loop, timer, (gy_timer_opts){.fn = note_timer, .after = 0});
}

/* ---- chains ------------------------------------------------------------------------------------------------------ */

typedef struct chain {
    gy_stream s;
    gy_write w;
    int links;
    char buf[1];
} chain;

/* Ends by itself at a length that no turn should allow, so that a loop without bounds fails instead of hanging. */
static void chain_read(gy_stream *s, int err, gy_buf got) {
    chain *c = GY_OF(s, chain, s);
    if (err == GY_ECANCELED) return;
    CHECK_EQ(err, 0);
    CHECK_EQ(got.len, 1);
    if (++c->links < CHAIN_MOST) CHECK_EQ(gy_stream_read(s, GY_BUF(c->buf), chain_read), 0);
}

static void chain_write(gy_write *w, int err) {
    chain *c = GY_OF(w, chain, w);
    CHECK_EQ(err, 0);
    if (++c->links < CHAIN_MOST && gy_stream_is_open(w->stream))
        CHECK_EQ(gy_stream_write(w->stream, w, GY_BUF(c->buf), chain_write), 0);
}

/* Takes a few turns, none of which may go on for ever, and in which a timer has its chance. */
static void chain_is_bounded(kit *k, chain *c) {
    gy_timer timer;
    int fired = 0;
    timer_begin(k, &timer, &fired);
    for (int turn = 0; turn < 10; turn++) {
        int before = c->links;
        kit_turns(k, 1);
        CHECK(c->links - before < TURN_MOST);
    }
    CHECK_EQ(fired, 1);
    CHECK(c->links > 10); /* and it does go on */
    gy_stream_close(&c->s, NULL);
    kit_turns(k, 2);
}

TEST_BACKENDS(fairness, reads_that_never_end_let_others_in) {
    kit k;
    chain c = {.links = 0};
    kit_open(&k, backend);
    CHECK_EQ(gy_stream_open(k.loop, &c.s, open("/dev/zero", O_RDONLY)), 0);
    CHECK_EQ(gy_stream_read(&c.s, GY_BUF(c.buf), chain_read), 0);
    chain_is_bounded(&k, &c);
    kit_close(&k);
}

TEST_BACKENDS(fairness, writes_that_never_end_let_others_in) {
    kit k;
    chain c = {.links = 0};
    kit_open(&k, backend);
    CHECK_EQ(gy_stream_open(k.loop, &c.s, open("/dev/null", O_WRONLY)), 0);
    CHECK_EQ(gy_stream_write(&c.s, &c.w, GY_BUF(c.buf), chain_write), 0);
    chain_is_bounded(&k, &c);
    kit_close(&k);
}

/* A peer that has sent very much more than is read at once, and another one that has sent a byte. */
TEST_BACKENDS(fairness, a_peer_that_has_sent_much_lets_others_in) {
    kit k;
    static char much[60000];
    chain c = {.links = 0};
    char buf[4];
    kit_note note = {.reads = 0};
    gy_stream other = {.user = &note};
    kit_open(&k, backend);
    int fast = kit_half(&k, &c.s), slow = kit_half(&k, &other);
    CHECK(write(fast, much, sizeof much) > 2 * TURN_MOST);
    CHECK_EQ(write(slow, "x", 1), 1);
    CHECK_EQ(gy_stream_read(&c.s, GY_BUF(c.buf), chain_read), 0);
    CHECK_EQ(gy_stream_read(&other, GY_BUF(buf), kit_note_read), 0);
    chain_is_bounded(&k, &c);
    CHECK_EQ(note.reads, 1);
    gy_stream_close(&other, NULL);
    kit_turns(&k, 2);
    close(fast);
    close(slow);
    kit_close(&k);
}

/* Connections that wait already are accepted in a chain too. */
TEST_BACKENDS(fairness, accepting_lets_others_in) {
    kit k;
    kit_server server;
    int fds[MANY], most = 0;
    struct sockaddr_un un;
    kit_open(&k, backend);
    kit_server_open(&k, &server, KIT_LOCAL);
    memset(&un, 0, sizeof un);
    un.sun_family = AF_UNIX;
    CHECK(strlen(k.addr) < sizeof un.sun_path);
    memcpy(un.sun_path, k.addr, strlen(k.addr));
    for (int i = 0; i < MANY; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK(fds[i] >= 0);
        CHECK_EQ(fcntl(fds[i], F_SETFL, O_NONBLOCK), 0);
        if (connect(fds[i], (struct sockaddr *)&un, sizeof un)) SKIP("so many connections cannot wait here");
    }
    for (int before = 0; server.accepted < MANY; before = server.accepted) {
        kit_turns(&k, 1);
        if (server.accepted - before > most) most = server.accepted - before;
    }
    CHECK(most < MANY - 20);
    for (int i = 0; i < MANY; i++) close(fds[i]);
    kit_until(&k, &server.closed, MANY);
    gy_stream_close(&server.listener, NULL);
    kit_run(&k);
    kit_close(&k);
}

/* ---- jobs that never end ----------------------------------------------------------------------------------------- */

typedef struct endless {
    gy_job job, immediate;
    gy_stream s;
    int jobs, immediates, closes;
} endless;

static void endless_run(gy_job *job) {
    endless *e = job->user;
    if (++e->jobs < CHAIN_MOST) gy_defer(job->loop, job, endless_run);
}

static void endless_immediate(gy_job *job) { ((endless *)job->user)->immediates++; }

static void endless_closed(gy_stream *s) { ((endless *)s->user)->closes++; }

/* The budget lets I/O and timers in; what belongs to the end of a turn must not wait for the end of the chain. */
TEST_BACKENDS(fairness, a_chain_of_jobs_lets_immediates_and_closing_streams_in) {
    gy_loop *loop;
    int ends[2];
    endless e = {.jobs = 0};
    e.job.user = e.immediate.user = e.s.user = &e;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend, .job_budget = 100}), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQ(gy_stream_open(loop, &e.s, ends[0]), 0);
    gy_defer(loop, &e.job, endless_run);
    gy_immediate(loop, &e.immediate, endless_immediate);
    gy_stream_close(&e.s, endless_closed);
    for (int turn = 0; turn < 10; turn++) CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(e.immediates, 1);
    CHECK_EQ(e.closes, 1);
    CHECK(e.jobs > 100);
    CHECK(e.jobs < CHAIN_MOST);
    CHECK(gy_job_cancel(&e.job));
    CHECK_EQ(gy_loop_run(loop), 0);
    close(ends[1]);
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* ---- the order of what is left for later ------------------------------------------------------------------------- */

typedef struct batch {
    gy_stream *s; /* NULL once it is closed */
    gy_write w[MANY], last;
    gy_job job;
    gy_hook hook;
    int done, closed, after_close, last_at, out_of_order, close_at, turns;
    kit *k;
} batch;

static void batch_closed(gy_stream *s) {
    batch *b = s->user;
    b->closed++;
    b->s = NULL;
    memset(s, 0xdd, sizeof *s);
    free(s);
}

static void batch_written(gy_write *w, int err) {
    batch *b = w->user;
    if (b->closed) b->after_close++;
    CHECK(err == 0 || err == GY_ECANCELED);
    if (w == &b->last) b->last_at = b->done;
    else if (w - b->w != b->done) b->out_of_order++;
    if (++b->done == b->close_at) gy_stream_close(b->s, batch_closed);
}

static void batch_write_all(batch *b) {
    for (int i = 0; i < MANY; i++) {
        b->w[i] = (gy_write){.user = b};
        CHECK_EQ(gy_stream_write(b->s, &b->w[i], (gy_buf){"x", 1}, batch_written), 0);
    }
}

static void batch_run(gy_job *job) {
    batch *b = job->user;
    batch_write_all(b);
    if (b->close_at == 0) gy_stream_close(b->s, batch_closed);
}

/* @return the peer's descriptor. */
static int batch_open(kit *k, batch *b, int close_at) {
    memset(b, 0, sizeof *b);
    b->k = k;
    b->close_at = close_at;
    b->last_at = -1;
    b->job.user = b->hook.user = b->last.user = b;
    b->s = calloc(1, sizeof *b->s);
    CHECK(b->s != NULL);
    b->s->user = b;
    return kit_half(k, b->s);
}

/* More writes report than a turn takes, and the stream is closed at different points meanwhile. Each write reports
 * before the close callback, after which the memory is gone. */
TEST_BACKENDS(fairness, all_writes_report_before_their_stream_is_closed) {
    static batch b;
    int when[] = {0, 1, 63, 64, 65, 100, MANY - 1, MANY};
    for (size_t i = 0; i < sizeof when / sizeof *when; i++) {
        kit k;
        kit_open(&k, backend);
        int peer = batch_open(&k, &b, when[i]);
        if (i % 2) gy_immediate(k.loop, &b.job, batch_run);
        else gy_defer(k.loop, &b.job, batch_run);
        kit_run(&k);
        CHECK_EQ(b.done, MANY);
        CHECK_EQ(b.closed, 1);
        CHECK_EQ(b.after_close, 0);
        CHECK_EQ(b.out_of_order, 0);
        close(peer);
        kit_close(&k);
    }
}

/* In the second turn, when the first writes have reported and the rest was left for later. */
static void batch_hook(gy_hook *hook) {
    batch *b = hook->user;
    if (b->turns++ != 1) return;
    CHECK_EQ(gy_stream_write(b->s, &b->last, (gy_buf){"y", 1}, batch_written), 0);
    gy_hook_stop(hook);
}

/* Writes report in the order in which they were made, also those that are made before the poll. */
TEST_BACKENDS(fairness, a_write_does_not_overtake_those_left_for_later) {
    static batch b;
    kit k;
    kit_open(&k, backend);
    int peer = batch_open(&k, &b, -1);
    CHECK_EQ(gy_hook_start(k.loop, &b.hook, GY_HOOK_BEFORE_POLL, batch_hook), 0);
    gy_immediate(k.loop, &b.job, batch_run);
    kit_until(&k, &b.done, MANY + 1);
    CHECK_EQ(b.out_of_order, 0);
    CHECK_EQ(b.last_at, MANY);
    gy_stream_close(b.s, batch_closed);
    kit_run(&k);
    close(peer);
    kit_close(&k);
}

/* ---- many at once ------------------------------------------------------------------------------------------------ */

typedef struct echo {
    gy_stream s;
    gy_write w;
    int *done;
    char buf[8];
} echo;

static void echo_read(gy_stream *s, int err, gy_buf got);

static void echo_written(gy_write *w, int err) {
    echo *e = GY_OF(w, echo, w);
    CHECK_EQ(err, 0);
    ++*e->done;
    CHECK_EQ(gy_stream_read(&e->s, GY_BUF(e->buf), echo_read), 0);
}

static void echo_read(gy_stream *s, int err, gy_buf got) {
    echo *e = GY_OF(s, echo, s);
    if (err == GY_ECANCELED) return;
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_stream_write(s, &e->w, got, echo_written), 0);
}

/* The bound is on what a turn adds to what it has found, not on how many it serves: connections that all have something
 * to say are all answered in the turn that hears of them. */
TEST_BACKENDS(fairness, as_many_as_are_ready_are_served_in_one_turn) {
    kit k;
    static echo e[ECHOES];
    int peers[ECHOES], done = 0;
    unsigned most = strcmp(backend, "kqueue") ? 1 : 2; /* reading and writing are two reports there, of 128 at once */
    memset(e, 0, sizeof e);
    kit_open(&k, backend);
    for (int i = 0; i < ECHOES; i++) {
        e[i].done = &done;
        peers[i] = kit_half(&k, &e[i].s);
        CHECK_EQ(gy_stream_read(&e[i].s, GY_BUF(e[i].buf), echo_read), 0);
    }
    kit_turns(&k, 5);
    for (int round = 1; round <= 5; round++) {
        for (int i = 0; i < ECHOES; i++) CHECK_EQ(write(peers[i], "x", 1), 1);
        gy_loop_stats before, after;
        gy_loop_stats_get(k.loop, &before);
        kit_until(&k, &done, round * ECHOES);
        gy_loop_stats_get(k.loop, &after);
        CHECK(after.turns - before.turns <= most);
        kit_turns(&k, 3);
    }
    for (int i = 0; i < ECHOES; i++) {
        gy_stream_close(&e[i].s, NULL);
        close(peers[i]);
    }
    kit_run(&k);
    kit_close(&k);
}
