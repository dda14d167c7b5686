/* SPDX-License-Identifier: ISC */
/* ask.c with promises: asks a server something and prints the answer.
 *
 *   ask_promise HOST:PORT TEXT
 *
 * main() says what is to be done, in the order in which it happens; each step is a function that returns what it began.
 * There is one place for errors, the gy_catch() at the end, and one token for the time limit. */
#include <errno.h>
#include <gyre/gyre.h>
#include <stdio.h>
#include <string.h>

struct ask {
    const char *text;
    gy_loop *loop;
    gy_cancel limit;
    gy_dial dial;
    gy_stream stream;
    gy_write send, end;
    char answer[65536];
    size_t have;
};

static gy_promise *call(struct ask *a, const char *host) {
    gy_dial_opts opts = {.host = host, .fn = gy_settle_dial};
    return GY_PROMISE_UNTIL(&a->limit, a->loop, dial, &a->dial, gy_dial_start(a->loop, &a->dial, &a->stream, opts));
}

static gy_value send_text(gy_value connected, void *ctx) {
    struct ask *a = ctx;
    gy_buf text = {(char *)(uintptr_t)a->text, strlen(a->text)};
    (void)connected;
    return gy_adopt(GY_PROMISE_UNTIL(&a->limit, a->loop, write, &a->send,
                                     gy_stream_write(&a->stream, &a->send, text, gy_settle_write)));
}

static gy_value end_sending(gy_value sent, void *ctx) {
    struct ask *a = ctx;
    (void)sent;
    return gy_adopt(GY_PROMISE_UNTIL(&a->limit, a->loop, write, &a->end,
                                     gy_stream_shutdown(&a->stream, &a->end, gy_settle_write)));
}

static gy_promise *read_rest(struct ask *a);

/* Every read that brought something is followed by another one; so the end of the stream comes as an error. */
static gy_value read_more(gy_value count, void *ctx) {
    struct ask *a = ctx;
    a->have += (size_t)count.num;
    return a->have < sizeof a->answer ? gy_adopt(read_rest(a)) : gy_err(-EMSGSIZE);
}

static gy_promise *read_rest(struct ask *a) {
    gy_buf rest = {a->answer + a->have, sizeof a->answer - a->have};
    gy_promise *p = GY_PROMISE_UNTIL(&a->limit, a->loop, read, &a->stream,
                                     gy_stream_read(&a->stream, rest, gy_settle_read));
    return gy_then(p, read_more, a);
}

static gy_value read_answer(gy_value ended, void *ctx) {
    (void)ended;
    return gy_adopt(read_rest(ctx));
}

static gy_value print_unless_failed(gy_value why, void *ctx) {
    struct ask *a = ctx;
    int err = gy_value_err(why);
    if (err == GY_ECANCELED) err = a->limit.reason;
    if (err != GY_EOF) return gy_err(err);
    printf("%.*s\n", (int)a->have, a->answer);
    return gy_num(0);
}

static gy_value hang_up(void *ctx) {
    struct ask *a = ctx;
    gy_cancel_close(&a->limit);
    gy_stream_close(&a->stream, NULL);
    return gy_num(0);
}

static gy_value complain(gy_value why, void *ctx) {
    *(int *)ctx = gy_value_err(why);
    fprintf(stderr, "ask_promise: %s\n", gy_error_text(gy_value_err(why)));
    return gy_num(0);
}

int main(int argc, char **argv) {
    static struct ask a;
    if (argc != 3) {
        fprintf(stderr, "usage: ask_promise HOST:PORT TEXT\n");
        return 2;
    }
    a.text = argv[2];
    int err = gy_loop_new(&a.loop, (gy_loop_opts){0});
    if (err) return 1;
    gy_cancel_after(a.loop, &a.limit, GY_S(5));
    gy_promise *p = call(&a, argv[1]);
    p = gy_then(p, send_text, &a);
    p = gy_then(p, end_sending, &a);
    p = gy_then(p, read_answer, &a);
    p = gy_catch(p, print_unless_failed, &a);
    p = gy_finally(p, hang_up, &a);
    gy_catch(p, complain, &err);
    gy_loop_run(a.loop);
    gy_loop_free(a.loop);
    return err != 0;
}
