/* SPDX-License-Identifier: ISC */
/* ask.c as a fiber: asks a server something and prints the answer.
 *
 *   ask_fiber HOST:PORT TEXT
 *
 * ask() is read from top to bottom, as if it blocked. Only this fiber waits; others would go on. */
#include <errno.h>
#include <gyre/gyre.h>
#include <stdio.h>
#include <string.h>

struct ask {
    const char *host, *text;
    gy_loop *loop;
    gy_cancel limit;
    gy_stream stream;
    char answer[65536];
    int64_t result; /* the length of the answer, or a negative error */
};

/* The outcome of a request that `start` begins, once it is there. */
#define AWAIT(a, kind, request, start) gy_await_req(GY_PROMISE_UNTIL(&(a)->limit, (a)->loop, kind, request, start))

static int call(struct ask *a) {
    gy_dial dial = {0};
    gy_dial_opts opts = {.host = a->host, .fn = gy_settle_dial};
    return gy_value_err(AWAIT(a, dial, &dial, gy_dial_start(a->loop, &dial, &a->stream, opts)));
}

static int send_text(struct ask *a) {
    gy_write write = {0};
    gy_buf text = {(char *)(uintptr_t)a->text, strlen(a->text)};
    int err = gy_value_err(AWAIT(a, write, &write, gy_stream_write(&a->stream, &write, text, gy_settle_write)));
    if (err) return err;
    return gy_value_err(AWAIT(a, write, &write, gy_stream_shutdown(&a->stream, &write, gy_settle_write)));
}

/* @return the length of the answer or a negative error. */
static int64_t read_answer(struct ask *a) {
    size_t have = 0;
    while (have < sizeof a->answer) {
        gy_buf rest = {a->answer + have, sizeof a->answer - have};
        gy_value got = AWAIT(a, read, &a->stream, gy_stream_read(&a->stream, rest, gy_settle_read));
        int err = gy_value_err(got);
        if (err) return err == GY_EOF ? (int64_t)have : err;
        have += (size_t)got.num;
    }
    return -EMSGSIZE;
}

static gy_value ask(void *arg) {
    struct ask *a = arg;
    gy_cancel_after(a->loop, &a->limit, GY_S(5));
    int64_t n = call(a);
    if (n == 0) n = send_text(a);
    if (n == 0) n = read_answer(a);
    if (n == GY_ECANCELED) n = a->limit.reason;
    gy_cancel_close(&a->limit);
    gy_stream_close(&a->stream, NULL);
    a->result = n;
    return gy_num(0);
}

int main(int argc, char **argv) {
    static struct ask a;
    if (argc != 3) {
        fprintf(stderr, "usage: ask_fiber HOST:PORT TEXT\n");
        return 2;
    }
    a.host = argv[1];
    a.text = argv[2];
    if (gy_loop_new(&a.loop, (gy_loop_opts){0})) return 1;
    a.result = -ENOMEM; /* what stays if it cannot be started */
    gy_fiber_start(a.loop, (gy_fiber_opts){.fn = ask, .arg = &a});
    gy_loop_run(a.loop);
    if (a.result < 0) fprintf(stderr, "ask_fiber: %s\n", gy_error_text((int)a.result));
    else printf("%.*s\n", (int)a.result, a.answer);
    gy_loop_free(a.loop);
    return a.result < 0;
}
