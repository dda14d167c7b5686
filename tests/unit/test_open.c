/* SPDX-License-Identifier: ISC */
/* What opening notes about a descriptor: its directions, and whether it waited. The modes' fate is in tests/loop. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "net/stream.h"

TEST_BACKENDS(open, notes_directions_and_modes) {
    gy_loop *loop;
    int ends[2], pair[2];
    gy_stream from = {0}, to = {0}, a = {0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    CHECK_EQ(gy_stream_open(loop, &from, ends[0]), 0);
    CHECK_EQ(gy_stream_open(loop, &to, ends[1]), 0);
    CHECK(gyi_stream_is(&from, GYI_STREAM_READ_ONLY) && !gyi_stream_is(&from, GYI_STREAM_WRITE_ONLY));
    CHECK(gyi_stream_is(&to, GYI_STREAM_WRITE_ONLY) && !gyi_stream_is(&to, GYI_STREAM_READ_ONLY));
    CHECK(gyi_stream_is(&from, GYI_STREAM_RESTORE));
    CHECK(!gyi_stream_is(&to, GYI_STREAM_RESTORE));
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_EQ(gy_stream_open(loop, &a, pair[0]), 0);
    CHECK(gyi_stream_is(&a, GYI_STREAM_LOCAL));
    CHECK(!gyi_stream_is(&a, GYI_STREAM_READ_ONLY | GYI_STREAM_WRITE_ONLY));
    CHECK(gyi_stream_is(&a, GYI_SOCK_NOWAIT != 0 ? GYI_STREAM_BLOCKING : GYI_STREAM_RESTORE));
    gy_stream_close(&from, NULL);
    gy_stream_close(&to, NULL);
    gy_stream_close(&a, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    close(pair[1]);
    CHECK_EQ(gy_loop_free(loop), 0);
}

#if defined(GYI_FAULTS) && GYI_FAULTS

static int open_at, open_fail;

static int open_fault(gyi_syscall kind) { return kind != GYI_SYS_WAIT && ++open_at == open_fail ? -EMFILE : 0; }

/* Whichever call fails, there are two streams or none, and no descriptor is left. */
TEST_BACKENDS(open, a_pair_is_whole_or_not_at_all) {
    for (int pipes = 0; pipes < 2; pipes++) {
        gy_loop *loop;
        int failures = 0, lowest = dup(0);
        close(lowest);
        CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
        int first = dup(0);
        close(first);
        for (open_fail = 1; open_fail < 20; open_fail++) {
            gy_stream a = {0}, b = {0};
            open_at = 0;
            gyi_sys_fault = open_fault;
            int err = pipes ? gy_pipe_pair(loop, &a, &b) : gy_stream_pair(loop, &a, &b);
            gyi_sys_fault = NULL;
            CHECK_EQ(gy_stream_is_open(&a), !err);
            CHECK_EQ(gy_stream_is_open(&b), !err);
            gy_stream_close(&a, NULL);
            gy_stream_close(&b, NULL);
            CHECK_EQ(gy_loop_run(loop), 0);
            int now = dup(0);
            close(now);
            CHECK_EQ(now, first);
            if (!err) break;
            CHECK_EQ(err, -EMFILE);
            failures++;
        }
        CHECK(failures >= 1 && open_fail < 20);
        CHECK_EQ(gy_loop_free(loop), 0);
    }
}

#endif
