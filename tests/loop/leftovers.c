/* SPDX-License-Identifier: ISC */
/* What is left behind: marks on the queue, jobs not handed over, signals that a write has raised, descriptor 0.
 *
 * Much of a loop's state is of a kind that nobody asked for: the mark of a stop, the entry that runs jobs when there
 * are some. None of it counts as work. And the library lives in a process with other inhabitants, whose SIGPIPE and
 * whose standard input are theirs. */
#include "streams.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* ---- marks are no work ------------------------------------------------------------------------------------------- */

static int runs;

static void count_job(gy_job *job) {
    (void)job;
    runs++;
}

static void count_timer(gy_timer *timer) {
    (void)timer;
    runs++;
}

/* A cancelled job leaves the entry that would have run it. A loop that took it for work would never end, and turn
 * without waiting. */
TEST_BACKENDS(leftovers, a_cancelled_job_leaves_no_work) {
    kit k;
    gy_job job = {.user = NULL};
    kit_open(&k, backend);
    runs = 0;
    for (int i = 0; i < 3; i++) {
        if (i == 0) gy_defer(k.loop, &job, count_job);
        else if (i == 1) gy_microtask(k.loop, &job, count_job);
        else gy_immediate(k.loop, &job, count_job);
        CHECK(gy_loop_alive(k.loop));
        CHECK(gy_job_cancel(&job));
        CHECK(!gy_loop_alive(k.loop));
        CHECK_EQ(gy_loop_run(k.loop), 0);
    }
    CHECK_EQ(runs, 0);
    kit_close(&k);
}

TEST_BACKENDS(leftovers, a_stop_leaves_no_work) {
    kit k;
    kit_open(&k, backend);
    gy_loop_stop(k.loop);
    CHECK(!gy_loop_alive(k.loop));
    CHECK_EQ(gy_loop_run(k.loop), 1);
    CHECK(!gy_loop_alive(k.loop));
    CHECK_EQ(gy_loop_run(k.loop), 0);
    kit_close(&k);
}

/* With virtual time, so that the number of turns is known. */
TEST(leftovers, a_step_waits_in_spite_of_a_cancelled_job) {
    kit k;
    gy_job job = {.user = NULL};
    gy_timer timer = {.user = NULL};
    kit_open(&k, "sim");
    runs = 0;
    gy_timer_start(k.loop, &timer, (gy_timer_opts){.fn = count_timer, .after = GY_S(3600)});
    gy_defer(k.loop, &job, count_job);
    CHECK(gy_job_cancel(&job));
    CHECK(gy_loop_timeout(k.loop) > 0);
    CHECK_EQ(gy_loop_step(k.loop, GY_STEP_WAIT), 0);
    CHECK_EQ(runs, 1);
    kit_close(&k);
}

/* ---- jobs of the pool -------------------------------------------------------------------------------------------- */

static void work_run(gy_work *work) { (void)work; }

static void work_done(gy_work *work, int err) {
    (void)work;
    CHECK_EQ(err, 0);
    runs++;
}

/* Handing over is not what somebody steps for: the step goes on to wait for the answer. */
TEST_BACKENDS(leftovers, one_step_hands_a_job_over_and_waits_for_it) {
    kit k;
    gy_work work = {.user = NULL};
    kit_open(&k, backend);
    runs = 0;
    CHECK_EQ(gy_pool_submit(k.loop, &work, (gy_work_opts){.run = work_run, .done = work_done}), 0);
    CHECK_EQ(gy_loop_step(k.loop, GY_STEP_WAIT), 0);
    CHECK_EQ(runs, 1);
    kit_close(&k);
}

/* ---- SIGPIPE ----------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t broken_pipes;

static void on_broken_pipe(int signo) {
    (void)signo;
    broken_pipes++;
}

static void handle_broken_pipes(void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    CHECK_EQ(sigaction(SIGPIPE, &action, NULL), 0);
}

static bool broken_pipe_in(int (*get)(sigset_t *)) {
    sigset_t set;
    sigemptyset(&set);
    CHECK_EQ(get(&set), 0);
    return sigismember(&set, SIGPIPE) == 1;
}

static int blocked(sigset_t *set) { return pthread_sigmask(SIG_BLOCK, NULL, set); }

/* A stream that nobody reads any more. */
static void open_broken(kit *k, gy_stream *s, bool socket) {
    int ends[2];
    if (socket) CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    else CHECK_EQ(pipe(ends), 0);
    close(ends[0]);
    CHECK_EQ(gy_stream_open(k->loop, s, ends[1]), 0);
}

/* Writes to it in each way that there is: at once, a second one that is gathered, an array, and without waiting. */
static void write_broken(kit *k, bool socket) {
    kit_note note = {.writes = 0};
    gy_stream s = {.user = NULL}, t = {.user = NULL};
    gy_write w[3] = {{.user = &note}, {.user = &note}, {.user = &note}};
    gy_buf parts[2] = {{"a", 1}, {"b", 1}};
    open_broken(k, &s, socket);
    open_broken(k, &t, socket);
    CHECK_EQ(gy_stream_write(&s, &w[0], parts[0], kit_note_write), 0);
    CHECK_EQ(gy_stream_write(&s, &w[1], parts[1], kit_note_write), 0);
    CHECK_EQ(gy_stream_writev(&s, &w[2], parts, 2, kit_note_write), 0);
    kit_until(k, &note.writes, 3);
    CHECK_EQ(note.err, -EPIPE);
    CHECK_EQ(gy_stream_try_write(&t, parts[0]), -EPIPE);
    gy_stream_close(&s, NULL);
    gy_stream_close(&t, NULL);
    kit_run(k);
}

