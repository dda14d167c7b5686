/* SPDX-License-Identifier: ISC */
/* Connecting, step by step: what fails before the attempt is returned and leaves nothing; what fails in it is told. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "harness.h"
#include "net/stream.h"
#include "refuse.h"

#if defined(GYI_FAULTS) && GYI_FAULTS

static void connect_told(gy_stream *s, int err) {
    int *told = s->user;
    told[0]++;
    told[1] = err;
}

static int connect_next_fd(void) {
    int fd = dup(0);
    close(fd);
    return fd;
}

TEST_BACKENDS(connect_steps, each_step_may_fail) {
    static const gyi_syscall steps[] = {GYI_SYS_SOCKET, GYI_SYS_SOCKOPT, GYI_SYS_BIND};
    gy_loop *loop;
    gy_stream s = {0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    int next = connect_next_fd();
    gy_connect_opts opts = {.addr = "127.0.0.1:9", .from = "127.0.0.1:0", .fn = connect_told};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        refuse(steps[i], -ENOBUFS);
        CHECK_EQ(gy_tcp_connect(loop, &s, opts), -ENOBUFS);
        CHECK(!gy_stream_is_open(&s));
        CHECK_EQ(connect_next_fd(), next);
    }
    refuse_nothing();
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* What the kernel says to the attempt itself, and a kernel that will not watch the socket, come to the callback. */
TEST_BACKENDS(connect_steps, failures_of_the_attempt_are_told) {
    static const gyi_syscall steps[] = {GYI_SYS_CONNECT, GYI_SYS_CHANGE};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        gy_loop *loop;
        int told[2] = {0, 0};
        gy_stream s = {.user = told};
        CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
        refuse(steps[i], -ENOBUFS);
        CHECK_EQ(gy_tcp_connect(loop, &s, (gy_connect_opts){.addr = "127.0.0.1:9", .fn = connect_told}), 0);
        CHECK_EQ(told[0], 0);
        CHECK(gyi_stream_is(&s, GYI_STREAM_CONNECTING));
        for (int turn = 0; turn < 100 && !told[0]; turn++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
        refuse_nothing();
        CHECK_EQ(told[0], 1);
        CHECK(!gyi_stream_is(&s, GYI_STREAM_CONNECTING));
        CHECK(told[1] == -ENOBUFS || (steps[i] == GYI_SYS_CHANGE && told[1] == -ECONNREFUSED));
        gy_stream_close(&s, NULL);
        CHECK_EQ(gy_loop_run(loop), 0);
        CHECK_EQ(told[0], 1);
        CHECK_EQ(gy_loop_free(loop), 0);
    }
}

#else
typedef int connect_needs_faults; /* a file must declare something */
#endif
