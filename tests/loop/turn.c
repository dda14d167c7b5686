/* SPDX-License-Identifier: ISC */
/* The turn: in which order callbacks, jobs and immediates run, and how a run ends. The names begin with the ids of the
 * rules in docs/internals/ (L1 to L10: those of Node.js, as far as gyre has them).
 *
 * Everything that is called writes a word to `heard`, so that a test is the comparison of one text. Events come from
 * timers that are due at once and from a pipe that is readable, because those are collected in a known order. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"

static gy_loop *loop;
static char heard[512];

static void say(const char *word) {
    size_t len = strlen(heard);
    if (len + strlen(word) + 2 < sizeof heard) snprintf(heard + len, sizeof heard - len, "%s%s", len ? " " : "", word);
}

static void begin(const char *backend, unsigned budget) {
    heard[0] = 0;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend, .job_budget = budget}), 0);
}

static void end(const char *expected) {
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(heard, expected);
    CHECK(gyi_queue_check(&loop->queue));
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* ---- things that are called -------------------------------------------------------------------------------------- */

enum kind { NOTHING, TICK, MICRO, IMMEDIATE };

/* A job that says its word and may queue another one. */
struct job {
    gy_job job;
    const char *word;
    struct job *then;
    enum kind how;
};

static gy_job_fn job_run;

static void job_queue(struct job *j, enum kind how) {
    if (how == TICK) gy_defer(loop, &j->job, job_run);
    else if (how == MICRO) gy_microtask(loop, &j->job, job_run);
    else if (how == IMMEDIATE) gy_immediate(loop, &j->job, job_run);
}

static void job_run(gy_job *job) {
    struct job *j = GY_OF(job, struct job, job);
    say(j->word);
    if (j->then) job_queue(j->then, j->how);
}

/* A timer that says its word and queues a tick and a micro. */
struct event {
    gy_timer timer;
    const char *word;
    struct job *tick, *micro, *immediate;
};

static void event_run(gy_timer *timer) {
    struct event *e = GY_OF(timer, struct event, timer);
    say(e->word);
    if (e->micro) job_queue(e->micro, MICRO);
    if (e->immediate) job_queue(e->immediate, IMMEDIATE);
    if (e->tick) job_queue(e->tick, TICK);
}

static void event_start(struct event *e) {
    gy_timer_start(loop, &e->timer, (gy_timer_opts){.fn = event_run, .at = gy_loop_now(loop)});
}

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(turn, L1_jobs_after_every_callback) {
    struct job t1 = {.word = "t1"}, t2 = {.word = "t2"}, m1 = {.word = "m1"}, m2 = {.word = "m2"};
    struct event a = {.word = "a", .tick = &t1, .micro = &m1}, b = {.word = "b", .tick = &t2, .micro = &m2};
    begin(backend, 0);
    event_start(&a);
    event_start(&b);
    end("a t1 m1 b t2 m2");
}

TEST_BACKENDS(turn, L1_jobs_after_every_immediate) {
    struct job t1 = {.word = "t1"}, t2 = {.word = "t2"};
    struct job i1 = {.word = "i1", .then = &t1, .how = TICK}, i2 = {.word = "i2", .then = &t2, .how = TICK};
    begin(backend, 0);
    job_queue(&i1, IMMEDIATE);
    job_queue(&i2, IMMEDIATE);
    end("i1 t1 i2 t2");
}

TEST_BACKENDS(turn, L2_all_ticks_and_then_all_microtasks_until_both_are_empty) {
    struct job t4 = {.word = "t4"}, t3 = {.word = "t3"};
    struct job m2 = {.word = "m2", .then = &t4, .how = TICK};
    struct job t1 = {.word = "t1", .then = &t3, .how = TICK}, t2 = {.word = "t2"};
    struct job m1 = {.word = "m1", .then = &m2, .how = MICRO}, m3 = {.word = "m3"};
    begin(backend, 0);
    job_queue(&m1, MICRO);
    job_queue(&t1, TICK);
    job_queue(&m3, MICRO);
    job_queue(&t2, TICK);
    end("t1 t2 t3 m1 m3 m2 t4");
}