/* Writing tells its trouble in the callback. A signal that ends the process is no way to say it. */
TEST_BACKENDS(leftovers, writing_to_who_is_gone_ends_no_process) {
    kit k;
    kit_open(&k, backend);
    handle_broken_pipes(SIG_DFL);
    write_broken(&k, false);
    write_broken(&k, true);
    CHECK(!broken_pipe_in(blocked));
    CHECK(!broken_pipe_in(sigpending));
    kit_close(&k);
}

TEST_BACKENDS(leftovers, a_handler_of_broken_pipes_is_for_those_of_the_program) {
    kit k;
    kit_open(&k, backend);
    broken_pipes = 0;
    handle_broken_pipes(on_broken_pipe);
    write_broken(&k, false);
    write_broken(&k, true);
    CHECK_EQ(broken_pipes, 0);
    raise(SIGPIPE);
    CHECK_EQ(broken_pipes, 1);
    kit_close(&k);
}

/* The program blocks the signal, and one waits already. It is the program's, and must be there afterwards, once. */
TEST_BACKENDS(leftovers, a_broken_pipe_that_was_pending_stays_so) {
    kit k;
    sigset_t set;
    kit_open(&k, backend);
    broken_pipes = 0;
    handle_broken_pipes(on_broken_pipe);
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    write_broken(&k, false);
    CHECK(broken_pipe_in(blocked)); /* as the program had it */
    CHECK(!broken_pipe_in(sigpending));
    raise(SIGPIPE);
    write_broken(&k, false);
    write_broken(&k, true);
    CHECK(broken_pipe_in(blocked));
    CHECK(broken_pipe_in(sigpending));
    CHECK_EQ(broken_pipes, 0);
    CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    CHECK_EQ(broken_pipes, 1);
    kit_close(&k);
}

/* ---- descriptor 0 ------------------------------------------------------------------------------------------------ */

static int allocations, fail_at;

static void *alloc_nth(size_t size, void *ctx) {
    (void)ctx;
    return ++allocations == fail_at ? NULL : malloc(size);
}

static void free_any(void *ptr, void *ctx) {
    (void)ctx;
    free(ptr);
}

/* What was never opened has a number too, before it is set: it must not be closed. */
TEST_BACKENDS(leftovers, a_loop_that_is_not_made_closes_nothing_of_others) {
    gy_loop *loop = NULL;
    gy_alloc alloc = {alloc_nth, free_any, NULL};
    if (fcntl(0, F_GETFD) < 0) CHECK_EQ(open("/dev/null", O_RDWR), 0);
    int before = kit_count_fds(), err = -ENOMEM;
    for (fail_at = 1; fail_at < 50 && err; fail_at++) {
        allocations = 0;
        err = gy_loop_new(&loop, (gy_loop_opts){.backend = backend, .alloc = alloc});
        CHECK(fcntl(0, F_GETFD) >= 0);
        if (err) CHECK_EQ(kit_count_fds(), before);
    }
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(kit_count_fds(), before);
}

/* ---- what a sender has left -------------------------------------------------------------------------------------- */

static gy_async bell;
static int left, seen; /* plain on purpose */
static _Atomic int sent;

static void on_bell(gy_async *async) {
    (void)async;
    seen = left;
}

static void *send_with_news(void *arg) {
    left = 1;
    gy_async_send(&bell);
    atomic_store_explicit(&sent, 1, memory_order_relaxed); /* which by itself promises nothing about `left` */
    return arg;
}

static void *send_often(void *arg) {
    for (int i = 0; i < 1000; i++) gy_async_send(&bell);
    return arg;
}

/* A send that coalesces with an earlier one is still a message: what was written before it is seen by the callback.
 * Only ThreadSanitizer, or a machine with weak ordering, notices when that is not so; likewise below. */
TEST_BACKENDS(leftovers, a_send_that_coalesces_brings_what_was_written_before) {
    kit k;
    pthread_t thread;
    kit_open(&k, backend);
    left = seen = 0;
    atomic_store(&sent, 0);
    CHECK_EQ(gy_async_start(k.loop, &bell, on_bell), 0);
    gy_async_send(&bell);
    CHECK_EQ(pthread_create(&thread, NULL, send_with_news, NULL), 0);
    while (!atomic_load_explicit(&sent, memory_order_relaxed)) {}
    kit_turns(&k, 1);
    CHECK_EQ(seen, 1);
    pthread_join(thread, NULL);
    gy_async_stop(&bell);
    kit_close(&k);
}

TEST_BACKENDS(leftovers, references_change_while_others_send) {
    kit k;
    pthread_t thread;
    kit_open(&k, backend);
    CHECK_EQ(gy_async_start(k.loop, &bell, on_bell), 0);
    CHECK_EQ(pthread_create(&thread, NULL, send_often, NULL), 0);
    for (int i = 0; i < 200; i++) {
        gy_async_unref(&bell);
        gy_async_ref(&bell);
        kit_turns(&k, 1);
    }
    pthread_join(thread, NULL);
    gy_async_stop(&bell);
    kit_run(&k);
    kit_close(&k);
}
