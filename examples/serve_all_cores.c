/* SPDX-License-Identifier: ISC */
/* The echo server on all cores: a loop and a listener per core, and the kernel decides who gets a connection.
 *
 *     serve_all_cores [address]        then: nc 127.0.0.1 7000
 *
 * The connections are those of echo.c, and know nothing of threads: each lives on one loop. The main thread runs a loop
 * of its own for the signals, and ends the group when one comes. */
#include <gyre/gyre.h>
#include <stdio.h>
#include <stdlib.h>

struct conn {
    gy_stream stream;
    gy_write write;
    char buf[16384];
};

static gy_read_fn on_read;

static void on_close(gy_stream *stream) { free(GY_OF(stream, struct conn, stream)); }

static void on_write(gy_write *write, int err) {
    struct conn *c = GY_OF(write, struct conn, write);
    if (err) gy_stream_close(&c->stream, on_close);
    else gy_stream_read(&c->stream, GY_BUF(c->buf), on_read);
}

static void on_read(gy_stream *stream, int err, gy_buf got) {
    struct conn *c = GY_OF(stream, struct conn, stream);
    if (err) gy_stream_close(stream, on_close); /* GY_EOF; and GY_ECANCELED when the server ends */
    else gy_stream_write(stream, &c->write, got, on_write);
}

static void on_connection(gy_stream *server, int err) {
    struct conn *c = err ? NULL : calloc(1, sizeof *c);
    if (!c || gy_stream_accept(server, &c->stream)) {
        free(c); /* the connection keeps waiting, and is announced again */
        return;
    }
    gy_stream_read(&c->stream, GY_BUF(c->buf), on_read);
}

static void on_signal(gy_signal *signal, unsigned count) {
    (void)count;
    gy_loop_stop(signal->loop);
}

/* Waits for a signal. */
static int wait_for_signal(gy_loop *loop) {
    gy_signal interrupt = {0}, terminate = {0};
    int err = gy_signal_start(loop, &interrupt, 2 /* SIGINT */, on_signal);
    if (!err) err = gy_signal_start(loop, &terminate, 15 /* SIGTERM */, on_signal);
    if (!err) err = gy_loop_run(loop);
    gy_signal_stop(&interrupt);
    gy_signal_stop(&terminate);
    return err;
}

int main(int argc, char **argv) {
    gy_loop *loop = NULL;
    gy_group *group = NULL;
    gy_addr at;
    const char *addr = argc > 1 ? argv[1] : "127.0.0.1:7000";
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (!err) err = gy_group_new(&group, (gy_group_opts){.grace = GY_MS(500)});
    if (!err) err = gy_group_listen(group, NULL, &at, (gy_listen_opts){.addr = addr, .fn = on_connection});
    if (!err) {
        printf("echoing on %s with %u loops\n", at.text, gy_group_count(group));
        fflush(stdout);
        err = wait_for_signal(loop);
    }
    if (err < 0) fprintf(stderr, "serve_all_cores: %s\n", gy_error_text(err));
    gy_group_free(group);
    gy_loop_free(loop);
    return err < 0;
}