TEST_BACKENDS(turn, L2_no_microtask_between_two_ticks) {
    struct job m = {.word = "m"}, t2 = {.word = "t2"};
    struct job t1 = {.word = "t1", .then = &m, .how = MICRO};
    begin(backend, 0);
    job_queue(&t1, TICK);
    job_queue(&t2, TICK);
    end("t1 t2 m");
}

TEST_BACKENDS(turn, L3_before_the_first_event_ticks_come_before_microtasks) {
    struct job mt = {.word = "micro-from-tick"}, mm = {.word = "micro-from-micro"}, tm = {.word = "tick-from-micro"};
    struct job tt = {.word = "tick-from-tick", .then = &mt, .how = MICRO};
    struct job m2 = {.word = "m2", .then = &tm, .how = TICK}, m1 = {.word = "m1", .then = &mm, .how = MICRO};
    struct job t1 = {.word = "t1", .then = &tt, .how = TICK};
    struct event e = {.word = "event"};
    begin(backend, 0);
    event_start(&e);
    job_queue(&m1, MICRO);
    job_queue(&m2, MICRO);
    job_queue(&t1, TICK);
    end("t1 tick-from-tick m1 m2 micro-from-tick micro-from-micro tick-from-micro event");
}

TEST_BACKENDS(turn, L4_microtasks_are_first_in_first_out) {
    struct job m[3] = {{.word = "1"}, {.word = "2"}, {.word = "3"}};
    begin(backend, 0);
    for (int i = 0; i < 3; i++) job_queue(&m[i], MICRO);
    job_queue(&m[0], MICRO); /* queued already: keeps its place */
    end("1 2 3");
}

static unsigned many_next, many_wrong;
static gy_job many[5000];

static void many_run(gy_job *job) {
    unsigned number = (unsigned)(uintptr_t)job->user;
    if (number != many_next) many_wrong++;
    many_next = number + 1;
}

TEST_BACKENDS(turn, L5_thousands_of_ticks_keep_their_order) {
    memset(many, 0, sizeof many);
    many_next = many_wrong = 0;
    begin(backend, 0);
    for (unsigned i = 0; i < 5000; i++) {
        many[i].user = (void *)(uintptr_t)i;
        gy_defer(loop, &many[i], many_run);
    }
    end("");
    CHECK_EQ(many_next, 5000);
    CHECK_EQ(many_wrong, 0);
}

TEST_BACKENDS(turn, a_cancelled_job_does_not_run) {
    struct job a = {.word = "a"}, b = {.word = "b"}, c = {.word = "c"}, i = {.word = "i"};
    begin(backend, 0);
    job_queue(&a, TICK);
    job_queue(&b, MICRO);
    job_queue(&c, TICK);
    job_queue(&i, IMMEDIATE);
    CHECK(gy_job_cancel(&a.job) && gy_job_cancel(&b.job) && gy_job_cancel(&i.job));
    CHECK(!gy_job_cancel(&a.job));
    end("c");
}

