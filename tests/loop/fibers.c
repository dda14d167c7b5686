/* SPDX-License-Identifier: ISC */
/* The order of fibers among promises, jobs and events: ECMAScript's, job for job. The rule numbers are those of
 * docs/internals/promise.md and fibers.md. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ruler.h"

static gy_promise *start(gy_fiber_fn *fn, void *arg) {
    return gy_fiber_start(loop, (gy_fiber_opts){.fn = fn, .arg = arg});
}

static gy_value awaits_twice(void *arg) {
    say("begin");
    gy_await(arg);
    say("once");
    gy_await(arg);
    say("twice");
    return gy_num(0);
}

TEST_BACKENDS(fibers, p14_the_body_begins_in_the_call_and_an_await_takes_1) {
    begin(backend);
    gy_promise *p = settled(gy_num(0));
    ruler();
    start(awaits_twice, p);
    say("started");
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(trace.text, "begin started 1 once 2 twice 3 4 5");
    gy_promise_free(p);
    end();
}

TEST_BACKENDS(fibers, p14_an_await_that_comes_first_is_first) {
    begin(backend);
    gy_promise *p = settled(gy_num(0));
    start(awaits_twice, p);
    ruler();
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(trace.text, "begin once 1 twice 2 3 4 5");
    gy_promise_free(p);
    end();
}

static gy_value returns_value(void *arg) {
    (void)arg;
    return gy_num(1);
}

static gy_value returns_await(void *arg) { return gy_await(arg); }

static gy_value returns_promise(void *arg) { return gy_adopt(arg); }

/* In what job the reaction on a fiber's promise runs. */
static void jobs(const char *backend, gy_fiber_fn *fn, const char *want) {
    begin(backend);
    gy_promise *p = settled(gy_num(0));
    ruler();
    gy_then(start(fn, p), say_then, "x");
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(trace.text, want);
    gy_promise_free(p);
    end();
}

TEST_BACKENDS(fibers, p06_a_value_takes_1) { jobs(backend, returns_value, "1 x 2 3 4 5"); }

TEST_BACKENDS(fibers, p06_one_await_of_a_value_takes_2) { jobs(backend, returns_await, "1 2 x 3 4 5"); }

TEST_BACKENDS(fibers, p06_returning_a_promise_takes_3) { jobs(backend, returns_promise, "1 2 3 x 4 5"); }

static gy_value awaits_rejected(void *arg) {
    say(gy_error_name(gy_value_err(gy_await(arg))));
    return gy_err(-EPIPE);
}

static gy_value name_error(gy_value v, void *ctx) {
    (void)ctx;
    say(gy_error_name(gy_value_err(v)));
    return gy_num(0);
}

TEST_BACKENDS(fibers, p15_a_rejection_is_seen_at_the_await_and_the_start_never_fails) {
    begin(backend);
    gy_promise *p = settled(gy_err(-EIO));
    gy_catch(start(awaits_rejected, p), name_error, NULL);
    say("started");
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(trace.text, "started EIO EPIPE");
    gy_promise_free(p);
    end();
}

/* ---- among other entries of the queue -------------------------------------------------------------------------- */

static void say_job(gy_job *job) { say(job->user); }

static gy_value yields(void *arg) {
    say("a");
    gy_fiber_yield(loop);
    say(arg);
    return gy_num(0);
}

static void say_timer(gy_timer *timer) {
    say("timer");
    start(awaits_twice, timer->user);
}

TEST_BACKENDS(fibers, a_resumed_fiber_comes_after_ticks_and_before_the_next_event) {
    begin(backend);
    gy_promise *p = settled(gy_num(0));
    gy_job tick = {.user = "tick"}, immediate = {.user = "immediate"};
    gy_timer timer = {.user = p}, next = {.user = p};
    gy_timer_start(loop, &timer, (gy_timer_opts){.fn = say_timer});
    gy_timer_start(loop, &next, (gy_timer_opts){.fn = say_timer});
    gy_immediate(loop, &immediate, say_job);
    gy_defer(loop, &tick, say_job);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(strncmp(trace.text, "tick ", 5) == 0);
    CHECK(strstr(trace.text, "timer begin once twice timer begin once twice") != NULL);
    gy_promise_free(p);
    end();
}

TEST_BACKENDS(fibers, yield_lets_everything_else_pass) {
    begin(backend);
    gy_job micro = {.user = "micro"};
    start(yields, "b");
    gy_microtask(loop, &micro, say_job);
    ruler();
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(trace.text, "a micro 1 2 3 4 5 b");
    end();
}

static gy_value spins(void *arg) {
    bool *over = arg;
    gy_promise *p = settled(gy_num(0));
    while (!*over) gy_await(p);
    gy_promise_free(p);
    return gy_num(0);
}

static void is_over(gy_timer *timer) { *(bool *)timer->user = true; }

TEST_BACKENDS(fibers, awaits_in_a_row_do_not_starve_events) {
    begin(backend);
    bool over = false;
    gy_timer timer = {.user = &over};
    gy_timer_start(loop, &timer, (gy_timer_opts){.fn = is_over, .after = strcmp(backend, "sim") ? GY_US(200) : 0});
    start(spins, &over);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(over);
    end();
}

/* ---- with the world -------------------------------------------------------------------------------------------- */

typedef struct meeting {
    gy_io io;
    gy_promise *readable;
    int fd[2];
} meeting;

static void readable(gy_io *io, int err, unsigned events) {
    meeting *m = GY_OF(io, meeting, io);
    (void)events;
    gy_io_stop(io);
    gy_promise_resolve(m->readable, err ? gy_err(err) : gy_num(1));
}

static gy_value reader(void *arg) {
    meeting *m = arg;
    char byte = 0;
    int err = gy_io_start(loop, &m->io, m->fd[0], GY_READABLE, readable);
    if (!err) err = gy_value_err(gy_await(m->readable));
    if (err || read(m->fd[0], &byte, 1) != 1) return gy_err(-EIO);
    return gy_num(byte);
}

static gy_value writer(void *arg) {
    meeting *m = arg;
    int err = gy_fiber_sleep(loop, GY_MS(2));
    if (!err && write(m->fd[1], "q", 1) != 1) err = -EIO;
    return err ? gy_err(err) : gy_num(0);
}

TEST_BACKENDS(fibers, two_fibers_meet_at_a_pipe) {
    meeting m = {.readable = NULL};
    begin(backend);
    CHECK_EQ(pipe(m.fd), 0);
    CHECK_EQ(gy_promise_new(loop, &m.readable), 0);
    gy_promise *both[] = {start(reader, &m), start(writer, &m)};
    gy_promise *all = gy_promise_ref(gy_all(loop, both, 2));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_promise_state_of(all), GY_FULFILLED);
    const gy_list *list = gy_promise_value(all).ptr;
    CHECK_EQ(list->at[0].num, 'q');
    gy_promise_free(all);
    gy_promise_free(m.readable);
    close(m.fd[0]);
    close(m.fd[1]);
    end();
}

static gy_value sleeps(void *arg) {
    gy_ns before = gy_loop_now(loop);
    CHECK_EQ(gy_fiber_sleep(loop, GY_MS(3)), 0);
    CHECK(gy_loop_now(loop) - before >= GY_MS(3));
    ++*(int *)arg;
    return gy_num(0);
}

TEST_BACKENDS(fibers, many_sleep_side_by_side_and_never_too_short) {
    int woken = 0;
    begin(backend);
    for (int i = 0; i < 200; i++) start(sleeps, &woken);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(woken, 200);
    end();
}
