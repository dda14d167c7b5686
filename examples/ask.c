/* SPDX-License-Identifier: ISC */
/* Asks a server something and prints the answer, with callbacks: ask_promise.c and ask_fiber.c are the same program,
 * and docs/guide has them side by side.
 *
 *   ask HOST:PORT TEXT        for instance, with `echo` running: ask 127.0.0.1:7000 hello
 *
 * The name is looked up, the server is called, the text is sent and the sending side shut down, and the answer is read
 * to its end; five seconds for all of it. Each step begins the next one in its callback. finish() is the way out of
 * every step. */
#include <errno.h>
#include <gyre/gyre.h>
#include <stdio.h>
#include <string.h>

struct ask {
    const char *text;
    gy_dial dial;
    gy_stream stream;
    gy_write send, end;
    gy_timer limit;
    char answer[65536];
    size_t have;
    int err;
};

/* Whatever is under way is told that it is over; the first reason is the one that counts. */
static void finish(struct ask *a, int err) {
    if (!a->err) a->err = err;
    gy_timer_stop(&a->limit);
    gy_stream_close(&a->stream, NULL);
}

static void on_limit(gy_timer *timer) {
    struct ask *a = GY_OF(timer, struct ask, limit);
    if (gy_dial_cancel(&a->dial) == 0) a->err = -ETIMEDOUT; /* on_connected() comes, and finishes */
    else finish(a, -ETIMEDOUT);
}

static void on_read(gy_stream *stream, int err, gy_buf got) {
    struct ask *a = GY_OF(stream, struct ask, stream);
    a->have += got.len;
    gy_buf rest = {a->answer + a->have, sizeof a->answer - a->have};
    if (!err && rest.len) err = gy_stream_read(stream, rest, on_read);
    else if (!err) err = -EMSGSIZE;
    if (err) finish(a, err == GY_EOF ? 0 : err);
}

static void on_sent(gy_write *write, int err) {
    if (err) finish(GY_OF(write, struct ask, send), err);
}

static void on_ended(gy_write *write, int err) {
    if (err) finish(GY_OF(write, struct ask, end), err);
}

static void on_connected(gy_dial *dial, int err) {
    struct ask *a = GY_OF(dial, struct ask, dial);
    gy_buf text = {(char *)(uintptr_t)a->text, strlen(a->text)};
    if (!err) err = gy_stream_write(&a->stream, &a->send, text, on_sent);
    if (!err) err = gy_stream_shutdown(&a->stream, &a->end, on_ended);
    if (!err) err = gy_stream_read(&a->stream, GY_BUF(a->answer), on_read);
    if (err) finish(a, err);
}

static int ask(gy_loop *loop, struct ask *a, const char *host) {
    gy_timer_start(loop, &a->limit, (gy_timer_opts){.after = GY_S(5), .fn = on_limit});
    return gy_dial_start(loop, &a->dial, &a->stream, (gy_dial_opts){.host = host, .fn = on_connected});
}

int main(int argc, char **argv) {
    static struct ask a;
    gy_loop *loop;
    if (argc != 3) {
        fprintf(stderr, "usage: ask HOST:PORT TEXT\n");
        return 2;
    }
    a.text = argv[2];
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (err) return 1;
    err = ask(loop, &a, argv[1]);
    if (!err) err = gy_loop_run(loop);
    if (!err) err = a.err;
    if (err) fprintf(stderr, "ask: %s\n", gy_error_text(err));
    else printf("%.*s\n", (int)a.have, a.answer);
    gy_timer_stop(&a.limit);
    gy_loop_free(loop);
    return err != 0;
}
