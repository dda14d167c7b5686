/* SPDX-License-Identifier: ISC */
/* The queue of writes of one stream: what is counted, when it is tried, and how it is emptied at once. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "net/stream.h"

typedef struct told {
    int count, err;
} told;

static void write_told(gy_write *w, int err) {
    told *t = w->user;
    t->count++;
    t->err = err;
}

TEST_BACKENDS(write, the_first_is_tried_and_the_rest_waits_for_the_end_of_the_callbacks) {
    gy_loop *loop;
    int ends[2];
    told t = {0};
    gy_stream s = {0};
    gy_write w[3] = {{.user = &t}, {.user = &t}, {.user = &t}};
    char text[] = "abcdef", got[8];
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQ(gy_stream_open(loop, &s, ends[0]), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(gy_stream_write(&s, &w[i], (gy_buf){text + 2 * i, 2}, write_told), 0);
    CHECK(gyi_stream_is(&s, GYI_STREAM_WROTE));
    CHECK_EQ(gy_stream_queued(&s), 4);
    CHECK_EQ(recv(ends[1], got, sizeof got, MSG_DONTWAIT), 2);
    CHECK_EQ(t.count, 0);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_EQ(t.count, 3);
    CHECK(!gyi_stream_is(&s, GYI_STREAM_WROTE));
    CHECK_EQ(gy_stream_queued(&s), 0);
    CHECK_EQ(recv(ends[1], got, sizeof got, MSG_DONTWAIT), 4);
    gy_stream_close(&s, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    close(ends[1]);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(write, failing_empties_the_queue_and_stays) {
    enum { BIG = 4 << 20 };
    gy_loop *loop;
    int ends[2];
    told t = {0};
    gy_stream s = {0};
    gy_write w[4] = {{.user = &t}, {.user = &t}, {.user = &t}, {.user = &t}};
    char *big = calloc(1, BIG);
    CHECK(big != NULL);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQ(gy_stream_open(loop, &s, ends[0]), 0);
    CHECK_EQ(gy_stream_write(&s, &w[0], (gy_buf){big, BIG}, write_told), 0);
    CHECK(!gyi_stream_is(&s, GYI_STREAM_WRITABLE));
    CHECK_EQ(gy_stream_write(&s, &w[1], (gy_buf){big, 7}, write_told), 0);
    CHECK_EQ(gy_stream_shutdown(&s, &w[2], write_told), 0);
    CHECK(s.priv.first == &w[0] && s.priv.last == &w[2]);
    gyi_write_fail(&s, -EIO);
    gyi_write_fail(&s, -EPIPE); /* the first error stays */
    CHECK(s.priv.first == NULL && s.priv.last == NULL);
    CHECK_EQ(gy_stream_queued(&s), 0);
    CHECK_EQ(s.priv.broken, -EIO);
    CHECK_EQ(gy_stream_write(&s, &w[3], (gy_buf){big, 7}, write_told), GY_ECLOSED);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_EQ(t.count, 3);
    CHECK_EQ(t.err, -EIO);
    gy_stream_close(&s, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    close(ends[1]);
    free(big);
    CHECK_EQ(gy_loop_free(loop), 0);
}
