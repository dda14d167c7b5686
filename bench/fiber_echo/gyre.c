/* SPDX-License-Identifier: ISC */
/* gyre: the echo server of the library's example fiber_echo. Each connection is a fiber that awaits a read and a write
 * in turn. */
#include "common/gyre_loop.h"
#include "ping_pongs/workload.h"

#include <stdlib.h>
#include <string.h>

#include "gyre/fiber.h"
#include "gyre/request.h"

const char contender[] = "gyre";

struct conn {
    gy_stream stream;
    gy_write write;
    char buf[BUFFER_SIZE];
};

static gy_loop *loop;
static gy_stream server;
static unsigned open_conns;

static gy_value talk(void *arg)
{
    struct conn *conn = arg;
    gy_stream *s = &conn->stream;

    for (;;) {
        gy_value got = gy_await(GY_PROMISE(loop, read, s, gy_stream_read(s, GY_BUF(conn->buf), gy_settle_read)));
        gy_buf back = {conn->buf, (size_t)got.num};
        if (gy_value_err(got))
            break;
        if (gy_value_err(gy_await(GY_PROMISE(loop, write, &conn->write,
                                             gy_stream_write(s, &conn->write, back, gy_settle_write)))))
            break;
    }
    gy_await(GY_PROMISE(loop, close, s, (gy_stream_close(s, gy_settle_close), 0)));
    free(conn);
    if (--open_conns == 0)
        gy_loop_stop(loop);
    return gy_num(0);
}

static gy_value serve(void *arg)
{
    unsigned connections = *(unsigned *)arg;

    while (connections-- > 0) {
        struct conn *conn = bench_alloc(1, sizeof *conn);
        gy_value v = gy_await(gy_promise_accept(&server, &conn->stream, NULL));
        bench_must(gy_value_err(v) == 0, "accept");
        gy_fiber_start(loop, (gy_fiber_opts){.fn = talk, .arg = conn});
    }
    return gy_num(0);
}

int contender_listen(void)
{
    gy_listen_opts opts = {.addr = "127.0.0.1:0", .backlog = BACKLOG, .fn = gy_settle_accept};
    gy_addr addr;

    loop = bench_loop();
    bench_must(gy_tcp_listen(loop, &server, opts) == 0, "listen");
    bench_must(gy_stream_local_addr(&server, &addr) == 0, "find the port");
    return atoi(strrchr(addr.text, ':') + 1);
}

void contender_serve(unsigned connections)
{
    open_conns = connections;
    gy_fiber_start(loop, (gy_fiber_opts){.fn = serve, .arg = &connections});
    gy_loop_run(loop);
}
