/* SPDX-License-Identifier: ISC */
/* Reads into another stream: which pairs are tried, what the read says, and the write of nothing. */
#include "net/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "net/stream.h"

static struct {
    gy_loop *loop;
    gy_stream in, out, a, b, c, d; /* in | out is a pipe, a - b and c - d are sockets */
    int said, count;
} pour;

static void pour_said(gy_stream *s, int err, gy_buf got) {
    gyi_direct_done(s);
    pour.said = err ? err : (int)got.len;
    pour.count++;
}

static void pour_wrote(gy_write *w, int err) {
    (void)w;
    pour.said = err ? err : 1;
    pour.count++;
}

static void pour_open(const char *backend) {
    memset(&pour, 0, sizeof pour);
    CHECK_EQ(gy_loop_new(&pour.loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gy_pipe_pair(pour.loop, &pour.in, &pour.out), 0);
    CHECK_EQ(gy_stream_pair(pour.loop, &pour.a, &pour.b), 0);
    CHECK_EQ(gy_stream_pair(pour.loop, &pour.c, &pour.d), 0);
}

static void pour_close(void) {
    gy_stream *all[] = {&pour.in, &pour.out, &pour.a, &pour.b, &pour.c, &pour.d};
    for (int i = 0; i < 6; i++) gy_stream_close(all[i], NULL);
    CHECK_EQ(gy_loop_run(pour.loop), 0);
    CHECK_EQ(gy_loop_free(pour.loop), 0);
}

static void pour_turns(void) {
    for (int i = 0; i < 5; i++) CHECK(gy_loop_step(pour.loop, GY_STEP_POLL) >= 0);
}

TEST_BACKENDS(direct, knows_which_pairs_to_try) {
    int ends[2];
    gy_stream blocking = {0};
    gy_file_stream f = {0}, g = {0};
    pour_open(backend);
    CHECK(gyi_direct_possible(&pour.in, &pour.a));
    CHECK(gyi_direct_possible(&pour.a, &pour.out));
    CHECK(!gyi_direct_possible(&pour.a, &pour.c));
    CHECK(!gyi_direct_possible(&pour.a, &pour.a));
    CHECK_EQ(gy_stream_receive_fds(&pour.b), 0);
    CHECK(!gyi_direct_possible(&pour.b, &pour.out));
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQ(gy_stream_open(pour.loop, &blocking, ends[0]), 0);
    CHECK_EQ(gyi_direct_possible(&blocking, &pour.out), !gyi_stream_is(&blocking, GYI_STREAM_BLOCKING));
    int fd = open("/dev/null", O_RDWR);
    CHECK_EQ(gy_file_stream_open(pour.loop, &f, (gy_file_stream_opts){.fd = fd}), 0);
    CHECK_EQ(gy_file_stream_open(pour.loop, &g, (gy_file_stream_opts){.fd = fd, .keep = true}), 0);
    CHECK(gyi_direct_possible(&f.stream, &pour.a));
    CHECK(gyi_direct_possible(&f.stream, &g.stream));
    CHECK(!gyi_direct_possible(&pour.a, &f.stream));
    gy_stream_close(&f.stream, NULL);
    gy_stream_close(&g.stream, NULL);
    gy_stream_close(&blocking, NULL);
    pour_close();
    close(ends[1]);
}

TEST_BACKENDS(direct, a_read_tells_of_bytes_room_and_the_end) {
    char text[] = "abc", got[8];
    gy_write w = {0}, end = {0};
    struct gyi_move move = {.to = &pour.a};
    pour_open(backend);
    CHECK_EQ(gyi_direct_read(&pour.in, &move, pour_said), 0);
    CHECK_EQ(gyi_direct_read(&pour.in, &move, pour_said), -EBUSY);
    CHECK_EQ(gyi_direct_read(&pour.out, &move, pour_said), -EBADF);
    pour_turns();
    CHECK_EQ(pour.count, 0);
    CHECK_EQ(gy_stream_try_write(&pour.out, (gy_buf){text, 3}), 3);
    pour_turns();
    CHECK_EQ(pour.count, 1);
    if (pour.said != GYI_DIRECT_NOT) {
        CHECK_EQ(pour.said, 3);
        CHECK_EQ(move.moved, 3);
        CHECK_EQ(gy_stream_try_read(&pour.b, GY_BUF(got)), 3);
        /* A write that is queued comes first. */
        pour.a.priv.first = &w;
        CHECK(!gyi_direct_takes(&pour.a));
        CHECK_EQ(gyi_direct_read(&pour.in, &move, pour_said), 0);
        CHECK_EQ(gy_stream_try_write(&pour.out, (gy_buf){text, 3}), 3);
        pour_turns();
        pour.a.priv.first = NULL;
        CHECK_EQ(pour.said, GYI_DIRECT_FULL);
        CHECK_EQ(move.moved, 3);
        CHECK_EQ(gyi_direct_read(&pour.in, &move, pour_said), 0);
        pour_turns();
        CHECK_EQ(pour.said, 3);
        CHECK_EQ(gy_stream_shutdown(&pour.out, &end, pour_wrote), 0);
        CHECK_EQ(gyi_direct_read(&pour.in, &move, pour_said), 0);
        pour_turns();
        CHECK_EQ(pour.said, GY_EOF);
    }
    pour_close();
}

TEST_BACKENDS(direct, room_is_a_write_of_nothing) {
    static char much[4 << 20];
    gy_write before = {0}, w = {0}, after = {0};
    pour_open(backend);
    CHECK_EQ(gyi_direct_room(&pour.a, &w, pour_wrote), 0);
    CHECK_EQ(pour.count, 0);
    pour_turns();
    CHECK_EQ(pour.count, 1);
    CHECK_EQ(gy_stream_write(&pour.a, &before, GY_BUF(much), pour_wrote), 0);
    CHECK_EQ(gyi_direct_room(&pour.a, &w, pour_wrote), 0);
    CHECK_EQ(gyi_direct_room(&pour.a, &w, pour_wrote), -EALREADY);
    CHECK_EQ(gy_stream_write(&pour.a, &after, (gy_buf){much, 1}, pour_wrote), 0);
    pour_turns();
    CHECK_EQ(pour.count, 1);
    CHECK(gyi_write_withdraw(&pour.a, &w));
    CHECK(!gyi_write_withdraw(&pour.a, &w));
    CHECK_EQ(gyi_direct_room(&pour.a, &w, pour_wrote), 0);
    CHECK(gyi_write_withdraw(&pour.a, &w)); /* the last one */
    CHECK_EQ(gyi_direct_room(&pour.a, &w, pour_wrote), 0);
    gy_stream_cancel(&pour.a, GY_STREAM_WRITE, -ETIMEDOUT);
    pour_turns();
    CHECK_EQ(pour.count, 4);
    CHECK_EQ(pour.said, -ETIMEDOUT);
    pour_close();
}

TEST_BACKENDS(direct, what_is_lent_is_neither_written_to_nor_closed) {
    char text[] = "abc", got[8];
    gy_write w = {0}, end = {0};
    pour_open(backend);
    gyi_stream_lend(&pour.a);
    int fd = gy_stream_fd(&pour.a);
    CHECK_EQ(gy_stream_try_write(&pour.a, (gy_buf){text, 3}), -EAGAIN);
    CHECK_EQ(gy_stream_write(&pour.a, &w, (gy_buf){text, 3}, pour_wrote), 0);
    pour_turns();
    CHECK_EQ(pour.count, 0);
    gyi_stream_return(&pour.a, GYI_ROOM_LEFT);
    pour_turns();
    CHECK_EQ(pour.count, 1);
    CHECK_EQ(gy_stream_try_read(&pour.b, GY_BUF(got)), 3);
    gyi_stream_lend(&pour.a);
    CHECK_EQ(gy_stream_shutdown(&pour.a, &end, pour_wrote), 0);
    gy_stream_close(&pour.a, NULL);
    pour_turns();
    CHECK_EQ(pour.said, GY_ECANCELED);
    CHECK(fcntl(fd, F_GETFD) >= 0);
    CHECK(pour.a.priv.state != 0);
    gyi_stream_return(&pour.a, GYI_ROOM_NONE);
    CHECK(fcntl(fd, F_GETFD) < 0);
    pour_turns();
    CHECK_EQ(pour.a.priv.state, 0);
    pour_close();
}

TEST(direct, answers) {
    CHECK_EQ(gyi_direct_answer(5), 5);
    CHECK_EQ(gyi_direct_answer(0), GY_EOF);
    CHECK_EQ(gyi_direct_answer(-EAGAIN), GYI_DIRECT_FULL);
    CHECK_EQ(gyi_direct_answer(-ENOTSUP), GYI_DIRECT_NOT);
    CHECK_EQ(gyi_direct_answer(-EIO), -EIO);
}
