/* SPDX-License-Identifier: ISC */
/* Coroutines without a stack among promises, descriptors, streams and timers: the order is that of fibers, and what
 * they await is real. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ruler.h"

/* ---- order ----------------------------------------------------------------------------------------------------- */

typedef struct orderly {
    gy_coro co, child;
    gy_promise *promise;
} orderly;

static void awaits_twice(gy_coro *co) {
    orderly *o = GY_OF(co, orderly, co);
    GY_ASYNC_BEGIN(co);
    say("begin");
    GY_AWAIT(co, o->promise);
    say("once");
    GY_AWAIT(co, o->promise);
    say("twice");
    GY_ASYNC_END(co, gy_num(0));
}

TEST_BACKENDS(coros, p14_the_body_begins_in_the_call_and_an_await_takes_1) {
    begin(backend);
    orderly o = {.promise = settled(gy_num(0))};
    ruler();
    CHECK_EQ(gy_coro_start(loop, &o.co, (gy_coro_opts){.fn = awaits_twice}), 0);
    say("started");
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(trace.text, "begin started 1 once 2 twice 3 4 5");
    gy_promise_free(o.promise);
    end();
}

static void returns_at_once(gy_coro *co) {
    GY_ASYNC_BEGIN(co);
    say("child");
    GY_ASYNC_END(co, gy_num(0));
}

static void awaits_child(gy_coro *co) {
    orderly *o = GY_OF(co, orderly, co);
    GY_ASYNC_BEGIN(co);
    gy_coro_start(loop, &o->child, (gy_coro_opts){.fn = returns_at_once});
    GY_AWAIT_CORO(co, &o->child);
    say("parent");
    GY_ASYNC_END(co, gy_num(0));
}

TEST_BACKENDS(coros, p06_awaiting_one_that_has_ended_takes_1) {
    begin(backend);
    orderly o = {.promise = NULL};
    ruler();
    gy_coro_start(loop, &o.co, (gy_coro_opts){.fn = awaits_child});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(trace.text, "child 1 parent 2 3 4 5");
    end();
}

static void awaits_once(gy_coro *co) {
    orderly *o = GY_OF(co, orderly, co);
    GY_ASYNC_BEGIN(co);
    GY_AWAIT(co, o->promise);
    GY_ASYNC_END(co, gy_num(0));
}

TEST_BACKENDS(coros, p06_the_promise_of_one_that_awaits_once_takes_2) {
    begin(backend);
    orderly o = {.promise = settled(gy_num(0))};
    ruler();
    gy_coro_start(loop, &o.co, (gy_coro_opts){.fn = awaits_once});
    gy_then(GY_PROMISE(loop, coro, &o.co, gy_coro_join(&o.co)), say_then, "x");
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(trace.text, "1 2 x 3 4 5");
    gy_promise_free(o.promise);
    end();
}

/* ---- with the world -------------------------------------------------------------------------------------------- */

typedef struct pipes {
    gy_coro reader, writer;
    gy_io io;
    gy_timer timer;
    int fd[2];
    char got;
} pipes;

static void reads_pipe(gy_coro *co) {
    pipes *p = GY_OF(co, pipes, reader);
    GY_ASYNC_BEGIN(co);
    GY_AWAIT_REQUEST(co, io, &p->io, gy_io_start(loop, &p->io, p->fd[0], GY_READABLE, gy_settle_io));
    if (!co->err && read(p->fd[0], &p->got, 1) != 1) GY_RETURN(co, gy_err(-EIO));
    GY_ASYNC_END(co, co->err ? gy_err(co->err) : gy_num(0));
}

static void writes_pipe(gy_coro *co) {
    pipes *p = GY_OF(co, pipes, writer);
    gy_ns now = gy_loop_now(loop);
    GY_ASYNC_BEGIN(co);
    p->timer.user = p;
    GY_AWAIT_DELAY(co, &p->timer, GY_MS(2));
    CHECK(gy_timer_due(&p->timer) <= now);
    CHECK(p->timer.user == p);
    if (write(p->fd[1], "q", 1) != 1) GY_RETURN(co, gy_err(-EIO));
    GY_ASYNC_END(co, gy_num(0));
}

TEST_BACKENDS(coros, two_meet_at_a_pipe) {
    pipes p = {.got = 0};
    begin(backend);
    CHECK_EQ(pipe(p.fd), 0);
    gy_coro_start(loop, &p.reader, (gy_coro_opts){.fn = reads_pipe});
    gy_coro_start(loop, &p.writer, (gy_coro_opts){.fn = writes_pipe});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(p.reader.err, 0);
    CHECK_EQ(p.got, 'q');
    close(p.fd[0]);
    close(p.fd[1]);
    end();
}

