/* SPDX-License-Identifier: ISC */
/* Edges: changes that the kernel reports once.
 *
 * Who watches edges must not lose one: what was reported and not used up is never reported again, so a lost edge is a
 * connection that sleeps for ever. The other danger is the opposite one: what is always ready (a file, /dev/null, a
 * pipe whose reader is gone) must not keep the loop from waiting when nobody asks anything of it. Backends that report
 * states are held to the same behaviour. */
#include "streams.h"

#include <poll.h>

#include "loop/loop.h"

typedef struct watch {
    gy_io io;
    unsigned calls, events;
    int err;
} watch;

static void watch_run(gy_io *io, int err, unsigned events) {
    watch *w = GY_OF(io, watch, io);
    w->calls++;
    w->events |= events;
    w->err = err;
}

static void watch_start(kit *k, watch *w, int fd, unsigned events) {
    *w = (watch){.calls = 0};
    CHECK_EQ(gy_io_start(k->loop, &w->io, fd, events, watch_run), 0);
}

static void pair_open(int ends[2]) { CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }

static void pair_close(const int ends[2]) {
    close(ends[0]);
    close(ends[1]);
}

/* ---- reads that stop short of what is there ---------------------------------------------------------------------- */

typedef struct listener {
    gy_stream s;
    char buf[64], text[64];
    int len, err;
} listener;

static void listener_read(gy_stream *s, int err, gy_buf got) {
    listener *r = GY_OF(s, listener, s);
    r->err = err;
    if (err) return;
    CHECK((size_t)r->len + got.len < sizeof r->text);
    memcpy(r->text + r->len, got.base, got.len);
    r->len += (int)got.len;
    CHECK_EQ(gy_stream_read(s, GY_BUF(r->buf), listener_read), 0);
}

/* Waits until the kernel says that there is something, opens a stream, and reads until `expected` has come. */
static void listener_expect(kit *k, int fd, const char *expected) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    listener r = {.len = 0};
    CHECK_EQ(poll(&ready, 1, 10000), 1);
    CHECK_EQ(gy_stream_open(k->loop, &r.s, fd), 0);
    CHECK_EQ(gy_stream_read(&r.s, GY_BUF(r.buf), listener_read), 0);
    kit_until(k, &r.len, (int)strlen(expected));
    CHECK_EQ(r.err, 0);
    CHECK_STR(r.text, expected);
    gy_stream_close(&r.s, NULL);
    kit_run(k);
}

/* A terminal gives one line for each read, however large the buffer. Who takes that for the end of what is there never
 * sees the second line. */
TEST_BACKENDS(edges, a_terminal_gives_all_its_lines) {
    kit k;
    kit_open(&k, backend);
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master)) SKIP("no pseudo terminals here");
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (slave < 0) SKIP("no pseudo terminals here");
    CHECK_EQ(write(master, "one\ntwo\nthree\n", 14), 14);
    listener_expect(&k, slave, "one\ntwo\nthree\n");
    close(master);
    kit_close(&k);
}

/* Records are read one by one too. */
TEST_BACKENDS(edges, a_socket_of_records_gives_all_of_them) {
    kit k;
    int ends[2];
    kit_open(&k, backend);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends)) SKIP("no local sockets of records here");
    CHECK_EQ(send(ends[1], "abc", 3, 0), 3);
    CHECK_EQ(send(ends[1], "efg", 3, 0), 3);
    listener_expect(&k, ends[0], "abcefg");
    close(ends[1]);
    kit_close(&k);
}

static void send_with_descriptor(int to, const char *text, int fd) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char copy[16];
    memset(&control, 0, sizeof control);
    snprintf(copy, sizeof copy, "%s", text);
    struct iovec io = {copy, strlen(copy)};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &io;
    message.msg_iovlen = 1;
    message.msg_control = control.room;
    message.msg_controllen = sizeof control.room;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    CHECK_EQ(sendmsg(to, &message, 0), (ssize_t)io.iov_len);
}

/* A read of a local socket stops where descriptors were sent along. They are dropped here; the bytes must not be. */
TEST_BACKENDS(edges, descriptors_sent_along_do_not_hide_the_bytes_behind_them) {
    kit k;
    int ends[2];
    kit_open(&k, backend);
    pair_open(ends);
    send_with_descriptor(ends[1], "abc", ends[1]);
    CHECK_EQ(send(ends[1], "efg", 3, 0), 3);
    listener_expect(&k, ends[0], "abcefg");
    close(ends[1]);
    kit_close(&k);
}

