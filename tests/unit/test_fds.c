/* SPDX-License-Identifier: ISC */
/* The mark that a write with descriptors is while none has gone, and the list of those that came. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "net/stream.h"

static void fds_told(gy_write *w, int err) { *(int *)w->user = err ? err : 1; }
static void fds_read(gy_stream *s, int err, gy_buf got) { *(int *)s->user = err ? err : (int)got.len; }

TEST_BACKENDS(fds, a_mark_until_the_first_byte_has_gone) {
    enum { BIG = 4 << 20 };
    static char big[BIG];
    gy_loop *loop;
    int told[3] = {0}, fd = 0;
    gy_stream a = {0}, b = {0};
    gy_write w[3] = {{.user = &told[0]}, {.user = &told[1]}, {.user = &told[2]}};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gy_stream_pair(loop, &a, &b), 0);
    CHECK_EQ(gy_stream_send_fds(&a, &w[0], GY_BUF(big), &fd, 1, fds_told), 0);
    CHECK_EQ(w[0].priv.count, 1); /* tried at once, a part has gone, and the descriptor with it */
    CHECK(w[0].priv.bufs == NULL);
    CHECK_EQ(w[0].priv.err, 0);
    CHECK(gy_stream_queued(&a) > 0 && gy_stream_queued(&a) < BIG);
    CHECK_EQ(gy_stream_send_fds(&a, &w[1], (gy_buf){big, 3}, &fd, 1, fds_told), 0);
    CHECK_EQ(w[1].priv.count, GYI_WRITE_FDS);
    CHECK_EQ(w[1].priv.err, 1);
    CHECK_EQ(gy_stream_send_fds(&a, &w[1], (gy_buf){big, 3}, &fd, 1, fds_told), -EALREADY);
    CHECK_EQ(gy_stream_write(&a, &w[2], (gy_buf){big, 3}, fds_told), 0);
    gy_buf bufs[4];
    CHECK_EQ(gyi_write_gather(&a, bufs, 4), 1); /* a mark ends what is gathered */
    gy_stream_cancel(&a, GY_STREAM_WRITE, -ETIMEDOUT);
    gy_stream_close(&a, NULL);
    gy_stream_close(&b, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(told[i], -ETIMEDOUT);
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* Descriptors that nobody takes do not become more and more: reading stops, and nothing is lost. */
TEST_BACKENDS(fds, a_full_list_stops_reading) {
    enum { EACH = 50 };
    gy_loop *loop;
    int told = 0, wrote = 0, fds[EACH], had;
    char buf[64];
    gy_stream a = {0}, b = {.user = &told};
    gy_write w = {.user = &wrote};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gy_stream_pair(loop, &a, &b), 0);
    CHECK_EQ(gy_stream_take_fd(&b), -EINVAL);
    CHECK_EQ(gy_stream_receive_fds(&b), 0);
    CHECK_EQ(gy_stream_receive_fds(&b), 0);
    CHECK_EQ(gy_stream_take_fd(&b), -EAGAIN);
    for (int i = 0; i < EACH; i++) fds[i] = gy_stream_fd(&a);
    for (int i = 0; i < 4; i++) {
        wrote = 0;
        CHECK_EQ(gy_stream_send_fds(&a, &w, (gy_buf){buf, 1}, fds, EACH, fds_told), 0);
        while (!wrote) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
        CHECK_EQ(wrote, 1);
    }
    for (int i = 0; i < 3; i++) CHECK_EQ(gy_stream_try_read(&b, (gy_buf){buf, 1}), 1);
    CHECK_EQ(gy_stream_try_read(&b, (gy_buf){buf, 1}), GY_EBACKLOG);
    CHECK_EQ(gy_stream_read(&b, GY_BUF(buf), fds_read), 0);
    while (!told) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(told, GY_EBACKLOG);
    for (had = 0; had < 3 * EACH; had++) {
        int fd = gy_stream_take_fd(&b);
        CHECK(fd >= 0);
        close(fd);
    }
    CHECK_EQ(gy_stream_take_fd(&b), -EAGAIN);
    told = 0;
    CHECK_EQ(gy_stream_read(&b, GY_BUF(buf), fds_read), 0);
    while (!told) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
    CHECK_EQ(told, 1);
    gy_stream_close(&b, NULL); /* with descriptors in its list */
    CHECK_EQ(gy_stream_take_fd(&b), GY_ECLOSED);
    gy_stream_close(&a, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    int lowest = dup(0);
    CHECK(lowest < 20);
    close(lowest);
}
