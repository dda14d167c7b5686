/* SPDX-License-Identifier: ISC */
/* Promises: three measurements that take their time, all of them awaited, with a time limit for the whole.
 *
 * Each sensor answers after a while, through a promise that it resolves. The chain says what is to be done then, and
 * one function at its end hears of whatever went wrong anywhere. */
#include <gyre/gyre.h>
#include <stdio.h>

struct sensor {
    gy_timer timer;
    gy_promise *answer;
    int reading;
};

static void on_measured(gy_timer *timer) {
    struct sensor *s = GY_OF(timer, struct sensor, timer);
    gy_promise_resolve(s->answer, gy_num(s->reading));
    gy_promise_free(s->answer);
}

/* The promise is ours until it is settled; the caller borrows it. */
static gy_promise *measure(gy_loop *loop, struct sensor *s, gy_ns takes) {
    if (gy_promise_new(loop, &s->answer)) return NULL;
    gy_timer_start(loop, &s->timer, (gy_timer_opts){.after = takes, .fn = on_measured});
    return s->answer;
}

static gy_value add_up(gy_value readings, void *ctx) {
    const gy_list *list = readings.ptr;
    int64_t sum = 0;
    (void)ctx;
    for (size_t i = 0; i < list->count; i++) {
        printf("sensor %zu: %lld\n", i, (long long)list->at[i].num);
        sum += list->at[i].num;
    }
    return gy_num(sum);
}

static gy_value show(gy_value sum, void *ctx) {
    (void)ctx;
    printf("all together: %lld\n", (long long)sum.num);
    return gy_num(0);
}

static gy_value complain(gy_value error, void *ctx) {
    printf("%s: %s\n", (const char *)ctx, gy_error_text(gy_value_err(error)));
    return gy_num(0);
}

static void run(gy_loop *loop, const char *what, gy_ns limit) {
    struct sensor sensor[3] = {{.reading = 7}, {.reading = 11}, {.reading = 24}};
    gy_promise *answers[3];
    for (int i = 0; i < 3; i++) answers[i] = measure(loop, &sensor[i], GY_MS(30 - 10 * i));
    gy_promise *all = gy_promise_timeout(gy_all(loop, answers, 3), limit);
    gy_catch(gy_then(gy_then(all, add_up, NULL), show, NULL), complain, (void *)(uintptr_t)what);
    gy_loop_run(loop);
}

int main(void) {
    gy_loop *loop;
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (err) {
        fprintf(stderr, "promise: %s\n", gy_error_text(err));
        return 1;
    }
    run(loop, "with time enough", GY_S(1));
    run(loop, "with 5 ms only", GY_MS(5));
    gy_loop_free(loop);
    return 0;
}
