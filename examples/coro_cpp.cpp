/* SPDX-License-Identifier: ISC */
/* The echo server of echo.c, with co_await: each connection is a task.
 *
 *     coro_cpp [address]        then: nc 127.0.0.1 7000
 *
 * An interrupt cancels one token. Each task then finds its read cancelled and closes its stream, and the loop ends
 * because nothing is left. Nothing here throws; what can fail says so in its result. */
#include <cstdio>
#include <new>

#include <gyre/coro.hpp>
#include <gyre/gyre.h>

static gy_cancel stop{};
static gy_stream server{};

struct conn {
    gy_stream stream{};
    char buf[16384];
};

static gyre::task<void> talk(gy_loop *, conn *c) {
    (co_await gyre::self())->token = &stop;
    for (;;) {
        auto got = co_await gyre::read(c->stream, GY_BUF(c->buf));
        if (!got.ok()) break; /* GY_EOF comes here too */
        if (!(co_await gyre::write(c->stream, gy_buf{c->buf, got.value})).ok()) break;
    }
    co_await gyre::close(c->stream);
    delete c;
}

/* Without memory for its task, a connection is closed in the way of C. */
static void on_closed(gy_stream *stream) { delete GY_OF(stream, conn, stream); }

static void on_conn(gy_stream *listener, int err) {
    conn *c = err ? nullptr : new (std::nothrow) conn;
    if (!c || gy_stream_accept(listener, &c->stream)) delete c;
    else if (talk(listener->loop, c).detach()) gy_stream_close(&c->stream, on_closed);
}

static gyre::task<void> interrupt(gy_loop *loop) {
    gy_signal signal{};
    gy_promise *told = nullptr;
    if (gy_promise_new(loop, &told)) co_return;
    signal.user = told;
    gy_signal_start(loop, &signal, 2 /* SIGINT */, [](gy_signal *s, unsigned) {
        gy_promise_resolve(static_cast<gy_promise *>(s->user), gy_num(0));
    });
    co_await told;
    gy_signal_stop(&signal);
    gy_promise_free(told);
    gy_cancel_now(&stop, GY_ECANCELED);
    gy_stream_close(&server, nullptr);
}

int main(int argc, char **argv) {
    gy_loop *loop = nullptr;
    gy_addr at{};
    gy_listen_opts opts{};
    opts.addr = argc > 1 ? argv[1] : "127.0.0.1:7000";
    opts.fn = on_conn;
    int err = gy_loop_new(&loop, gy_loop_opts{});
    if (!err) err = gy_tcp_listen(loop, &server, opts);
    if (!err) err = gy_stream_local_addr(&server, &at);
    if (!err) err = interrupt(loop).detach();
    if (!err) {
        std::printf("echoing on %s\n", at.text);
        std::fflush(stdout);
        err = gy_loop_run(loop);
    }
    if (err) std::fprintf(stderr, "coro_cpp: %s\n", gy_error_text(err));
    if (loop) gy_loop_free(loop);
    return err ? 1 : 0;
}
