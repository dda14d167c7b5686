/* SPDX-License-Identifier: ISC */
/* Watchers of descriptors: readiness, several watchers of one descriptor, and stopping in the middle of things. The
 * numbers that are used again, and other trouble, are in descriptor_trouble.c.
 *
 * Each test counts what its watchers were told; "nothing more is told" is asserted after some turns that do not
 * wait. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"

static gy_loop *loop;

/* A watcher that keeps account. */
struct watch {
    gy_io io;
    unsigned calls, events, last;
    int err;
    struct watch *stop;  /* stopped by the callback */
    unsigned restart;    /* restarted by the callback with this */
    bool drain; /* reads all there is */
};

static void watch_run(gy_io *io, int err, unsigned events) {
    struct watch *w = GY_OF(io, struct watch, io);
    char sink[64];
    w->calls++;
    w->events |= events;
    w->last = events;
    w->err = err;
    if (w->drain) while (read(gy_io_fd(io), sink, sizeof sink) == (ssize_t)sizeof sink) continue;
    if (w->stop) gy_io_stop(&w->stop->io);
    if (w->restart) CHECK_EQ(gy_io_restart(io, w->restart), 0);
}

static void start(struct watch *w, int fd, unsigned events) {
    CHECK_EQ(gy_io_start(loop, &w->io, fd, events, watch_run), 0);
}

