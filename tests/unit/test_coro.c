/* SPDX-License-Identifier: ISC */
/* Coroutines without a stack: start and end, requests, time, values, and coroutines that await each other. */
#include "coros.h"

static char mine;

TEST(coro, goes_from_request_to_request_and_tells_its_end_once) {
    job j = {.first = {.user = &mine}};
    begin();
    CHECK_EQ(gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_runs, .done = job_done}), 0);
    CHECK_EQ(j.step, 1);
    CHECK(gy_coro_active(&j.co));
    CHECK_EQ(gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_runs}), -EALREADY);
    CHECK(j.first.user != &mine);
    run();
    CHECK_EQ(j.step, 1);
    gy_request_settle(&j.first.user, &gy_kind_dummy, gy_num(42));
    CHECK(j.first.user == &mine);
    CHECK_EQ(j.step, 1); /* never inside the call that settles */
    run();
    CHECK_EQ(j.step, 2);
    CHECK_EQ(j.err[0], 0);
    CHECK_EQ(j.value[0].num, 42);
    settle(&j.second, &gy_kind_dummy, gy_err(-EIO));
    CHECK_EQ(j.err[1], -EIO);
    CHECK_EQ(j.step, 3);
    gy_request_settle(&j.last.user, &gy_kind_deaf, gy_num(0));
    CHECK_EQ(j.dones, 0);
    run();
    CHECK_EQ(j.step, 4);
    CHECK_EQ(j.dones, 1);
    CHECK_EQ(j.done_err, 0);
    CHECK_EQ(j.result.num, 77);
    CHECK(!gy_coro_active(&j.co));
    CHECK(!gy_coro_cancel(&j.co));
    end();
}

TEST(coro, an_error_of_the_start_comes_by_a_job_like_any_other) {
    job j = {.answer = -EBUSY};
    j.first.user = &mine;
    begin();
    CHECK_EQ(gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = NULL}), -EINVAL);
    CHECK_EQ(gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_runs}), 0);
    CHECK_EQ(j.step, 1);
    CHECK(j.first.user == &mine);
    run();
    CHECK_EQ(j.step, 2);
    CHECK_EQ(j.err[0], -EBUSY);
    settle(&j.second, &gy_kind_dummy, gy_num(0));
    settle(&j.last, &gy_kind_deaf, gy_num(0));
    CHECK_EQ(j.co.err, -EBUSY);
    j.answer = 0; /* it has ended, and begins anew */
    CHECK_EQ(gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_runs}), 0);
    CHECK_EQ(j.step, 1);
    CHECK_EQ(j.first.started, 2);
    settle(&j.first, &gy_kind_dummy, gy_num(1));
    CHECK_EQ(j.step, 2);
    end();
}

/* ---- time ------------------------------------------------------------------------------------------------------ */

static void job_sleeps(gy_coro *co) {
    job *j = GY_OF(co, job, co);
    GY_ASYNC_BEGIN(co);
    for (j->step = 0; j->step < 3; j->step++) {
        GY_AWAIT_DELAY(co, &j->timer, GY_MS(10));
        if (co->err) GY_RETURN(co, gy_err(co->err));
    }
    GY_ASYNC_END(co, gy_num(j->step));
}

TEST(coro, delays_and_their_cancellation) {
    job j = {.step = 0}, k = {.step = 0};
    begin();
    gy_ns before = gy_loop_now(loop);
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_sleeps, .done = job_done});
    run();
    CHECK_EQ(j.result.num, 3);
    CHECK_EQ(gy_loop_now(loop) - before, GY_MS(30));
    gy_coro_start(loop, &k.co, (gy_coro_opts){.fn = job_sleeps, .done = job_done});
    gy_coro_cancel(&k.co);
    CHECK(!gy_timer_active(&k.timer));
    run();
    CHECK_EQ(k.step, 0);
    CHECK_EQ(k.dones, 1);
    CHECK_EQ(k.done_err, GY_ECANCELED);
    CHECK_EQ(gy_loop_now(loop) - before, GY_MS(30));
    end();
}

