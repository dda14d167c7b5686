/* SPDX-License-Identifier: ISC */
/* Coroutines that are cancelled: from outside, by a token, in the middle of a start, and those that are shielded. */
#include "coros.h"

TEST(coro, cancelled_it_is_told_at_every_await_but_what_cannot_be_cancelled) {
    job j = {.step = 0};
    begin();
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_runs, .done = job_done});
    CHECK(gy_coro_cancel(&j.co));
    CHECK(!gy_coro_cancel(&j.co));
    CHECK(j.co.cancelled);
    CHECK_EQ(j.first.cancelled, 1);
    CHECK_EQ(j.step, 1);
    run();
    CHECK_EQ(j.err[0], GY_ECANCELED);
    CHECK_EQ(j.err[1], GY_ECANCELED);
    CHECK_EQ(j.second.started, 0);
    CHECK_EQ(j.step, 3);
    CHECK_EQ(j.last.started, 1);
    settle(&j.last, &gy_kind_deaf, gy_num(0));
    CHECK_EQ(j.dones, 1);
    CHECK_EQ(j.done_err, GY_ECANCELED);
    end();
}

TEST(coro, what_has_been_obtained_is_not_lost_by_a_cancellation) {
    job j = {.step = 0};
    begin();
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_runs});
    gy_request_settle(&j.first.user, &gy_kind_dummy, gy_num(5));
    CHECK(gy_coro_cancel(&j.co));
    run();
    CHECK_EQ(j.err[0], 0);
    CHECK_EQ(j.value[0].num, 5);
    CHECK_EQ(j.err[1], GY_ECANCELED);
    settle(&j.last, &gy_kind_deaf, gy_num(0));
    end();
}

TEST(coro, a_shielded_one_is_not_disturbed) {
    job j = {.step = 0};
    gy_cancel token = {0};
    begin();
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_runs, .token = &token});
    j.co.shielded = true;
    gy_cancel_now(&token, -EIO);
    CHECK(gy_coro_cancel(&j.co));
    CHECK_EQ(j.first.cancelled, 0);
    settle(&j.first, &gy_kind_dummy, gy_num(5));
    CHECK_EQ(j.err[0], 0);
    CHECK_EQ(j.second.started, 1);
    settle(&j.second, &gy_kind_dummy, gy_num(5));
    settle(&j.last, &gy_kind_deaf, gy_num(0));
    CHECK_EQ(j.step, 4);
    gy_cancel_close(&token);
    end();
}

TEST(coro, a_token_does_the_same_and_is_left_when_nothing_is_awaited) {
    job j = {.step = 0}, late = {.step = 0};
    gy_cancel token = {0};
    begin();
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_runs, .token = &token});
    gy_request_settle(&j.first.user, &gy_kind_dummy, gy_num(5));
    j.co.token = NULL; /* from the next await on */
    gy_cancel_now(&token, -ETIMEDOUT);
    run();
    CHECK_EQ(j.first.cancelled, 0);
    CHECK_EQ(j.second.started, 1);
    settle(&j.second, &gy_kind_dummy, gy_num(0));
    settle(&j.last, &gy_kind_deaf, gy_num(0));
    gy_cancel_close(&token);
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_runs, .token = &token});
    gy_cancel_now(&token, -ETIMEDOUT);
    CHECK_EQ(j.first.cancelled, 1);
    CHECK(!j.co.cancelled);
    run();
    CHECK_EQ(j.err[0], GY_ECANCELED);
    CHECK_EQ(j.err[1], GY_ECANCELED);
    gy_coro_start(loop, &late.co, (gy_coro_opts){.fn = job_runs, .token = &token});
    run();
    CHECK_EQ(late.first.started, 0);
    CHECK_EQ(late.err[0], GY_ECANCELED);
    settle(&j.last, &gy_kind_deaf, gy_num(0));
    settle(&late.last, &gy_kind_deaf, gy_num(0));
    gy_cancel_close(&token);
    end();
}

/* A request that takes its time to be cancelled. */
static void slow_cancel(void *request) { ((dummy *)request)->cancelled++; }

static const gy_request_kind gy_kind_slow = {slow_cancel};

static void job_slow(gy_coro *co) {
    job *j = GY_OF(co, job, co);
    GY_ASYNC_BEGIN(co);
    GY_AWAIT_REQUEST(co, slow, &j->first, dummy_start(&j->first, 0));
    GY_ASYNC_END(co, gy_err(co->err));
}

TEST(coro, a_wait_is_cancelled_once_and_ends_when_the_request_does) {
    job j = {.step = 0};
    gy_cancel token = {0};
    begin();
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_slow, .done = job_done, .token = &token});
    CHECK(gy_coro_cancel(&j.co));
    gy_cancel_now(&token, -EIO);
    run();
    CHECK_EQ(j.first.cancelled, 1);
    CHECK_EQ(j.dones, 0);
    settle(&j.first, &gy_kind_slow, gy_err(GY_ECANCELED));
    CHECK_EQ(j.dones, 1);
    CHECK_EQ(j.done_err, GY_ECANCELED);
    gy_cancel_close(&token);
    end();
}

/* A start that cancels: the request is not cancelled before it has begun. */
static int job_cancels(job *j) {
    gy_coro_cancel(&j->co);
    CHECK_EQ(j->first.cancelled, 0);
    return 0;
}

static void job_hasty(gy_coro *co) {
    job *j = GY_OF(co, job, co);
    GY_ASYNC_BEGIN(co);
    GY_AWAIT_REQUEST(co, dummy, &j->first, job_cancels(j));
    j->err[0] = co->err;
    co->shielded = true;
    GY_AWAIT_REQUEST(co, dummy, &j->first, (gy_request_settle(&j->first.user, &gy_kind_dummy, gy_num(3)), 0));
    j->err[1] = co->err;
    j->value[1] = co->value;
    GY_ASYNC_END(co, gy_num(0));
}

TEST(coro, a_start_may_cancel_and_may_settle) {
    job j = {.step = 0};
    begin();
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_hasty});
    CHECK_EQ(j.first.cancelled, 1);
    run();
    CHECK_EQ(j.err[0], GY_ECANCELED);
    CHECK_EQ(j.err[1], 0);
    CHECK_EQ(j.value[1].num, 3);
    CHECK(!gy_coro_active(&j.co));
    end();
}

typedef struct chained {
    gy_coro co;
    gy_coro *next;
    dummy request;
} chained;

static void chained_waits(gy_coro *co) {
    chained *l = GY_OF(co, chained, co);
    GY_ASYNC_BEGIN(co);
    if (l->next) GY_AWAIT_CORO(co, l->next);
    else GY_AWAIT_REQUEST(co, dummy, &l->request, dummy_start(&l->request, 0));
    GY_ASYNC_END(co, gy_err(co->err));
}

/* More than a thread's stack would have room for, if each one called the next. */
TEST(coro, a_long_chain_is_cancelled_to_its_end) {
    enum { LINKS = 200000 };
    chained *chain = calloc(LINKS, sizeof *chain);
    CHECK(chain != NULL);
    begin();
    for (int i = 0; i < LINKS; i++) {
        if (i > 0) chain[i].next = &chain[i - 1].co;
        CHECK_EQ(gy_coro_start(loop, &chain[i].co, (gy_coro_opts){.fn = chained_waits}), 0);
    }
    CHECK(gy_coro_cancel(&chain[LINKS - 1].co));
    CHECK_EQ(chain[0].request.cancelled, 1);
    run();
    CHECK_EQ(gy_value_err(gy_coro_take(&chain[LINKS - 1].co)), GY_ECANCELED);
    end();
    free(chain);
}