/* ---- immediates -------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(turn, L7_immediates_of_an_immediate_run_in_the_next_turn) {
    struct job i3 = {.word = "i3"}, i2 = {.word = "i2"};
    struct job i1 = {.word = "i1", .then = &i3, .how = IMMEDIATE};
    begin(backend, 0);
    job_queue(&i1, IMMEDIATE);
    job_queue(&i2, IMMEDIATE);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_STR(heard, "i1 i2");
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 0);
    end("i1 i2 i3");
}

static struct job *victim;

static void cancel_run(gy_job *job) {
    (void)job;
    say("cancel");
    gy_job_cancel(&victim->job);
}

TEST_BACKENDS(turn, L7_an_immediate_cancelled_by_an_earlier_one_does_not_run) {
    struct job gone = {.word = "gone"}, stays = {.word = "stays"};
    gy_job cancel = {0};
    begin(backend, 0);
    victim = &gone;
    gy_immediate(loop, &cancel, cancel_run);
    job_queue(&gone, IMMEDIATE);
    job_queue(&stays, IMMEDIATE);
    end("cancel stays");
}

static struct job io_tick = {.word = "tick"}, io_micro = {.word = "micro"}, io_immediate = {.word = "immediate"};
static struct event io_timer = {.word = "timer"};

static void on_readable(gy_io *io, int err, unsigned events) {
    CHECK_EQ(err, 0);
    CHECK(events & GY_READABLE);
    say("io");
    gy_io_stop(io);
    event_start(&io_timer);
    job_queue(&io_immediate, IMMEDIATE);
    job_queue(&io_micro, MICRO);
    job_queue(&io_tick, TICK);
}

TEST_BACKENDS(turn, L8_in_an_io_callback_tick_microtask_immediate_and_then_a_timer) {
    int ends[2];
    gy_io io = {0};
    begin(backend, 0);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(gy_io_start(loop, &io, ends[0], GY_READABLE, on_readable), 0);
    end("io tick micro immediate timer");
    close(ends[0]);
    close(ends[1]);
}

TEST_BACKENDS(turn, L9_an_immediate_keeps_the_loop_alive_and_the_wait_short) {
    struct job i = {.word = "i"};
    struct event far = {.word = "far"};
    begin(backend, 0);
    gy_timer_start(loop, &far.timer, (gy_timer_opts){.fn = event_run, .after = GY_S(3600)});
    job_queue(&i, IMMEDIATE);
    CHECK(gy_loop_alive(loop));
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_STR(heard, "i");
    gy_timer_stop(&far.timer);
    end("i");
}

TEST_BACKENDS(turn, L10_ends_when_nothing_referenced_is_left) {
    struct event a = {.word = "a"}, b = {.word = "b"};
    begin(backend, 0);
    CHECK(!gy_loop_alive(loop));
    CHECK_EQ(gy_loop_run(loop), 0);
    event_start(&a);
    CHECK(gy_loop_alive(loop));
    gy_timer_unref(&b.timer);
    gy_timer_start(loop, &b.timer, (gy_timer_opts){.fn = event_run, .after = GY_S(3600)});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(heard, "a");
    CHECK(!gy_loop_alive(loop) && gy_timer_active(&b.timer));
    event_start(&a); /* more work may come, and the loop goes on */
    end("a a");
}

/* ---- the budget -------------------------------------------------------------------------------------------------- */

static unsigned chain_ran, chain_at_timer, chain_at_io, chain_stop;

static void chain_run(gy_job *job) {
    if (++chain_ran < chain_stop) gy_defer(loop, job, chain_run);
}

static void chain_micro(gy_job *job) {
    if (++chain_ran < chain_stop) gy_microtask(loop, job, chain_micro);
}

static void chain_timer(gy_timer *timer) {
    (void)timer;
    chain_at_timer = chain_ran;
}

static void chain_io(gy_io *io, int err, unsigned events) {
    (void)err;
    (void)events;
    chain_at_io = chain_ran;
    gy_io_stop(io);
}

static void chain(const char *backend, gy_job_fn *fn, void queue(gy_loop *, gy_job *, gy_job_fn *)) {
    gy_job job = {0};
    gy_timer timer = {0};
    gy_io io = {0};
    int ends[2];
    chain_ran = chain_at_io = chain_at_timer = 0;
    chain_stop = 1000;
    begin(backend, 100);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(gy_io_start(loop, &io, ends[0], GY_READABLE, chain_io), 0);
    gy_timer_start(loop, &timer, (gy_timer_opts){.fn = chain_timer, .at = gy_loop_now(loop)});
    queue(loop, &job, fn);
    end("");
    CHECK_EQ(chain_ran, 1000);
    CHECK(chain_at_io >= 100 && chain_at_io <= 300);
    CHECK(chain_at_timer >= 100 && chain_at_timer <= 300);
    close(ends[0]);
    close(ends[1]);
}

TEST_BACKENDS(turn, a_chain_of_ticks_does_not_starve_io_and_timers) { chain(backend, chain_run, gy_defer); }
TEST_BACKENDS(turn, a_chain_of_microtasks_does_not_starve_io_and_timers) { chain(backend, chain_micro, gy_microtask); }

TEST_BACKENDS(turn, the_budget_keeps_the_order_of_jobs) {
    memset(many, 0, sizeof many);
    many_next = many_wrong = 0;
    begin(backend, 7);
    for (unsigned i = 0; i < 1000; i++) {
        many[i].user = (void *)(uintptr_t)i;
        if (i < 500) gy_defer(loop, &many[i], many_run);
        else gy_microtask(loop, &many[i], many_run);
    }
    end("");
    CHECK_EQ(many_next, 1000);
    CHECK_EQ(many_wrong, 0);
}

