/* SPDX-License-Identifier: ISC */
/* A TCP echo server: the smallest program that shows what a stream is.
 *
 *     echo [address]        then: nc 127.0.0.1 7000
 *
 * A connection is one struct, whose stream, write and buffer live and die together. Reading is asked for, each time; so
 * a client that does not read its echo is not read from either, and costs what it costs now. */
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
    if (err) gy_stream_close(stream, on_close); /* GY_EOF comes here too */
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

int main(int argc, char **argv) {
    gy_loop *loop = NULL;
    gy_stream server = {0};
    gy_signal interrupt = {0};
    gy_addr at;
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    const char *addr = argc > 1 ? argv[1] : "127.0.0.1:7000";
    if (!err) err = gy_tcp_listen(loop, &server, (gy_listen_opts){.addr = addr, .fn = on_connection});
    if (!err) err = gy_signal_start(loop, &interrupt, 2 /* SIGINT */, on_signal);
    if (!err) err = gy_stream_local_addr(&server, &at);
    if (!err) {
        printf("echoing on %s\n", at.text);
        fflush(stdout);
        err = gy_loop_run(loop);
    }
    if (err < 0) fprintf(stderr, "echo: %s\n", gy_error_text(err));
    return err < 0; /* what is still open ends with the process */
}
