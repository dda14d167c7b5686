/* SPDX-License-Identifier: ISC */
/* Descriptors in trouble: numbers that are used again, duplicates, files, closed descriptors, the end of a connection,
 * very many, and fork. What goes well is in descriptors.c.
 *
 * The commonest fatal bug of reactors is an event that reaches the next user of a number. Here every user of a number
 * has an account of its own, so a stray event shows. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"

static gy_loop *loop;

struct watch {
    gy_io io;
    unsigned calls, events;
    int err;
};

static void watch_run(gy_io *io, int err, unsigned events) {
    struct watch *w = GY_OF(io, struct watch, io);
    w->calls++;
    w->events |= events;
    w->err = err;
}

static void start(struct watch *w, int fd, unsigned events) {
    CHECK_EQ(gy_io_start(loop, &w->io, fd, events, watch_run), 0);
}

static void begin(const char *backend) { CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0); }

static void end(void) {
    CHECK(gyi_slots_check(&loop->slots));
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static void steps(int count) {
    for (int i = 0; i < count; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
}

static void make_pair(int pair[2]) { CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0); }

static void close_pair(const int pair[2]) {
    close(pair[0]);
    close(pair[1]);
}

/* ---- numbers that are used again --------------------------------------------------------------------------------- */

/* Within one turn: the loop never saw a moment without a watcher of this number. */
TEST_BACKENDS(descriptors, number_reused_within_a_turn) {
    int old[2], new[2];
    struct watch a = {.calls = 0}, b = {.calls = 0};
    begin(backend);
    make_pair(old);
    start(&a, old[0], GY_READABLE);
    steps(1);
    gy_io_stop(&a.io);
    make_pair(new);
    CHECK_EQ(write(old[1], "old", 3), 3);
    CHECK_EQ(dup2(new[0], old[0]), old[0]); /* the old file is gone, and the number is the new one's */
    start(&b, old[0], GY_READABLE);
    steps(3);
    CHECK_EQ(a.calls, 0);
    CHECK_EQ(b.calls, 0);
    CHECK_EQ(write(new[1], "new", 3), 3);
    steps(1);
    CHECK_EQ(b.calls, 1);
    CHECK_EQ(a.calls, 0);
    gy_io_stop(&b.io);
    close_pair(old);
    close_pair(new);
    end();
}

TEST_BACKENDS(descriptors, number_reused_across_turns) {
    int old[2], new[2];
    struct watch a = {.calls = 0}, b = {.calls = 0};
    begin(backend);
    make_pair(old);
    start(&a, old[0], GY_READABLE);
    steps(1);
    gy_io_stop(&a.io);
    close(old[0]);
    steps(2);
    make_pair(new);
    CHECK_EQ(new[0], old[0]);
    start(&b, new[0], GY_READABLE);
    steps(2);
    CHECK_EQ(b.calls, 0);
    CHECK_EQ(write(new[1], "new", 3), 3);
    steps(1);
    CHECK_EQ(b.calls, 1);
    gy_io_stop(&b.io);
    close(old[1]);
    close_pair(new);
    end();
}

static int reuse_old[2], reuse_new[2];
static struct watch reuse_a, reuse_b;

static void reuse_run(gy_io *io, int err, unsigned events) {
    (void)err;
    (void)events;
    gy_io_stop(io);
    gy_io_stop(&reuse_a.io); /* collected in this very turn */
    CHECK_EQ(dup2(reuse_new[0], reuse_old[0]), reuse_old[0]);
    start(&reuse_b, reuse_old[0], GY_READABLE);
}

TEST_BACKENDS(descriptors, number_reused_in_a_callback_while_its_old_event_is_queued) {
    int first[2];
    gy_io io = {.user = NULL};
    reuse_a = reuse_b = (struct watch){.calls = 0};
    begin(backend);
    make_pair(first);
    make_pair(reuse_old);
    make_pair(reuse_new);
    CHECK_EQ(gy_io_start(loop, &io, first[0], GY_READABLE, reuse_run), 0);
    start(&reuse_a, reuse_old[0], GY_READABLE);
    CHECK_EQ(write(first[1], "x", 1), 1);
    CHECK_EQ(write(reuse_old[1], "x", 1), 1);
    steps(4);
    CHECK_EQ(reuse_b.calls, 0);
    CHECK(reuse_a.calls <= 1); /* whichever the kernel reported first */
    CHECK_EQ(write(reuse_new[1], "x", 1), 1);
    steps(1);
    CHECK_EQ(reuse_b.calls, 1);
    gy_io_stop(&reuse_b.io);
    close_pair(first);
    close_pair(reuse_old);
    close_pair(reuse_new);
    end();
}