/* A read of tcp stops at the mark of urgent data. */
TEST_BACKENDS(edges, an_urgent_mark_does_not_hide_the_bytes_behind_it) {
    kit k;
    struct sockaddr_in in;
    socklen_t len = sizeof in;
    kit_open(&k, backend);
    memset(&in, 0, sizeof in);
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int door = socket(AF_INET, SOCK_STREAM, 0), peer = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind(door, (struct sockaddr *)&in, sizeof in), 0);
    CHECK_EQ(listen(door, 1), 0);
    CHECK_EQ(getsockname(door, (struct sockaddr *)&in, &len), 0);
    CHECK_EQ(connect(peer, (struct sockaddr *)&in, len), 0);
    int fd = accept(door, NULL, NULL);
    CHECK(fd >= 0);
    CHECK_EQ(send(peer, "abc", 3, 0), 3);
    CHECK_EQ(send(peer, "d", 1, MSG_OOB), 1);
    CHECK_EQ(send(peer, "efg", 3, 0), 3);
    listener_expect(&k, fd, "abcefg");
    close(door);
    close(peer);
    kit_close(&k);
}

/* ---- what is always ready ---------------------------------------------------------------------------------------- */

static void time_is_up(gy_timer *timer) { gy_loop_stop(timer->loop); }

/* An open stream of which nobody wants anything: the loop sleeps until the timer. */
static void sleeps_beside(kit *k, gy_stream *s) {
    gy_loop_stats before, after;
    gy_timer timer = {.user = NULL};
    kit_turns(k, 4);
    CHECK_EQ(gy_loop_timeout(k->loop), -1);
    gy_loop_stats_get(k->loop, &before);
    gy_timer_start(k->loop, &timer, (gy_timer_opts){.fn = time_is_up, .after = GY_MS(30)});
    CHECK_EQ(gy_loop_run(k->loop), 1);
    gy_loop_stats_get(k->loop, &after);
    CHECK(after.turns - before.turns < 10);
    CHECK(gy_stream_is_open(s));
}

/* The standard input of a daemon. The kernel does not watch it (epoll) or finds it ready at all times. */
TEST_BACKENDS(edges, a_stream_on_dev_null_lets_the_loop_sleep_and_works) {
    kit k;
    char buf[8];
    kit_note note = {.reads = 0};
    gy_stream s = {.user = &note};
    gy_write w = {.user = &note};
    kit_open(&k, backend);
    CHECK_EQ(gy_stream_open(k.loop, &s, open("/dev/null", O_RDWR)), 0);
    sleeps_beside(&k, &s);
    CHECK_EQ(gy_stream_write(&s, &w, (gy_buf){buf, 1}, kit_note_write), 0);
    kit_until(&k, &note.writes, 1);
    CHECK_EQ(note.err, 0);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(note.err, GY_EOF);
    sleeps_beside(&k, &s);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    kit_close(&k);
}

/* Some kernels refuse to watch the writing end of a pipe when nobody can read it any more. */
TEST_BACKENDS(edges, a_stream_on_a_pipe_without_reader_lets_the_loop_sleep) {
    kit k;
    int ends[2];
    gy_stream s = {.user = NULL};
    kit_open(&k, backend);
    CHECK_EQ(pipe(ends), 0);
    close(ends[0]);
    CHECK_EQ(gy_stream_open(k.loop, &s, ends[1]), 0);
    sleeps_beside(&k, &s);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    kit_close(&k);
}

/* What was asked of a file first must not decide how it is treated when something else is asked. */
TEST_BACKENDS(edges, a_file_stays_always_ready_when_the_interest_changes) {
    kit k;
    watch w;
    char path[] = "/tmp/gyre-edges-XXXXXX";
    unsigned asked[] = {GY_READABLE, GY_READABLE | GY_WRITABLE, GY_WRITABLE, GY_READABLE | GY_WRITABLE, GY_READABLE};
    kit_open(&k, backend);
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    unlink(path);
    watch_start(&k, &w, fd, GY_READABLE);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        CHECK_EQ(gy_io_restart(&w.io, asked[i]), 0);
        w.calls = w.events = 0;
        kit_turns(&k, 3);
        CHECK_EQ(w.calls, 3);
        CHECK_EQ(w.events, asked[i]);
    }
    gy_io_stop(&w.io);
    kit_turns(&k, 1);
    CHECK_EQ(k.loop->always, 0);
    close(fd);
    kit_close(&k);
}

