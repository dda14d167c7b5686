/* SPDX-License-Identifier: ISC */
/* The floor's own watchers (gyi_watch): interest in nothing, pushing without an event, forgetting, and refusals. What
 * programs see of it is tested in tests/loop/descriptors.c. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "loop/loop.h"
#include "refuse.h"

static gy_loop *loop;
static int pair[2], runs;
static unsigned last;
static gyi_watch watch;

static void run(gyi_entry *entry) {
    runs++;
    last = GY_OF(entry, gyi_watch, entry)->got;
}

static void begin(const char *backend) {
    runs = 0;
    watch = (gyi_watch){.entry.run = run};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void end(void) {
    CHECK(gyi_slots_check(&loop->slots));
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    close(pair[0]);
    close(pair[1]);
}

static void step(void) { CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0); }

TEST_BACKENDS(io, a_watcher_may_wait_for_nothing) {
    begin(backend);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(gyi_watch_start(loop, &watch, pair[0], GY_READABLE), 0);
    gyi_watch_change(loop, &watch, 0);
    step();
    CHECK_EQ(runs, 0);
    CHECK(gyi_watch_active(&watch));
    CHECK_EQ(loop->active, 1);
    gyi_watch_change(loop, &watch, GY_READABLE);
    step();
    CHECK_EQ(runs, 1);
    CHECK_EQ(last, GY_READABLE);
    gyi_watch_stop(loop, &watch);
    end();
}

TEST_BACKENDS(io, a_pushed_watcher_runs_once_without_an_event) {
    begin(backend);
    CHECK_EQ(gyi_watch_start(loop, &watch, pair[0], GY_READABLE), 0);
    gyi_watch_push(loop, &watch);
    gyi_watch_push(loop, &watch);
    step();
    CHECK_EQ(runs, 1);
    CHECK_EQ(last, 0);
    gyi_watch_push(loop, &watch);
    gyi_watch_stop(loop, &watch);
    step();
    CHECK_EQ(runs, 1);
    end();
}

TEST_BACKENDS(io, forgetting_spares_the_kernel_a_call_where_it_may) {
    begin(backend);
    CHECK_EQ(gyi_watch_start(loop, &watch, pair[0], GY_READABLE), 0);
    step();
    uint64_t before = loop->sys.count[GYI_SYS_CHANGE];
    gyi_watch_forget(loop, &watch);
    close(pair[0]);
    step();
    if (loop->poller.caps & GYI_CAP_CLOSE) CHECK_EQ(loop->sys.count[GYI_SYS_CHANGE], before);
    CHECK_EQ(runs, 0);
    CHECK_EQ(loop->stats.stale, 0);
    pair[0] = dup(pair[1]);
    gyi_watch_forget(loop, &watch); /* idle: ignored */
    end();
}

TEST_BACKENDS(io, references_of_a_watcher) {
    begin(backend);
    gyi_watch_unref(loop, &watch);
    CHECK_EQ(gyi_watch_start(loop, &watch, pair[0], GY_READABLE), 0);
    CHECK_EQ(loop->active, 0);
    gyi_watch_ref(loop, &watch);
    CHECK_EQ(loop->active, 1);
    gyi_watch_unref(loop, &watch);
    gyi_watch_stop(loop, &watch);
    end();
}

static int told, told_err;

static int told_fd;

static void on_io(gy_io *io, int err, unsigned events) {
    (void)events;
    told++;
    told_err = err;
    told_fd = gy_io_fd(io);
    CHECK(err == 0 || !gy_io_active(io));
    if (!err) gy_io_stop(io);
}

TEST_BACKENDS(io, a_refusal_of_the_kernel_comes_to_the_callback) {
    gy_io io = {.user = NULL}, stopped = {.user = NULL};
    begin(backend);
    told = 0;
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(gy_io_start(loop, &io, pair[0], GY_READABLE, on_io), 0);
    CHECK_EQ(gy_io_start(loop, &stopped, pair[1], GY_READABLE, on_io), 0);
    refuse(GYI_SYS_CHANGE, -ENOSPC);
    int err = gyi_io_apply(loop);
    refuse_nothing();
    CHECK_EQ(err, 0);
    gy_io_stop(&stopped); /* its refusal was queued, and is not told */
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, 1);
    CHECK_EQ(told_err, -ENOSPC);
    CHECK_EQ(gy_io_start(loop, &io, pair[0], GY_READABLE, on_io), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, 2);
    CHECK_EQ(told_err, 0);
    end();
}

/* So it can be told from others, closed, or started anew on the same descriptor. */
TEST_BACKENDS(io, a_refused_watcher_knows_its_descriptor) {
    gy_io io = {.user = NULL};
    begin(backend);
    told = 0;
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(gy_io_start(loop, &io, pair[0], GY_READABLE, on_io), 0);
    refuse(GYI_SYS_CHANGE, -ENOSPC);
    CHECK_EQ(gyi_io_apply(loop), 0);
    refuse_nothing();
    CHECK_EQ(gy_io_fd(&io), pair[0]);
    CHECK_EQ(gy_io_restart(&io, GY_READABLE), -EINVAL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, 1);
    CHECK_EQ(told_err, -ENOSPC);
    CHECK_EQ(told_fd, pair[0]);
    CHECK_EQ(gy_io_start(loop, &io, gy_io_fd(&io), GY_READABLE, on_io), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(told, 2);
    CHECK_EQ(told_err, 0);
    end();
}
