/* SPDX-License-Identifier: ISC */
/* Options and time limits where they can go wrong: a socket that has no such option, a limit that is moved. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "net/stream.h"

static void option_read(gy_stream *s, int err, gy_buf got) {
    (void)got;
    *(int *)s->user = err;
}

TEST(option, what_the_kernel_says_is_passed_on) {
    gy_loop *loop;
    int ends[2];
    gy_stream s = {0};
    gy_addr addr = {.text = "untouched"};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQ(gy_stream_open(loop, &s, ends[0]), 0);
    CHECK(gy_stream_set(&s, GY_NODELAY, 1) < 0); /* not tcp */
    CHECK_EQ(gy_stream_set(&s, GY_SEND_BUFFER, 10000), 0);
    CHECK_EQ(gy_stream_set(&s, GY_KEEPALIVE, -5), -EINVAL);
    CHECK_EQ(gy_stream_peer_addr(&s, &addr), 0);
    CHECK_STR(addr.text, "");
    gy_stream_close(&s, NULL);
    CHECK_EQ(gy_stream_set(&s, GY_SEND_BUFFER, 10000), GY_ECLOSED);
    CHECK_EQ(gy_stream_peer_addr(&s, &addr), GY_ECLOSED);
    CHECK_EQ(gy_loop_run(loop), 0);
    close(ends[1]);
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* In virtual time the limit strikes to the nanosecond, after it was moved twice. */
TEST(option, a_limit_is_moved_by_starting_it_again) {
    gy_loop *loop;
    int ends[2], told = 0;
    char buf[4];
    gy_stream s = {.user = &told};
    gy_timeout limit = {0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQ(gy_stream_open(loop, &s, ends[0]), 0);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), option_read), 0);
    gy_ns begin = gy_loop_now(loop);
    gy_timeout_start(&limit, &s, GY_STREAM_WRITE, GY_MS(1));
    gy_timeout_start(&limit, &s, GY_STREAM_READ, GY_S(1));
    gy_timeout_start(&limit, &s, GY_STREAM_READ, GY_S(5));
    CHECK_EQ(gy_timer_remaining(&limit.timer), GY_S(5));
    while (!told) CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
    CHECK_EQ(told, -ETIMEDOUT);
    CHECK_EQ(gy_loop_now(loop) - begin, GY_S(5));
    told = 0;
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), option_read), 0);
    gy_timeout_start(&limit, &s, GY_STREAM_READ, -3); /* at once, and still from the loop */
    CHECK_EQ(told, 0);
    while (!told) CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
    CHECK_EQ(told, -ETIMEDOUT);
    gy_stream_close(&s, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    close(ends[1]);
    CHECK_EQ(gy_loop_free(loop), 0);
}