static int immediates;
static void immediate(gy_job *one) { immediates += one->user == NULL; }

static void job_yields(gy_coro *co) {
    job *j = GY_OF(co, job, co);
    GY_ASYNC_BEGIN(co);
    GY_AWAIT_TURN(co);
    j->err[0] = co->err;
    j->step = immediates;
    GY_AWAIT_TURN(co);
    j->err[1] = co->err;
    GY_ASYNC_END(co, gy_num(0));
}

TEST(coro, a_turn_later_comes_after_what_came_before_and_is_told_of_a_cancellation) {
    job j = {.step = 0};
    gy_job before = {0}, after = {0};
    begin();
    immediates = 0;
    gy_immediate(loop, &before, immediate);
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_yields});
    gy_immediate(loop, &after, immediate);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL) >= 0, 1);
    CHECK_EQ(j.step, 1);
    CHECK_EQ(j.err[0], 0);
    CHECK(gy_coro_cancel(&j.co));
    run();
    CHECK_EQ(j.err[1], GY_ECANCELED);
    end();
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

static int dropped;
static void drop(void *ptr) { dropped += *(int *)ptr; }

static void job_passes_on(gy_coro *co) {
    job *j = GY_OF(co, job, co);
    GY_ASYNC_BEGIN(co);
    GY_AWAIT_REQUEST(co, dummy, &j->first, 0);
    CHECK_EQ(dropped, 0);
    GY_AWAIT_REQUEST(co, dummy, &j->second, 0);
    CHECK_EQ(dropped, 1);
    GY_ASYNC_END(co, co->value);
}

TEST(coro, a_value_with_a_destructor_lives_until_the_next_await_or_is_handed_on) {
    job j = {.step = 0};
    int one = 1, ten = 10;
    begin();
    dropped = 0;
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_passes_on, .done = job_done});
    settle(&j.first, &gy_kind_dummy, gy_own(&one, drop));
    CHECK_EQ(dropped, 1);
    gy_request_settle(&j.second.user, &gy_kind_dummy, gy_own(&ten, drop));
    run();
    CHECK_EQ(j.dones, 1);
    CHECK(j.result.ptr == &ten);
    CHECK_EQ(dropped, 11);
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_passes_on});
    dropped = 0;
    settle(&j.first, &gy_kind_dummy, gy_own(&one, drop));
    settle(&j.second, &gy_kind_dummy, gy_own(&ten, drop));
    CHECK_EQ(dropped, 1);
    CHECK(j.co.value.ptr == &ten); /* nobody was told: it waits for somebody who asks, or the next start */
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_sleeps});
    CHECK_EQ(dropped, 11);
    CHECK(gy_coro_take(&j.co).ptr == NULL);
    end();
}

TEST(coro, a_result_can_be_taken_once_with_its_destructor) {
    job j = {.step = 0};
    int one = 1;
    begin();
    dropped = 0;
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_passes_on});
    settle(&j.first, &gy_kind_dummy, gy_num(0));
    dropped = 1; /* what the function expects */
    settle(&j.second, &gy_kind_dummy, gy_own(&one, drop));
    gy_value v = gy_coro_take(&j.co);
    CHECK(v.ptr == &one);
    CHECK(v.drop == drop);
    CHECK(gy_coro_take(&j.co).drop == NULL);
    end();
}

static void job_strays(gy_coro *co) {
    job *j = GY_OF(co, job, co);
    GY_ASYNC_BEGIN(co);
    switch (j->answer) {
    case 0: GY_AWAIT_DELAY(co, &j->timer, 1); break;
    default: break;
    }
    GY_ASYNC_END(co, gy_num(0));
}

TEST(coro, an_await_inside_a_switch_is_not_found_again) {
    job j = {.step = 0};
    begin();
    gy_coro_start(loop, &j.co, (gy_coro_opts){.fn = job_strays, .done = job_done});
    run();
    CHECK_EQ(j.dones, 1);
    CHECK_EQ(j.done_err, -ENOSYS);
    end();
}

/* ---- coroutines that await coroutines -------------------------------------------------------------------------- */