typedef struct talk {
    gy_coro co, echo;
    gy_stream near, far;
    gy_write said, echoed;
    gy_cancel stop;
    char heard[16], buf[16];
    int rounds, closed;
} talk;

/* What was read, which the start of the write still finds in the coroutine. */
static gy_buf talk_got(talk *t, gy_value read) { return (gy_buf){t->buf, (size_t)read.num}; }

static void talk_echo(gy_coro *co) {
    talk *t = GY_OF(co, talk, echo);
    GY_ASYNC_BEGIN(co);
    for (;;) {
        GY_AWAIT_REQUEST(co, read, &t->far, gy_stream_read(&t->far, GY_BUF(t->buf), gy_settle_read));
        if (co->err) break;
        GY_AWAIT_REQUEST(co, write, &t->echoed,
                         gy_stream_write(&t->far, &t->echoed, talk_got(t, co->value), gy_settle_write));
        if (co->err) break;
    }
    if (co->err != GY_EOF) say(gy_error_name(co->err));
    GY_AWAIT_REQUEST(co, close, &t->far, (gy_stream_close(&t->far, gy_settle_close), 0));
    CHECK_EQ(co->err, 0);
    t->closed++;
    GY_ASYNC_END(co, gy_num(0));
}

static void talk_asks(gy_coro *co) {
    talk *t = GY_OF(co, talk, co);
    GY_ASYNC_BEGIN(co);
    gy_coro_start(loop, &t->echo, (gy_coro_opts){.fn = talk_echo, .token = co->token});
    for (t->rounds = 0; t->rounds < 5; t->rounds++) {
        GY_AWAIT_REQUEST(co, write, &t->said,
                         gy_stream_write(&t->near, &t->said, (gy_buf){(void *)(uintptr_t)"ping", 4}, gy_settle_write));
        if (co->err) break;
        GY_AWAIT_REQUEST(co, read, &t->near, gy_stream_read(&t->near, GY_BUF(t->heard), gy_settle_read));
        if (co->err || co->value.num != 4 || memcmp(t->heard, "ping", 4) != 0) break;
    }
    if (t->stop.user) { /* nobody says anything now */
        GY_AWAIT_REQUEST(co, read, &t->near, gy_stream_read(&t->near, GY_BUF(t->heard), gy_settle_read));
        say(gy_error_name(co->err));
    }
    GY_AWAIT_REQUEST(co, close, &t->near, (gy_stream_close(&t->near, gy_settle_close), 0));
    t->closed++;
    GY_AWAIT_CORO(co, &t->echo);
    GY_ASYNC_END(co, gy_num(t->rounds));
}

TEST_BACKENDS(coros, an_echo_is_read_from_top_to_bottom) {
    talk t = {.rounds = 0};
    begin(backend);
    CHECK_EQ(gy_stream_pair(loop, &t.near, &t.far), 0);
    gy_coro_start(loop, &t.co, (gy_coro_opts){.fn = talk_asks});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(t.co.err, 0);
    CHECK_EQ(t.co.value.num, 5);
    CHECK_EQ(t.closed, 2);
    CHECK_STR(trace.text, "");
    end();
}

TEST_BACKENDS(coros, a_time_limit_ends_reads_and_everything_is_closed) {
    talk t = {.stop.user = &t};
    begin(backend);
    CHECK_EQ(gy_stream_pair(loop, &t.near, &t.far), 0);
    gy_cancel_after(loop, &t.stop, GY_MS(20));
    gy_coro_start(loop, &t.co, (gy_coro_opts){.fn = talk_asks, .token = &t.stop});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(t.stop.reason, -ETIMEDOUT);
    CHECK_EQ(t.closed, 2);
    CHECK_STR(trace.text, "GY_ECANCELED GY_ECANCELED");
    gy_cancel_close(&t.stop);
    end();
}

typedef struct sleeper {
    gy_coro co;
    gy_timer timer;
    gy_ns begun;
} sleeper;

static int woken;

static void sleeps(gy_coro *co) {
    sleeper *s = GY_OF(co, sleeper, co);
    GY_ASYNC_BEGIN(co);
    s->begun = gy_loop_now(loop);
    GY_AWAIT_DELAY(co, &s->timer, GY_MS(3));
    CHECK(gy_loop_now(loop) - s->begun >= GY_MS(3));
    woken++;
    GY_ASYNC_END(co, gy_num(0));
}

TEST_BACKENDS(coros, many_sleep_side_by_side_and_never_too_short) {
    static sleeper all[500];
    memset(all, 0, sizeof all);
    woken = 0;
    begin(backend);
    for (int i = 0; i < 500; i++) gy_coro_start(loop, &all[i].co, (gy_coro_opts){.fn = sleeps});
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(woken, 500);
    end();
}