/* The file lives on through its duplicate, so the kernel goes on reporting what can no longer be unregistered. */
TEST_BACKENDS(descriptors, duplicate_closed_while_registered_does_not_spin) {
    int pair[2], other[2];
    struct watch a = {.calls = 0}, b = {.calls = 0};
    gy_loop_stats after;
    begin(backend);
    make_pair(pair);
    make_pair(other);
    int copy = dup(pair[0]);
    CHECK(copy >= 0);
    start(&a, copy, GY_READABLE);
    start(&b, other[0], GY_READABLE);
    steps(1);
    gy_io_stop(&a.io);
    close(copy);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    steps(2);
    CHECK_EQ(loop->poller.ops->wait(&loop->poller, loop->ready, loop->batch, GY_MS(5)), 0); /* nothing is reported */
    gy_loop_stats_get(loop, &after);
    CHECK(after.stale <= 2);
    CHECK_EQ(a.calls, 0);
    CHECK_EQ(write(other[1], "x", 1), 1);
    steps(1);
    CHECK_EQ(b.calls, 1); /* the others are still watched */
    gy_io_stop(&b.io);
    close_pair(pair);
    close_pair(other);
    end();
}

/* ---- files, closed descriptors ----------------------------------------------------------------------------------- */

TEST_BACKENDS(descriptors, a_regular_file_is_always_ready) {
    char path[] = "/tmp/gyre-descriptors-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    unlink(path);
    struct watch r = {.calls = 0}, w = {.calls = 0}, e = {.calls = 0};
    begin(backend);
    start(&r, fd, GY_READABLE);
    start(&w, fd, GY_WRITABLE | GY_READABLE);
    for (int i = 0; i < 3; i++) CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_EQ(r.calls, 3);
    CHECK_EQ(r.events, GY_READABLE);
    CHECK_EQ(w.calls, 3);
    CHECK_EQ(w.events, GY_READABLE | GY_WRITABLE);
    gy_io_stop(&r.io);
    gy_io_stop(&w.io);
    start(&e, fd, GY_WRITABLE | GY_ONESHOT);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(e.calls, 1);
    steps(1);
    CHECK_EQ(loop->always, 0); /* nobody watches it, so the loop may wait again */
    close(fd);
    end();
}

TEST_BACKENDS(descriptors, a_number_that_was_a_file_may_become_a_socket) {
    int fd = open("/", O_RDONLY), pair[2];
    CHECK(fd >= 0);
    struct watch a = {.calls = 0}, b = {.calls = 0};
    begin(backend);
    make_pair(pair);
    start(&a, fd, GY_READABLE);
    steps(1);
    gy_io_stop(&a.io);
    CHECK_EQ(dup2(pair[0], fd), fd);
    start(&b, fd, GY_READABLE);
    steps(3);
    CHECK_EQ(b.calls, 0);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    steps(1);
    CHECK_EQ(b.calls, 1);
    gy_io_stop(&b.io);
    close(fd);
    close_pair(pair);
    end();
}

TEST_BACKENDS(descriptors, a_closed_descriptor_is_told_when_it_is_registered) {
    int pair[2];
    struct watch a = {.calls = 0}, b = {.calls = 0};
    begin(backend);
    make_pair(pair);
    close_pair(pair);
    start(&a, pair[0], GY_READABLE);
    start(&b, pair[0], GY_WRITABLE);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(a.err, -EBADF);
    CHECK_EQ(a.events, 0);
    CHECK_EQ(b.calls, 1);
    CHECK_EQ(b.err, -EBADF);
    CHECK(!gy_io_active(&a.io));
    CHECK_EQ(gy_io_restart(&a.io, GY_READABLE), -EINVAL);
    make_pair(pair);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    start(&a, pair[0], GY_READABLE | GY_ONESHOT); /* and the watcher is as good as new */
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.err, 0);
    CHECK_EQ(a.calls, 2);
    close_pair(pair);
    end();
}

TEST_BACKENDS(descriptors, a_descriptor_closed_while_watched_is_told_where_the_backend_can_know) {
    int pair[2];
    struct watch a = {.calls = 0};
    begin(backend);
    make_pair(pair);
    start(&a, pair[0], GY_READABLE);
    steps(1);
    close(pair[0]);
    steps(3);
    bool knows = !(loop->poller.caps & GYI_CAP_CLOSE);
    CHECK_EQ(a.calls, knows ? 1 : 0);
    CHECK_EQ(a.err, knows ? -EBADF : 0);
    gy_io_stop(&a.io);
    close(pair[1]);
    steps(1);
    end();
}

/* ---- the end of a connection ------------------------------------------------------------------------------------- */

TEST_BACKENDS(descriptors, hang_up_is_told_to_who_reads_and_to_who_writes) {
    int pair[2];
    struct watch r = {.calls = 0}, w = {.calls = 0};
    begin(backend);
    make_pair(pair);
    start(&r, pair[0], GY_READABLE);
    start(&w, pair[0], GY_WRITABLE);
    close(pair[1]);
    steps(1);
    CHECK_EQ(r.calls, 1);
    CHECK(r.events & GY_READABLE);
    CHECK_EQ(w.calls, 1);
    CHECK(w.events & GY_WRITABLE);
    CHECK(w.events & GY_HANGUP);
    gy_io_stop(&r.io);
    gy_io_stop(&w.io);
    close(pair[0]);
    end();
}