static void begin(const char *backend, int pair[2]) {
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void end(int pair[2]) {
    CHECK(gyi_slots_check(&loop->slots));
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    if (pair[0] >= 0) close(pair[0]);
    if (pair[1] >= 0) close(pair[1]);
}

static void steps(int count) {
    for (int i = 0; i < count; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
}

static gy_loop_stats stats(void) {
    gy_loop_stats s;
    gy_loop_stats_get(loop, &s);
    return s;
}

static bool has_edges(void) { return loop->poller.caps & GYI_CAP_EDGE; }

/* ---- readiness --------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(descriptors, readable_when_there_is_something_to_read) {
    int pair[2];
    struct watch w = {.calls = 0};
    begin(backend, pair);
    start(&w, pair[0], GY_READABLE);
    CHECK(gy_io_active(&w.io));
    CHECK_EQ(gy_io_fd(&w.io), pair[0]);
    steps(3);
    CHECK_EQ(w.calls, 0);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(w.calls, 1);
    CHECK_EQ(w.last, GY_READABLE);
    steps(2);
    CHECK_EQ(w.calls, 3); /* a level stays until it is read */
    w.drain = true;
    steps(3);
    CHECK_EQ(w.calls, 4);
    gy_io_stop(&w.io);
    gy_io_stop(&w.io);
    CHECK(!gy_io_active(&w.io));
    end(pair);
}

TEST_BACKENDS(descriptors, writable_until_it_is_full) {
    int pair[2];
    static char chunk[65536];
    struct watch w = {.calls = 0};
    begin(backend, pair);
    start(&w, pair[0], GY_WRITABLE);
    steps(1);
    CHECK_EQ(w.calls, 1);
    CHECK_EQ(w.last, GY_WRITABLE);
    while (send(pair[0], chunk, sizeof chunk, MSG_DONTWAIT) > 0) continue;
    steps(3);
    CHECK_EQ(w.calls, 1);
    while (recv(pair[1], chunk, sizeof chunk, MSG_DONTWAIT) > 0) continue;
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(w.calls, 2);
    gy_io_stop(&w.io);
    end(pair);
}

TEST_BACKENDS(descriptors, a_pipe_in_both_roles) {
    int ends[2];
    struct watch r = {.drain = true}, w = {.calls = 0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(pipe(ends), 0);
    start(&r, ends[0], GY_READABLE);
    start(&w, ends[1], GY_WRITABLE);
    steps(2);
    CHECK_EQ(r.calls, 0);
    CHECK_EQ(w.calls, 2);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    steps(2);
    CHECK_EQ(r.calls, 1);
    CHECK_EQ(w.calls, 4);
    gy_io_stop(&r.io);
    gy_io_stop(&w.io);
    end(ends);
}

TEST_BACKENDS(descriptors, several_watchers_of_one_with_different_interests) {
    int pair[2];
    struct watch a = {.calls = 0}, b = {.calls = 0}, c = {.calls = 0};
    begin(backend, pair);
    start(&a, pair[0], GY_READABLE);
    start(&b, pair[0], GY_WRITABLE);
    start(&c, pair[0], GY_READABLE | GY_WRITABLE);
    steps(1);
    CHECK_EQ(a.calls, 0);
    CHECK_EQ(b.calls, 1);
    CHECK_EQ(c.calls, 1);
    CHECK_EQ(c.events, GY_WRITABLE);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    steps(1);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(a.events, GY_READABLE);
    CHECK_EQ(b.events, GY_WRITABLE);
    CHECK_EQ(c.calls, 2); /* once, though the backend may have told it in two pieces */
    CHECK_EQ(c.last, GY_READABLE | GY_WRITABLE);
    gy_io_stop(&b.io);
    gy_io_stop(&c.io);
    steps(1);
    CHECK_EQ(a.calls, 2);
    gy_io_stop(&a.io);
    end(pair);
}

TEST_BACKENDS(descriptors, an_edge_is_told_once_where_the_backend_can) {
    int pair[2];
    struct watch w = {.calls = 0};
    begin(backend, pair);
    start(&w, pair[0], GY_READABLE | GY_EDGE);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    steps(4);
    CHECK_EQ(w.calls, has_edges() ? 1 : 4);
    CHECK_EQ(write(pair[1], "y", 1), 1);
    unsigned before = w.calls;
    steps(1);
    CHECK_EQ(w.calls, before + 1);
    CHECK_EQ(w.events, GY_READABLE);
    gy_io_stop(&w.io);
    end(pair);
}

TEST_BACKENDS(descriptors, a_level_watcher_beside_an_edge_watcher_gets_the_level) {
    int pair[2];
    struct watch level = {.calls = 0}, edge = {.calls = 0};
    begin(backend, pair);
    start(&edge, pair[0], GY_READABLE | GY_EDGE);
    start(&level, pair[0], GY_READABLE);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    steps(3);
    CHECK_EQ(level.calls, 3);
    CHECK(edge.calls >= 1);
    gy_io_stop(&level.io);
    gy_io_stop(&edge.io);
    end(pair);
}

TEST_BACKENDS(descriptors, one_shot_stops_before_its_call) {
    int pair[2];
    struct watch w = {.calls = 0};
    begin(backend, pair);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    start(&w, pair[0], GY_READABLE | GY_ONESHOT);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(w.calls, 1);
    CHECK(!gy_io_active(&w.io));
    CHECK_EQ(gy_io_restart(&w.io, GY_READABLE | GY_ONESHOT), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(w.calls, 2);
    end(pair);
}

TEST_BACKENDS(descriptors, one_shot_may_restart_itself) {
    int pair[2];
    struct watch w = {.restart = GY_READABLE | GY_ONESHOT};
    begin(backend, pair);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    start(&w, pair[0], GY_READABLE | GY_ONESHOT);
    steps(3);
    CHECK_EQ(w.calls, 3);
    gy_io_stop(&w.io);
    end(pair);
}

/* ---- stopping in the middle -------------------------------------------------------------------------------------- */

TEST_BACKENDS(descriptors, stop_of_a_watcher_that_was_collected_in_this_turn) {
    int pair[2], second[2];
    struct watch a = {.calls = 0}, b = {.stop = &a};
    begin(backend, pair);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, second), 0);
    a.stop = &b;
    start(&a, pair[0], GY_READABLE);
    start(&b, second[0], GY_READABLE);
    steps(1);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(write(second[1], "x", 1), 1);
    steps(1);
    CHECK_EQ(a.calls + b.calls, 1); /* whoever was first has stopped the other one */
    CHECK_EQ(gy_io_active(&a.io) + gy_io_active(&b.io), 1);
    gy_io_stop(&a.io);
    gy_io_stop(&b.io);
    close(second[0]);
    close(second[1]);
    end(pair);
}

TEST_BACKENDS(descriptors, stop_of_a_watcher_of_the_same_descriptor) {
    int pair[2];
    struct watch a = {.calls = 0}, b = {.calls = 0}, c = {.calls = 0};
    begin(backend, pair);
    a.stop = &b;
    start(&a, pair[0], GY_READABLE);
    start(&b, pair[0], GY_READABLE);
    start(&c, pair[0], GY_READABLE);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    steps(1);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(b.calls, 0);
    CHECK_EQ(c.calls, 1);
    gy_io_stop(&a.io);
    gy_io_stop(&c.io);
    end(pair);
}

static void restart_other(gy_io *io, int err, unsigned events) {
    (void)err;
    (void)events;
    gy_io_stop(io);
    gy_io *other = io->user;
    CHECK_EQ(gy_io_restart(other, GY_WRITABLE), 0);
}

TEST_BACKENDS(descriptors, what_was_collected_and_is_no_longer_wanted_is_not_told) {
    int pair[2];
    struct watch b = {.calls = 0};
    gy_io a = {.user = &b.io};
    begin(backend, pair);
    CHECK_EQ(gy_io_start(loop, &a, pair[0], GY_READABLE, restart_other), 0);
    start(&b, pair[0], GY_READABLE);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    steps(1);
    CHECK_EQ(b.calls, 0);
    steps(1);
    CHECK_EQ(b.last, GY_WRITABLE);
    gy_io_stop(&b.io);
    end(pair);
}

/* ---- changes of interest ----------------------------------------------------------------------------------------- */

TEST_BACKENDS(descriptors, restart_costs_no_system_call_when_nothing_changes_in_the_end) {
    int pair[2];
    struct watch w = {.calls = 0};
    begin(backend, pair);
    start(&w, pair[0], GY_READABLE);
    steps(1);
    uint64_t before = stats().changes;
    CHECK_EQ(gy_io_restart(&w.io, GY_READABLE | GY_WRITABLE), 0);
    CHECK_EQ(gy_io_restart(&w.io, GY_READABLE), 0);
    steps(1);
    gy_io_stop(&w.io);
    CHECK_EQ(gy_io_restart(&w.io, GY_READABLE), 0);
    steps(1);
    CHECK_EQ(stats().changes, before);
    CHECK_EQ(gy_io_restart(&w.io, GY_WRITABLE), 0);
    steps(1);
    CHECK_EQ(stats().changes, before + 1);
    CHECK_EQ(w.last, GY_WRITABLE);
    gy_io_stop(&w.io);
    end(pair);
}

TEST_BACKENDS(descriptors, a_second_watcher_of_the_same_interest_costs_no_system_call) {
    int pair[2];
    struct watch a = {.calls = 0}, b = {.calls = 0};
    begin(backend, pair);
    start(&a, pair[0], GY_READABLE);
    steps(1);
    uint64_t before = stats().changes;
    start(&b, pair[0], GY_READABLE);
    steps(1);
    gy_io_stop(&a.io);
    steps(1);
    CHECK_EQ(stats().changes, before);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    steps(1);
    CHECK_EQ(a.calls, 0);
    CHECK_EQ(b.calls, 1);
    gy_io_stop(&b.io);
    end(pair);
}

/* ---- refusals, references ---------------------------------------------------------------------------------------- */

TEST_BACKENDS(descriptors, wrong_arguments) {
    int pair[2];
    gy_io io = {.user = NULL};
    begin(backend, pair);
    CHECK_EQ(gy_io_fd(&io), -1);
    CHECK_EQ(gy_io_restart(&io, GY_READABLE), -EINVAL);
    CHECK_EQ(gy_io_start(loop, &io, -1, GY_READABLE, watch_run), -EBADF);
    CHECK_EQ(gy_io_start(loop, &io, pair[0], GY_READABLE, NULL), -EINVAL);
    CHECK_EQ(gy_io_start(loop, &io, pair[0], 0, watch_run), -EINVAL);
    CHECK_EQ(gy_io_start(loop, &io, pair[0], GY_EDGE, watch_run), -EINVAL);
    CHECK_EQ(gy_io_start(loop, &io, pair[0], GY_READABLE | 0x1000, watch_run), -EINVAL);
    gy_io_stop(&io);
    CHECK(!gy_io_active(&io) && !gy_loop_alive(loop));
    CHECK_EQ(gy_io_start(loop, &io, pair[0], GY_READABLE, watch_run), 0);
    CHECK_EQ(gy_io_start(loop, &io, pair[0], GY_READABLE, watch_run), -EALREADY);
    CHECK_EQ(gy_io_restart(&io, 0), -EINVAL);
    gy_io_stop(&io);
    end(pair);
}

TEST_BACKENDS(descriptors, references) {
    int pair[2];
    struct watch w = {.calls = 0};
    begin(backend, pair);
    gy_io_unref(&w.io);
    start(&w, pair[0], GY_READABLE);
    CHECK(!gy_loop_alive(loop));
    CHECK_EQ(gy_loop_run(loop), 0);
    gy_io_ref(&w.io);
    gy_io_ref(&w.io);
    CHECK_EQ(loop->active, 1);
    gy_io_unref(&w.io);
    gy_io_unref(&w.io);
    CHECK_EQ(loop->active, 0);
    gy_io_stop(&w.io);
    start(&w, pair[0], GY_READABLE); /* survives stop and start */
    CHECK_EQ(loop->active, 0);
    gy_io_stop(&w.io);
    end(pair);
}
