/* SPDX-License-Identifier: ISC */
/* Accepting as a promise. */
#include <errno.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

static gy_stream server;

static gy_loop *begin(const char *backend) {
    gy_loop *loop;
    server = (gy_stream){0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    gy_listen_opts listen = {.addr = "127.0.0.1:0", .fn = gy_settle_accept};
    CHECK_EQ(gy_tcp_listen(loop, &server, listen), 0);
    return loop;
}

TEST_BACKENDS(settle_accept, one_waits_at_a_time_and_can_be_cancelled) {
    gy_loop *loop = begin(backend);
    gy_stream client = {0}, other = {0};
    gy_cancel token = {0};
    outcome a = {.count = 0}, b = {.count = 0}, c = {.count = 0};
    outcome_of(gy_promise_accept(&server, &client, &token), &a);
    outcome_of(gy_promise_accept(&server, &other, NULL), &b);
    gy_cancel_now(&token, -EIO);
    outcome_of(gy_promise_accept(&server, &other, &token), &c);
    gy_stream_close(&server, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.err, GY_ECANCELED);
    CHECK_EQ(b.err, -EBUSY);
    CHECK_EQ(c.err, GY_ECANCELED);
    CHECK_EQ(a.count + b.count + c.count, 3);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(settle_accept, a_closed_server_rejects) {
    gy_loop *loop = begin(backend);
    gy_stream client = {0};
    outcome a = {.count = 0};
    gy_stream_close(&server, NULL);
    outcome_of(gy_promise_accept(&server, &client, NULL), &a);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.err, -EINVAL);
    CHECK(gy_promise_accept(&client, &client, NULL) == NULL); /* it never had a loop */
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(settle_accept, a_server_that_is_closed_ends_the_waiting) {
    gy_loop *loop = begin(backend);
    gy_stream client = {0}, other = {0};
    outcome a = {.count = 0}, b = {.count = 0};
    gy_listen_opts listen = {.addr = "127.0.0.1:0", .fn = gy_settle_accept};
    CHECK_EQ(gy_tcp_listen(loop, &other, listen), 0);
    outcome_of(gy_promise_accept(&server, &client, NULL), &a);
    outcome_of(gy_promise_accept(&other, &client, NULL), &b);
    gy_stream_close(&server, NULL);
    CHECK_EQ(a.count, 0); /* not inside the close */
    for (int i = 0; i < 3; i++) gy_loop_step(loop, GY_STEP_POLL);
    CHECK_EQ(a.count, 1);
    CHECK_EQ(a.err, GY_ECLOSED);
    CHECK_EQ(b.count, 0);
    gy_stream_close(&other, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(b.err, GY_ECLOSED);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static void connected(gy_stream *stream, int err) { *(int *)stream->user = err ? err : 1; }

TEST_BACKENDS(settle_accept, a_connection_that_came_early_is_taken) {
    gy_loop *loop = begin(backend);
    gy_stream near = {0}, far = {0};
    gy_addr addr;
    int told = 0;
    outcome a = {.count = 0};
    near.user = &told;
    CHECK_EQ(gy_stream_local_addr(&server, &addr), 0);
    CHECK_EQ(gy_tcp_connect(loop, &near, (gy_connect_opts){.addr = addr.text, .fn = connected}), 0);
    while (!told) gy_loop_step(loop, GY_STEP_WAIT);
    CHECK_EQ(told, 1);
    for (int i = 0; i < 3; i++) gy_loop_step(loop, GY_STEP_POLL); /* it is announced, and nobody takes it */
    outcome_of(gy_promise_accept(&server, &far, NULL), &a);
    while (!a.count) gy_loop_step(loop, GY_STEP_WAIT);
    CHECK_EQ(a.err, 0);
    CHECK(gy_stream_is_open(&far));
    gy_stream_close(&near, NULL);
    gy_stream_close(&far, NULL);
    gy_stream_close(&server, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}