TEST_BACKENDS(descriptors, a_pipe_without_a_writer_is_readable) {
    int ends[2];
    struct watch r = {.calls = 0};
    begin(backend);
    CHECK_EQ(pipe(ends), 0);
    start(&r, ends[0], GY_READABLE);
    steps(1);
    CHECK_EQ(r.calls, 0);
    close(ends[1]);
    steps(1);
    CHECK_EQ(r.calls, 1);
    CHECK(r.events & GY_READABLE);
    gy_io_stop(&r.io);
    close(ends[0]);
    end();
}

TEST_BACKENDS(descriptors, a_pipe_without_a_reader_is_writable) {
    int ends[2];
    struct watch w = {.calls = 0};
    begin(backend);
    CHECK_EQ(pipe(ends), 0);
    close(ends[0]);
    start(&w, ends[1], GY_WRITABLE);
    steps(1);
    CHECK_EQ(w.calls, 1);
    CHECK(w.events & GY_WRITABLE);
    gy_io_stop(&w.io);
    close(ends[1]);
    end();
}

TEST_BACKENDS(descriptors, an_edge_watcher_is_told_of_the_end) {
    int pair[2];
    struct watch r = {.calls = 0};
    begin(backend);
    make_pair(pair);
    start(&r, pair[0], GY_READABLE | GY_EDGE);
    steps(1);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    steps(1);
    close(pair[1]);
    unsigned before = r.calls;
    steps(1);
    CHECK_EQ(r.calls, before + 1);
    CHECK_EQ(r.events & ~(unsigned)GYI_EVENTS, 0); /* the bit for streams is not for users */
    gy_io_stop(&r.io);
    close(pair[0]);
    end();
}

/* ---- very many, none left, fork ---------------------------------------------------------------------------------- */

enum { MANY = 1500 };
static struct watch many[2 * MANY];
static int many_fd[2 * MANY];

TEST_BACKENDS(descriptors, three_thousand) {
    struct rlimit limit;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 2 * MANY + 64) {
        limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
        if (limit.rlim_cur < 2 * MANY + 64 || setrlimit(RLIMIT_NOFILE, &limit)) SKIP("RLIMIT_NOFILE is too low");
    }
    memset(many, 0, sizeof many);
    begin(backend);
    for (int i = 0; i < MANY; i++) make_pair(&many_fd[2 * i]);
    for (int i = 0; i < 2 * MANY; i++) start(&many[i], many_fd[i], GY_READABLE);
    steps(1);
    for (int i = 0; i < 2 * MANY; i++) CHECK_EQ(many[i].calls, 0);
    for (int i = 0; i < 2 * MANY; i++) CHECK_EQ(write(many_fd[i ^ 1], "x", 1), 1);
    steps(2 * MANY / 128 + 2); /* a batch is 256, or what a backend can; a round shows everybody */
    for (int i = 0; i < 2 * MANY; i++) CHECK(many[i].calls >= 1);
    for (int i = 0; i < 2 * MANY; i++) {
        gy_io_stop(&many[i].io);
        close(many_fd[i]);
    }
    steps(1);
    end();
}

TEST_BACKENDS(descriptors, a_loop_runs_on_when_no_descriptor_is_left) {
    struct rlimit limit, none;
    int pair[2];
    struct watch w = {.calls = 0};
    gy_loop *second = NULL;
    begin(backend);
    make_pair(pair);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = (rlim_t)pair[1] + 1;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    int err = gy_loop_new(&second, (gy_loop_opts){.backend = backend});
    CHECK_EQ(write(pair[1], "x", 1), 1);
    start(&w, pair[0], GY_READABLE | GY_ONESHOT);
    int ran = gy_loop_run(loop);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK_EQ(err, -EMFILE);
    CHECK(second == NULL);
    CHECK_EQ(ran, 0);
    CHECK_EQ(w.calls, 1);
    close_pair(pair);
    end();
}

static int in_child(struct watch *w, const int pair[2]) {
    if (gy_loop_reopen(loop)) return 1;
    if (write(pair[1], "c", 1) != 1) return 2;
    if (gy_loop_step(loop, GY_STEP_WAIT) != 1 || w->calls != 1) return 3;
    gy_io_stop(&w->io);
    if (gy_loop_run(loop) || gy_loop_free(loop)) return 4;
    return 0;
}

TEST_BACKENDS(descriptors, reopen_in_a_forked_child) {
    int pair[2], status = -1;
    struct watch w = {.calls = 0};
    begin(backend);
    make_pair(pair);
    start(&w, pair[0], GY_READABLE);
    steps(1);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) _exit(in_child(&w, pair));
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    steps(1); /* what the child wrote; the parent's loop has lost nothing */
    CHECK_EQ(w.calls, 1);
    gy_io_stop(&w.io);
    close_pair(pair);
    end();
}
