/* SPDX-License-Identifier: ISC */
/* Who waits for a request: the chain in `user`, and the kinds of timers and watchers. */
#include "task/waiter.h"

#include <errno.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

static const gy_request_kind kind_a = {NULL}, kind_b = {NULL};

typedef struct noting {
    gyi_waiter waiter;
    int count;
    int64_t num;
} noting;

static void noting_settle(gyi_waiter *waiter, gy_value value) {
    noting *n = GY_OF(waiter, noting, waiter);
    n->count++;
    n->num = value.num;
}

TEST(waiter, a_chain_is_found_by_kind_and_closes_behind_who_leaves) {
    char mine;
    void *user = &mine;
    noting n[3] = {{.count = 0}};
    for (int i = 0; i < 3; i++) n[i].waiter.settle = noting_settle;
    gyi_waiter_add(&n[0].waiter, &kind_a, &user);
    gyi_waiter_add(&n[1].waiter, &kind_b, &user);
    gyi_waiter_add(&n[2].waiter, &kind_a, &user);
    gy_request_settle(&user, &kind_b, gy_num(5));
    CHECK_EQ(n[1].count, 1);
    CHECK_EQ(n[1].num, 5);
    gy_request_settle(&user, &kind_a, gy_num(6)); /* the one that came last */
    CHECK_EQ(n[2].num, 6);
    CHECK(user == &n[0].waiter);
    gyi_waiter_add(&n[1].waiter, &kind_b, &user);
    gyi_waiter_remove(&n[0].waiter);
    CHECK(user == &n[1].waiter);
    gyi_waiter_remove(&n[1].waiter);
    CHECK(user == &mine);
    CHECK_EQ(n[0].count, 0);
}

TEST(waiter, a_watcher_is_a_request_for_one_time) {
    gy_loop *loop;
    gy_io io = {0}, never = {0};
    gy_cancel token = {0};
    int fd[2];
    outcome o = {.count = 0}, p = {.count = 0}, bad = {.count = 0};
    CHECK_EQ(pipe(fd), 0);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){0}), 0);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    outcome_of(GY_PROMISE(loop, io, &io, gy_io_start(loop, &io, fd[0], GY_READABLE, gy_settle_io)), &o);
    CHECK_EQ(gy_loop_run(loop), 0); /* ends, because the watcher is stopped */
    CHECK_EQ(o.count, 1);
    CHECK_EQ(o.err, 0);
    CHECK(o.value.num & GY_READABLE);
    CHECK(!gy_io_active(&io));
    char byte;
    CHECK_EQ(read(fd[0], &byte, 1), 1);
    gy_promise *q =
        GY_PROMISE_UNTIL(&token, loop, io, &never, gy_io_start(loop, &never, fd[0], GY_READABLE, gy_settle_io));
    outcome_of(q, &p);
    gy_cancel_now(&token, -EIO);
    CHECK(!gy_io_active(&never));
    outcome_of(GY_PROMISE(loop, io, &io, gy_io_start(loop, &io, -1, GY_READABLE, gy_settle_io)), &bad);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(p.err, GY_ECANCELED);
    CHECK_EQ(bad.err, -EBADF);
    gy_cancel_close(&token);
    close(fd[0]);
    close(fd[1]);
    CHECK_EQ(gy_loop_free(loop), 0);
}
