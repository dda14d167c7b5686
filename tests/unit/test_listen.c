/* SPDX-License-Identifier: ISC */
/* Listening, step by step: whichever call fails, the stream stays closed and no descriptor is left; and what a listener
 * does while it pauses. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "net/stream.h"
#include "refuse.h"

#if defined(GYI_FAULTS) && GYI_FAULTS

static void listen_told(gy_stream *s, int err) {
    int *told = s->user;
    told[0]++;
    told[1] = err;
}

static int listen_next_fd(void) {
    int fd = dup(0);
    close(fd);
    return fd;
}

TEST_BACKENDS(listen, each_step_may_fail) {
    static const gyi_syscall steps[] = {GYI_SYS_SOCKET, GYI_SYS_SOCKOPT, GYI_SYS_BIND, GYI_SYS_LISTEN};
    gy_loop *loop;
    gy_stream s = {0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    int next = listen_next_fd();
    gy_listen_opts opts = {.addr = "127.0.0.1:0", .fn = listen_told};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        refuse(steps[i], -EIO);
        CHECK_EQ(gy_tcp_listen(loop, &s, opts), -EIO);
        CHECK(!gy_stream_is_open(&s));
        CHECK_EQ(listen_next_fd(), next);
    }
    refuse_nothing();
    CHECK_EQ(gy_tcp_listen(loop, &s, opts), 0);
    gy_stream_close(&s, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(listen, an_error_is_told_once_and_followed_by_a_pause) {
    gy_loop *loop;
    int told[2] = {0, 0};
    gy_stream s = {.user = told};
    gy_addr addr;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gy_tcp_listen(loop, &s, (gy_listen_opts){.addr = "127.0.0.1:0", .fn = listen_told}), 0);
    CHECK_EQ(gy_stream_local_addr(&s, &addr), 0);
    gy_stream client = {.user = (int[2]){0, 0}};
    CHECK_EQ(gy_tcp_connect(loop, &client, (gy_connect_opts){.addr = addr.text, .fn = listen_told}), 0);
    refuse(GYI_SYS_ACCEPT, -ENFILE);
    while (!told[0]) CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
    CHECK_EQ(told[1], -ENFILE);
    CHECK(gyi_stream_is(&s, GYI_STREAM_PAUSED));
    CHECK(!gyi_list_empty(&loop->paused));
    for (int i = 0; i < 5; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(told[0], 1);
    refuse_nothing();
    while (told[0] < 2) CHECK(gy_loop_step(loop, GY_STEP_WAIT) >= 0);
    CHECK_EQ(told[1], 0);
    CHECK(s.priv.waiting > 0);
    gy_stream_close(&s, NULL);
    CHECK(gyi_list_empty(&loop->paused));
    CHECK(!gy_timer_active(&loop->resume));
    gy_stream_close(&client, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

#else
typedef int listen_needs_faults; /* a file must declare something */
#endif