static void job_awaits_other(gy_coro *co) {
    job *j = GY_OF(co, job, co);
    GY_ASYNC_BEGIN(co);
    GY_AWAIT_CORO(co, j->other);
    j->err[0] = co->err;
    j->value[0] = co->value;
    j->step = 1;
    GY_ASYNC_END(co, co->err ? gy_err(co->err) : gy_num(co->value.num + 1));
}

TEST(coro, one_awaits_another) {
    job child = {.step = 0}, middle = {.other = &child.co}, parent = {.other = &middle.co};
    begin();
    child.co.user = &mine;
    gy_coro_start(loop, &child.co, (gy_coro_opts){.fn = job_sleeps});
    gy_coro_start(loop, &middle.co, (gy_coro_opts){.fn = job_awaits_other});
    gy_coro_start(loop, &parent.co, (gy_coro_opts){.fn = job_awaits_other, .done = job_done});
    CHECK(child.co.user != &mine);
    run();
    CHECK(child.co.user == &mine);
    CHECK_EQ(middle.value[0].num, 3);
    CHECK_EQ(parent.result.num, 5);
    parent.step = 0;
    /* It has ended already. */
    gy_coro_start(loop, &parent.co, (gy_coro_opts){.fn = job_awaits_other, .done = job_done});
    CHECK_EQ(parent.step, 0);
    run();
    CHECK_EQ(parent.step, 1);
    CHECK_EQ(parent.result.num, 5);
    end();
}

TEST(coro, cancelling_goes_down_and_the_child_is_waited_for) {
    job child = {.step = 0}, parent = {.other = &child.co};
    begin();
    gy_coro_start(loop, &child.co, (gy_coro_opts){.fn = job_runs});
    gy_coro_start(loop, &parent.co, (gy_coro_opts){.fn = job_awaits_other, .done = job_done});
    CHECK(gy_coro_cancel(&parent.co));
    CHECK(child.co.cancelled);
    run();
    CHECK_EQ(child.step, 3);
    CHECK_EQ(parent.dones, 0);
    settle(&child.last, &gy_kind_deaf, gy_num(0));
    CHECK_EQ(parent.err[0], GY_ECANCELED);
    CHECK_EQ(parent.dones, 1);
    /* Cancelled before it waits, it cancels and waits all the same. */
    gy_coro_start(loop, &child.co, (gy_coro_opts){.fn = job_runs});
    gy_cancel token = {.reason = -EIO};
    gy_coro_start(loop, &parent.co, (gy_coro_opts){.fn = job_awaits_other, .done = job_done, .token = &token});
    CHECK(child.co.cancelled);
    run();
    CHECK_EQ(parent.dones, 1);
    settle(&child.last, &gy_kind_deaf, gy_num(0));
    CHECK_EQ(parent.dones, 2);
    end();
}

TEST(coro, who_cannot_be_awaited_says_why) {
    job never = {.step = 0}, taken = {.step = 0}, told = {.step = 0};
    job a = {.other = &never.co}, b = {.other = &taken.co}, c = {.other = &taken.co}, d = {.other = &told.co};
    job self = {.step = 0};
    begin();
    self.other = &self.co;
    gy_coro_start(loop, &taken.co, (gy_coro_opts){.fn = job_sleeps});
    gy_coro_start(loop, &told.co, (gy_coro_opts){.fn = job_sleeps, .done = job_done});
    job *const all[] = {&a, &b, &c, &d, &self};
    for (int i = 0; i < 5; i++) gy_coro_start(loop, &all[i]->co, (gy_coro_opts){.fn = job_awaits_other});
    run();
    CHECK_EQ(a.err[0], -EINVAL);
    CHECK_EQ(b.err[0], 0);
    CHECK_EQ(c.err[0], -EBUSY);
    CHECK_EQ(d.err[0], -EBUSY);
    CHECK_EQ(self.err[0], -EDEADLK);
    CHECK_EQ(told.dones, 1);
    CHECK_EQ(gy_coro_join(&told.co), -EBUSY);
    CHECK_EQ(gy_coro_join(&taken.co), -EBUSY);
    end();
}
