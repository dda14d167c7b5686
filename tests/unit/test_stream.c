/* SPDX-License-Identifier: ISC */
/* The states of a stream: what opening, reading and closing set and clear. The behaviour is in tests/loop. */
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "net/stream.h"

static gy_loop *stream_loop(const char *backend) {
    gy_loop *loop;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    return loop;
}

static void stream_read(gy_stream *s, int err, gy_buf got) {
    *(int *)s->user = err ? err : (int)got.len;
}

TEST_BACKENDS(stream, a_short_read_has_emptied_it) {
    gy_loop *loop = stream_loop(backend);
    int ends[2], told = 0;
    char buf[4];
    gy_stream s = {.user = &told};
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQ(gy_stream_open(loop, &s, ends[0]), 0);
    CHECK_EQ(loop->open, 1);
    CHECK(!gyi_stream_is(&s, GYI_STREAM_FILE));
    CHECK(gyi_stream_is(&s, GYI_STREAM_WARY)); /* a local socket; from here on it is taken for one of tcp */
    s.priv.state &= ~(unsigned)GYI_STREAM_WARY;
    CHECK(gyi_stream_is(&s, GYI_STREAM_WRITABLE));
    CHECK(!gyi_stream_is(&s, GYI_STREAM_READABLE));
    CHECK_EQ(gyi_stream_is(&s, GYI_STREAM_LEVEL), !(loop->poller.caps & GYI_CAP_EDGE));
    CHECK_EQ(write(ends[1], "abcdef", 6), 6);
    for (int want = 4; want >= 2; want -= 2) {
        told = 0;
        CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), stream_read), 0);
        while (!told) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
        CHECK_EQ(told, want);
        CHECK_EQ(gyi_stream_is(&s, GYI_STREAM_READABLE), want == 4);
        CHECK(!gyi_stream_is(&s, GYI_STREAM_READING));
    }
    gy_stream_close(&s, NULL);
    CHECK(gyi_stream_is(&s, GYI_STREAM_CLOSING));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(s.priv.state, 0);
    CHECK_EQ(loop->open, 0);
    close(ends[1]);
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* Levels are watched only while somebody wants to know. */
TEST_BACKENDS(stream, interest_follows_need_where_levels_are_reported) {
    gy_loop *loop = stream_loop(backend);
    int ends[2], told = 0;
    char buf[4];
    gy_stream s = {.user = &told};
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQ(gy_stream_open(loop, &s, ends[0]), 0);
    unsigned both = GY_READABLE | GY_WRITABLE;
    bool edge = !gyi_stream_is(&s, GYI_STREAM_LEVEL);
    CHECK_EQ(s.priv.watch.want & GYI_INTEREST, edge ? both : 0);
    CHECK_EQ(gy_stream_read(&s, GY_BUF(buf), stream_read), 0);
    CHECK_EQ(s.priv.watch.want & GYI_INTEREST, edge ? both : GY_READABLE);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    while (!told) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(s.priv.watch.want & GYI_INTEREST, edge ? both : 0);
    gy_stream_close(&s, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    close(ends[1]);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(stream, a_pipe_is_no_socket) {
    gy_loop *loop = stream_loop(backend);
    int ends[2];
    gy_stream s = {0};
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(gy_stream_open(loop, &s, ends[0]), 0);
    CHECK(gyi_stream_is(&s, GYI_STREAM_FILE));
    gy_stream_close(&s, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    close(ends[1]);
    CHECK_EQ(gy_loop_free(loop), 0);
}
