/* SPDX-License-Identifier: ISC */
/* Streams as promises: an echo without a callback of its own. */
#include <errno.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

typedef struct echo {
    gy_loop *loop;
    gy_stream server, near, far;
    gy_write write;
    char text[8], back[32];
} echo;

static void echo_begin(echo *e, const char *backend) {
    gy_addr addr;
    outcome connected = {.count = 0}, accepted = {.count = 0};
    *e = (echo){.text = "promise"};
    CHECK_EQ(gy_loop_new(&e->loop, (gy_loop_opts){.backend = backend}), 0);
    gy_listen_opts listen = {.addr = "127.0.0.1:0", .fn = gy_settle_accept};
    CHECK_EQ(gy_tcp_listen(e->loop, &e->server, listen), 0);
    gy_stream_unref(&e->server);
    CHECK_EQ(gy_stream_local_addr(&e->server, &addr), 0);
    gy_connect_opts opts = {.addr = addr.text, .fn = gy_settle_connect};
    outcome_of(GY_PROMISE(e->loop, connect, &e->near, gy_tcp_connect(e->loop, &e->near, opts)), &connected);
    outcome_of(gy_promise_accept(&e->server, &e->far, NULL), &accepted);
    gy_stream_ref(&e->server);
    while (!connected.count || !accepted.count) CHECK_EQ(gy_loop_step(e->loop, GY_STEP_WAIT), 1);
    CHECK_EQ(connected.err, 0);
    CHECK(connected.value.ptr == &e->near);
    CHECK_EQ(accepted.err, 0);
    CHECK(accepted.value.ptr == &e->far);
    gy_stream_unref(&e->server);
}

static void echo_end(echo *e) {
    outcome near = {.count = 0}, far = {.count = 0};
    gy_stream_close(&e->server, NULL);
    outcome_of(GY_PROMISE(e->loop, close, &e->near, (gy_stream_close(&e->near, gy_settle_close), 0)), &near);
    outcome_of(GY_PROMISE(e->loop, close, &e->far, (gy_stream_close(&e->far, gy_settle_close), 0)), &far);
    CHECK_EQ(gy_loop_run(e->loop), 0);
    CHECK_EQ(near.count, 1);
    CHECK_EQ(far.count, 1);
    CHECK_EQ(gy_loop_free(e->loop), 0);
}

TEST_BACKENDS(settle_stream, writes_reads_and_meets_the_end) {
    echo e;
    outcome wrote = {.count = 0}, read = {.count = 0}, busy = {.count = 0};
    echo_begin(&e, backend);
    gy_buf text = {e.text, 7};
    outcome_of(GY_PROMISE(e.loop, write, &e.write, gy_stream_write(&e.near, &e.write, text, gy_settle_write)), &wrote);
    outcome_of(GY_PROMISE(e.loop, read, &e.far, gy_stream_read(&e.far, GY_BUF(e.back), gy_settle_read)), &read);
    outcome_of(GY_PROMISE(e.loop, read, &e.far, gy_stream_read(&e.far, GY_BUF(e.back), gy_settle_read)), &busy);
    while (!wrote.count || !read.count) gy_loop_step(e.loop, GY_STEP_WAIT);
    CHECK_EQ(wrote.err, 0);
    CHECK_EQ(read.value.num, 7);
    CHECK_EQ(busy.err, -EBUSY);
    outcome_of(GY_PROMISE(e.loop, write, &e.write, gy_stream_shutdown(&e.near, &e.write, gy_settle_write)), &wrote);
    outcome_of(GY_PROMISE(e.loop, read, &e.far, gy_stream_read(&e.far, GY_BUF(e.back), gy_settle_read)), &read);
    while (wrote.count != 2 || read.count != 2) gy_loop_step(e.loop, GY_STEP_WAIT);
    CHECK_EQ(wrote.err, 0);
    CHECK_EQ(read.err, GY_EOF);
    echo_end(&e);
}

TEST_BACKENDS(settle_stream, tokens_end_reads_and_closing_ends_the_rest) {
    echo e;
    gy_cancel token = {0};
    outcome read = {.count = 0}, again = {.count = 0};
    echo_begin(&e, backend);
    e.far.user = &e;
    gy_promise *p = GY_PROMISE_UNTIL(&token, e.loop, read, &e.far,
                                     gy_stream_read(&e.far, GY_BUF(e.back), gy_settle_read));
    outcome_of(p, &read);
    gy_cancel_now(&token, -EIO);
    while (!read.count) gy_loop_step(e.loop, GY_STEP_WAIT);
    CHECK_EQ(read.err, GY_ECANCELED);
    CHECK(e.far.user == &e);
    outcome_of(GY_PROMISE(e.loop, read, &e.far, gy_stream_read(&e.far, GY_BUF(e.back), gy_settle_read)), &again);
    echo_end(&e); /* a read and the close wait for the same stream */
    CHECK_EQ(again.count, 1);
    CHECK_EQ(again.err, GY_ECANCELED);
    CHECK(e.far.user == &e);
}

static gy_promise *echo_write(echo *e) {
    gy_buf text = {e->text, 7};
    return GY_PROMISE(e->loop, write, &e->write, gy_stream_write(&e->near, &e->write, text, gy_settle_write));
}

TEST_BACKENDS(settle_stream, throws_away_until_the_end) {
    echo e;
    outcome wrote = {.count = 0}, end = {.count = 0}, busy = {.count = 0};
    char scratch[3];
    echo_begin(&e, backend);
    e.far.user = &e;
    outcome_of(GY_PROMISE(e.loop, end, &e.far, gy_stream_read(&e.far, GY_BUF(scratch), gy_settle_end)), &end);
    outcome_of(GY_PROMISE(e.loop, end, &e.far, gy_stream_read(&e.far, GY_BUF(e.back), gy_settle_end)), &busy);
    for (int i = 1; i <= 3; i++) {
        outcome_of(echo_write(&e), &wrote);
        while (wrote.count != i) gy_loop_step(e.loop, GY_STEP_WAIT);
    }
    CHECK_EQ(end.count, 0);
    CHECK_EQ(busy.err, -EBUSY);
    outcome_of(GY_PROMISE(e.loop, write, &e.write, gy_stream_shutdown(&e.near, &e.write, gy_settle_write)), &wrote);
    while (!end.count) gy_loop_step(e.loop, GY_STEP_WAIT);
    CHECK_EQ(end.err, 0);
    CHECK(e.far.user == &e);
    echo_end(&e);
}

TEST_BACKENDS(settle_stream, waiting_for_the_end_may_be_called_off) {
    echo e;
    gy_cancel token = {0};
    outcome end = {.count = 0}, closed = {.count = 0};
    echo_begin(&e, backend);
    gy_buf scratch = GY_BUF(e.back);
    outcome_of(GY_PROMISE_UNTIL(&token, e.loop, end, &e.far, gy_stream_read(&e.far, scratch, gy_settle_end)), &end);
    gy_cancel_now(&token, -EIO);
    while (!end.count) gy_loop_step(e.loop, GY_STEP_WAIT);
    CHECK_EQ(end.err, GY_ECANCELED);
    outcome_of(GY_PROMISE(e.loop, end, &e.far, gy_stream_read(&e.far, scratch, gy_settle_end)), &closed);
    echo_end(&e);
    CHECK_EQ(closed.err, GY_ECANCELED);
}
