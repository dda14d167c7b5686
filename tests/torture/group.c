/* SPDX-License-Identifier: ISC */
/* What is tortured with threads: a group is made, listens on all its loops, is given a connection, and ends, while
 * something fails on one of the threads. Either all of it works, or the failure is told; in both cases nothing is
 * left. */
#include "torture.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"

typedef struct crowd {
    torture t;
    gy_gift gift;
    gy_stream stream;
    _Atomic int given; /* 1: open; negative: what the gift was told */
} crowd;

static void crowd_connection(gy_stream *server, int err) {
    (void)server;
    (void)err;
}

static gy_stream *crowd_place(gy_gift *gift) { return &GY_OF(gift, crowd, gift)->stream; }

static void crowd_given(gy_gift *gift, gy_stream *stream, int err) {
    GY_OF(gift, crowd, gift)->given = err ? err : 1;
    gy_stream_close(stream, NULL); /* ignored when it is not open */
}

/* Gives it one end of a pair. */
static void crowd_give(crowd *c, gy_group *group) {
    int ends[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    gy_gift_opts opts = {.fd = ends[0], .place = crowd_place, .fn = crowd_given};
    if (!torture_try(&c->t, gy_group_give(group, GY_GROUP_ANY, &c->gift, opts))) close(ends[0]);
    close(ends[1]);
}

static void crowd_begin(torture *t) {
    crowd *c = (crowd *)t;
    gy_group *group;
    gy_group_opts opts = {.count = 2, .alloc = t->loop->alloc, .loop.backend = t->backend};
    gy_listen_opts listen = {.addr = "127.0.0.1:0", .fn = crowd_connection};
    if (!torture_try(t, gy_group_new(&group, opts))) return;
    torture_try(t, gy_group_listen(group, NULL, NULL, listen));
    crowd_give(c, group);
    gy_group_stop(group);
    torture_try(t, gy_group_join(group));
    CHECK_EQ(gy_group_free(group), 0);
    if (t->told != GY_ECLOSED) CHECK(c->given != 0);
    torture_try(t, c->given);
    t->done = !t->told;
}

static void crowd_end(torture *t) { (void)t; }

TEST_BACKENDS(torture, group) {
    if (strcmp(backend, "sim") == 0) SKIP("virtual time does not wait for other threads");
    torture_run(backend, &(torture_scenario){.size = sizeof(crowd), .begin = crowd_begin, .end = crowd_end});
}