/* Of a file there is no change to wait for, so who asks for changes is told at once, and again when asking anew. */
TEST_BACKENDS(edges, an_edge_watcher_of_a_file_is_told_each_time_it_asks) {
    kit k;
    watch w;
    char path[] = "/tmp/gyre-edges-XXXXXX";
    kit_open(&k, backend);
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    unlink(path);
    watch_start(&k, &w, fd, GY_READABLE | GY_EDGE);
    kit_turns(&k, 2);
    CHECK(w.calls >= 1);
    CHECK_EQ(w.events, GY_READABLE);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(gy_io_restart(&w.io, (i ? GY_READABLE : GY_READABLE | GY_WRITABLE) | GY_EDGE), 0);
        if (i) gy_io_stop(&w.io);
        if (i) CHECK_EQ(gy_io_restart(&w.io, GY_READABLE | GY_EDGE), 0);
        w.calls = w.events = 0;
        kit_turns(&k, 2);
        CHECK(w.calls >= 1);
    }
    gy_io_stop(&w.io);
    kit_turns(&k, 1);
    close(fd);
    kit_close(&k);
}

/* ---- edges that were collected and not told ---------------------------------------------------------------------- */

typedef struct rival {
    gy_io io;
    struct rival *other;
    unsigned calls;
    bool by_change; /* take the other's event by changing what it waits for, not by stopping it */
} rival;

/* The first to run takes the other one's event away, and has it wait again. */
static void rival_run(gy_io *io, int err, unsigned events) {
    rival *self = GY_OF(io, rival, io), *other = self->other;
    CHECK_EQ(err, 0);
    CHECK(events & GY_READABLE);
    if (self->calls++ || other->calls) return;
    if (self->by_change) CHECK_EQ(gy_io_restart(&other->io, GY_WRITABLE | GY_EDGE), 0);
    else gy_io_stop(&other->io);
    CHECK_EQ(gy_io_restart(&other->io, GY_READABLE | GY_EDGE), 0);
}

static void rivals(const char *backend, bool by_change) {
    kit k;
    int a[2], b[2];
    rival one = {.by_change = by_change}, two = {.by_change = by_change};
    kit_open(&k, backend);
    pair_open(a);
    pair_open(b);
    one.other = &two;
    two.other = &one;
    CHECK_EQ(gy_io_start(k.loop, &one.io, a[0], GY_READABLE | GY_EDGE, rival_run), 0);
    CHECK_EQ(gy_io_start(k.loop, &two.io, b[0], GY_READABLE | GY_EDGE, rival_run), 0);
    kit_turns(&k, 2);
    CHECK_EQ(write(a[1], "x", 1), 1);
    CHECK_EQ(write(b[1], "x", 1), 1);
    kit_turns(&k, 5);
    CHECK(one.calls >= 1);
    CHECK(two.calls >= 1);
    gy_io_stop(&one.io);
    gy_io_stop(&two.io);
    kit_turns(&k, 1);
    pair_close(a);
    pair_close(b);
    kit_close(&k);
}

/* In the end the kernel watches what it watched before, but its report is gone. */
TEST_BACKENDS(edges, a_watcher_stopped_and_restarted_after_its_event_was_collected_is_told) { rivals(backend, false); }

TEST_BACKENDS(edges, a_watcher_changed_twice_after_its_event_was_collected_is_told) { rivals(backend, true); }

/* Data that came before the second one was started is news to it, though the kernel has told it to the first. */
static void second(const char *backend, void (*start)(kit *, watch *, int fd)) {
    kit k;
    int ends[2];
    watch one, two;
    kit_open(&k, backend);
    pair_open(ends);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    watch_start(&k, &one, ends[0], GY_READABLE | GY_EDGE);
    kit_turns(&k, 2);
    CHECK(one.calls >= 1);
    start(&k, &two, ends[0]);
    kit_turns(&k, 2);
    CHECK(two.calls >= 1);
    gy_io_stop(&one.io);
    gy_io_stop(&two.io);
    kit_turns(&k, 1);
    pair_close(ends);
    kit_close(&k);
}

static void start_edges(kit *k, watch *w, int fd) { watch_start(k, w, fd, GY_READABLE | GY_EDGE); }

TEST_BACKENDS(edges, a_second_watcher_is_told_of_what_is_there_already) { second(backend, start_edges); }

/* It wants states for a moment, too short for the kernel to hear of that. */
static void start_turning(kit *k, watch *w, int fd) {
    watch_start(k, w, fd, GY_READABLE);
    CHECK_EQ(gy_io_restart(&w->io, GY_READABLE | GY_EDGE), 0);
}

TEST_BACKENDS(edges, a_second_watcher_that_turns_to_edges_is_told_of_what_is_there_already) {
    second(backend, start_turning);
}

