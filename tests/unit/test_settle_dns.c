/* SPDX-License-Identifier: ISC */
/* Names as promises, with resolvers of our own. */
#include <errno.h>

#include "gyre/gyre.h"
#include "harness.h"
#include "outcome.h"

static int nobody(const gy_dns_question *question, gy_dns_answer *answer) {
    (void)question, (void)answer;
    return -EHOSTUNREACH;
}

TEST_BACKENDS(settle_dns, tells_what_the_resolver_says) {
    gy_loop *loop;
    gy_dns req = {0}, bad = {0}, numeric = {0};
    gy_stream stream = {0};
    gy_dial dial = {0};
    outcome a = {.count = 0}, b = {.count = 0}, c = {.count = 0}, d = {.count = 0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    gy_dns_opts opts = {.host = "127.0.0.1", .port = 80};
    outcome_of(GY_PROMISE(loop, dns, &numeric, gy_dns_lookup(loop, &numeric, opts, gy_settle_dns)), &a);
    opts = (gy_dns_opts){.host = "name.invalid", .resolve = nobody};
    outcome_of(GY_PROMISE(loop, dns, &req, gy_dns_lookup(loop, &req, opts, gy_settle_dns)), &b);
    opts.host = NULL;
    outcome_of(GY_PROMISE(loop, dns, &bad, gy_dns_lookup(loop, &bad, opts, gy_settle_dns)), &c);
    gy_dial_opts to = {.host = "name.invalid:80", .resolve = nobody, .fn = gy_settle_dial};
    outcome_of(GY_PROMISE(loop, dial, &dial, gy_dial_start(loop, &dial, &stream, to)), &d);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.err, 0);
    CHECK(a.value.ptr == &numeric);
    CHECK_EQ(b.err, -EHOSTUNREACH);
    CHECK_EQ(c.err, -EINVAL);
    CHECK_EQ(d.err, -EHOSTUNREACH);
    gy_dns_release(&numeric);
    gy_dns_release(&req);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(settle_dns, tokens_end_both) {
    gy_loop *loop;
    gy_dns req = {0};
    gy_stream stream = {0};
    gy_dial dial = {0};
    gy_cancel token = {0};
    outcome a = {.count = 0}, b = {.count = 0};
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    gy_dns_opts opts = {.host = "name.invalid", .resolve = nobody};
    outcome_of(GY_PROMISE_UNTIL(&token, loop, dns, &req, gy_dns_lookup(loop, &req, opts, gy_settle_dns)), &a);
    gy_dial_opts to = {.host = "name.invalid:80", .resolve = nobody, .fn = gy_settle_dial};
    outcome_of(GY_PROMISE_UNTIL(&token, loop, dial, &dial, gy_dial_start(loop, &dial, &stream, to)), &b);
    gy_cancel_now(&token, -EIO);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(a.err, GY_ECANCELED);
    CHECK_EQ(b.err, GY_ECANCELED);
    CHECK_EQ(gy_loop_free(loop), 0);
}