static unsigned in_row, in_row_most;

static void row_run(gy_job *job) {
    (void)job;
    if (++in_row > in_row_most) in_row_most = in_row;
}

static void row_break(gy_hook *hook) {
    (void)hook;
    in_row = 0;
}

TEST_BACKENDS(turn, at_most_the_budget_runs_in_a_row) {
    gy_hook hook = {0};
    in_row = in_row_most = 0;
    begin(backend, 10);
    CHECK_EQ(gy_hook_start(loop, &hook, GY_HOOK_AFTER_POLL, row_break), 0);
    memset(many, 0, sizeof many);
    for (unsigned i = 0; i < 100; i++) gy_defer(loop, &many[i], row_run);
    end("");
    CHECK_EQ(in_row_most, 10);
}

/* ---- stopping, stepping, nesting --------------------------------------------------------------------------------- */

static void stop_run(gy_timer *timer) {
    (void)timer;
    say("stop");
    gy_loop_stop(loop);
}

TEST_BACKENDS(turn, stop_leaves_the_rest_for_the_next_run) {
    struct job t = {.word = "t"};
    struct event a = {.word = "a", .tick = &t}, b = {.word = "b"};
    gy_timer stop = {0};
    begin(backend, 0);
    event_start(&a);
    gy_timer_start(loop, &stop, (gy_timer_opts){.fn = stop_run, .at = gy_loop_now(loop)});
    event_start(&b);
    CHECK_EQ(gy_loop_run(loop), 1);
    CHECK_STR(heard, "a t stop");
    CHECK(gy_loop_alive(loop));
    end("a t stop b");
}

static void stop_job(gy_job *job) {
    (void)job;
    say("stop");
    gy_loop_stop(loop);
}

TEST_BACKENDS(turn, stop_in_a_job_leaves_the_jobs_behind_it) {
    struct job t1 = {.word = "t1"}, t2 = {.word = "t2"}, m = {.word = "m"}, i = {.word = "i"};
    struct event e = {.word = "e"};
    gy_job stop = {0};
    begin(backend, 0);
    event_start(&e);
    job_queue(&i, IMMEDIATE);
    job_queue(&m, MICRO);
    job_queue(&t1, TICK);
    gy_defer(loop, &stop, stop_job);
    job_queue(&t2, TICK);
    CHECK_EQ(gy_loop_run(loop), 1);
    CHECK_STR(heard, "t1 stop");
    CHECK(gyi_queue_check(&loop->queue));
    end("t1 stop t2 m e i");
}

TEST_BACKENDS(turn, stop_outside_a_run_ends_the_next_one_before_its_first_callback) {
    struct event a = {.word = "a"};
    begin(backend, 0);
    event_start(&a);
    gy_loop_stop(loop);
    gy_loop_stop(loop);
    CHECK_EQ(gy_loop_run(loop), 1);
    CHECK_STR(heard, "");
    gy_loop_stop(loop);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 1);
    CHECK_STR(heard, "");
    end("a");
}

TEST_BACKENDS(turn, step_runs_one_turn) {
    struct job i2 = {.word = "i2"}, i1 = {.word = "i1", .then = &i2, .how = IMMEDIATE};
    begin(backend, 0);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_WAIT), 0); /* nothing to wait for: does not wait */
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 0);
    job_queue(&i1, IMMEDIATE);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_STR(heard, "i1");
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 0);
    end("i1 i2");
}

static int nested_run, nested_step, nested_free;

static void nested(gy_timer *timer) {
    nested_run = gy_loop_run(timer->loop);
    nested_step = gy_loop_step(timer->loop, GY_STEP_POLL);
    nested_free = gy_loop_free(timer->loop);
}

TEST_BACKENDS(turn, a_nested_run_is_refused) {
    gy_timer timer = {0};
    begin(backend, 0);
    nested_run = nested_step = nested_free = 0;
    gy_timer_start(loop, &timer, (gy_timer_opts){.fn = nested, .at = 1});
    end("");
    CHECK_EQ(nested_run, -EBUSY);
    CHECK_EQ(nested_step, -EBUSY);
    CHECK_EQ(nested_free, -EBUSY);
}