/* The same with a stream, which watches edges where it can: it finds what a watcher has seen already. */
TEST_BACKENDS(edges, a_stream_beside_a_watcher_reads_what_is_there_already) {
    kit k;
    int ends[2];
    watch w;
    kit_open(&k, backend);
    pair_open(ends);
    CHECK_EQ(write(ends[1], "abc", 3), 3);
    watch_start(&k, &w, ends[0], GY_READABLE | GY_WRITABLE | GY_EDGE);
    kit_turns(&k, 2);
    listener r = {.len = 0};
    CHECK_EQ(gy_stream_open(k.loop, &r.s, ends[0]), 0);
    CHECK_EQ(gy_stream_read(&r.s, GY_BUF(r.buf), listener_read), 0);
    for (int i = 0; i < 10; i++) CHECK(gy_loop_step(k.loop, GY_STEP_POLL) >= 0);
    CHECK_STR(r.text, "abc");
    gy_io_stop(&w.io);
    gy_stream_close(&r.s, NULL);
    kit_run(&k);
    close(ends[1]);
    kit_close(&k);
}

/* To ask the kernel again costs a call, which is for those only who might have missed something. */
TEST_BACKENDS(edges, asking_again_for_the_same_costs_no_system_call) {
    kit k;
    int ends[2];
    watch w;
    kit_open(&k, backend);
    pair_open(ends);
    watch_start(&k, &w, ends[0], GY_READABLE | GY_EDGE);
    kit_turns(&k, 2);
    uint64_t begun = kit_syscalls(&k);
    kit_turns(&k, 1);
    uint64_t plain = kit_syscalls(&k) - begun;
    CHECK_EQ(gy_io_restart(&w.io, GY_READABLE | GY_EDGE), 0);
    begun = kit_syscalls(&k);
    kit_turns(&k, 1);
    CHECK_EQ(kit_syscalls(&k) - begun, plain);
    gy_io_stop(&w.io);
    kit_turns(&k, 1);
    pair_close(ends);
    kit_close(&k);
}

/* ---- what watchers of one descriptor must not do to each other --------------------------------------------------- */

/* The bit that asks for edges is never told, whatever the backend keeps in its place. */
TEST_BACKENDS(edges, the_end_is_told_in_public_bits_only) {
    kit k;
    int ends[2], pair[2];
    watch reader, both;
    unsigned known = GY_READABLE | GY_WRITABLE | GY_PRIORITY | GY_ERROR | GY_HANGUP;
    kit_open(&k, backend);
    CHECK_EQ(pipe(ends), 0);
    pair_open(pair);
    watch_start(&k, &reader, ends[0], GY_READABLE);
    watch_start(&k, &both, pair[0], GY_READABLE | GY_WRITABLE);
    close(ends[1]);
    close(pair[1]);
    kit_turns(&k, 3);
    CHECK(reader.calls >= 1);
    CHECK(both.calls >= 1);
    CHECK_EQ(reader.events & ~known, 0);
    CHECK_EQ(both.events & ~known, 0);
    gy_io_stop(&reader.io);
    gy_io_stop(&both.io);
    kit_turns(&k, 1);
    close(ends[0]);
    close(pair[0]);
    kit_close(&k);
}

/* A wish that the backend cannot fulfil is refused to who has it, and to nobody else. */
TEST_BACKENDS(edges, a_wish_that_is_refused_harms_nobody_else) {
    kit k;
    watch level, urgent;
    gy_stream s = {.user = NULL};
    kit_open(&k, backend);
    bool can = k.loop->poller.caps & GYI_CAP_PRIORITY;
    int peer = kit_half(&k, &s);
    watch_start(&k, &level, gy_stream_fd(&s), GY_READABLE);
    kit_turns(&k, 2);
    urgent = (watch){.calls = 0};
    CHECK_EQ(gy_io_start(k.loop, &urgent.io, gy_stream_fd(&s), GY_PRIORITY, watch_run), can ? 0 : -ENOTSUP);
    if (!can) CHECK_EQ(gy_io_restart(&level.io, GY_READABLE | GY_PRIORITY), -ENOTSUP);
    CHECK_EQ(write(peer, "abc", 3), 3);
    kit_turns(&k, 3);
    CHECK_EQ(urgent.calls, 0);
    CHECK(level.calls >= 1);
    CHECK_EQ(level.err, 0);
    CHECK(gy_io_active(&level.io));
    char buf[8];
    kit_note note = {.reads = 0};
    s.user = &note;
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), kit_note_read), 0);
    kit_until(&k, &note.reads, 1);
    CHECK_EQ(note.err, 0);
    CHECK_EQ(note.got, 3);
    gy_io_stop(&level.io);
    gy_io_stop(&urgent.io);
    gy_stream_close(&s, NULL);
    kit_run(&k);
    close(peer);
    kit_close(&k);
}
