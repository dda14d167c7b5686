/* SPDX-License-Identifier: ISC */
/* The echo server of echo.c, read from top to bottom: each connection is a fiber, and waiting is a line.
 *
 *     fiber_echo [address]        then: nc 127.0.0.1 7000
 *
 * One token ends it all: an interrupt cancels it, and with it the accept and every read. Each fiber then closes what it
 * has, on its own stack, and the loop ends because nothing is left. */
#include <gyre/gyre.h>
#include <stdio.h>
#include <stdlib.h>

static gy_loop *loop;
static gy_stream server;
static gy_cancel stop;

struct conn {
    gy_stream stream;
    gy_write write;
    char buf[16384];
};

static int converse(struct conn *c) {
    for (;;) {
        gy_value got = gy_await(GY_PROMISE_UNTIL(&stop, loop, read, &c->stream,
                                                 gy_stream_read(&c->stream, GY_BUF(c->buf), gy_settle_read)));
        if (gy_value_err(got)) return gy_value_err(got); /* GY_EOF comes here too */
        gy_buf back = {c->buf, (size_t)got.num};
        gy_value sent = gy_await(GY_PROMISE_UNTIL(&stop, loop, write, &c->write,
                                                  gy_stream_write(&c->stream, &c->write, back, gy_settle_write)));
        if (gy_value_err(sent)) return gy_value_err(sent);
    }
}

static gy_value talk(void *arg) {
    struct conn *c = arg;
    converse(c);
    gy_await(GY_PROMISE(loop, close, &c->stream, (gy_stream_close(&c->stream, gy_settle_close), 0)));
    free(c);
    return gy_num(0);
}

static gy_value serve(void *arg) {
    (void)arg;
    while (!stop.reason) {
        struct conn *c = calloc(1, sizeof *c);
        if (!c) return gy_err(-12 /* ENOMEM */);
        int err = gy_value_err(gy_await(gy_promise_accept(&server, &c->stream, &stop)));
        if (err) free(c); /* the end, or a connection that could not be taken; there will be others */
        else gy_fiber_start(loop, (gy_fiber_opts){.fn = talk, .arg = c});
    }
    gy_stream_close(&server, NULL);
    return gy_num(0);
}

static void on_signal(gy_signal *signal, unsigned count) {
    (void)count;
    gy_signal_stop(signal);
    gy_cancel_now(&stop, GY_ECANCELED);
}

int main(int argc, char **argv) {
    gy_signal interrupt = {0};
    gy_addr at;
    const char *addr = argc > 1 ? argv[1] : "127.0.0.1:7000";
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (!err) err = gy_tcp_listen(loop, &server, (gy_listen_opts){.addr = addr, .fn = gy_settle_accept});
    if (!err) err = gy_signal_start(loop, &interrupt, 2 /* SIGINT */, on_signal);
    if (!err) err = gy_stream_local_addr(&server, &at);
    if (!err) {
        printf("echoing on %s\n", at.text);
        fflush(stdout);
        gy_fiber_start(loop, (gy_fiber_opts){.fn = serve});
        err = gy_loop_run(loop);
    }
    if (err) fprintf(stderr, "fiber_echo: %s\n", gy_error_text(err));
    if (loop) gy_loop_free(loop);
    return err ? 1 : 0;
}
