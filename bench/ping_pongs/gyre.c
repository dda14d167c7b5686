/* SPDX-License-Identifier: ISC */
/* gyre: gy_stream, used as in the library's own echo example: read, write what came, read again. */
#include "common/gyre_loop.h"
#include "ping_pongs/workload.h"

#include <stdlib.h>
#include <string.h>

#include "gyre/stream.h"

const char contender[] = "gyre";

struct conn {
    gy_stream stream;
    gy_write write;
    char buf[BUFFER_SIZE];
};

static gy_loop *loop;
static gy_stream server;
static unsigned open_conns;

static gy_read_fn on_read;

static void on_close(gy_stream *stream)
{
    free(GY_OF(stream, struct conn, stream));
    if (--open_conns == 0)
        gy_loop_stop(loop);
}

static void on_write(gy_write *write, int err)
{
    struct conn *conn = GY_OF(write, struct conn, write);

    if (err)
        gy_stream_close(&conn->stream, on_close);
    else
        gy_stream_read(&conn->stream, GY_BUF(conn->buf), on_read);
}

static void on_read(gy_stream *stream, int err, gy_buf got)
{
    if (err)
        gy_stream_close(stream, on_close);
    else
        gy_stream_write(stream, &GY_OF(stream, struct conn, stream)->write, got, on_write);
}

static void on_conn(gy_stream *listener, int err)
{
    struct conn *conn = bench_alloc(1, sizeof *conn);

    bench_must(err == 0 && gy_stream_accept(listener, &conn->stream) == 0, "accept");
    gy_stream_read(&conn->stream, GY_BUF(conn->buf), on_read);
}

int contender_listen(void)
{
    gy_listen_opts opts = {.addr = "127.0.0.1:0", .backlog = BACKLOG, .fn = on_conn};
    gy_addr addr;

    loop = bench_loop();
    bench_must(gy_tcp_listen(loop, &server, opts) == 0, "listen");
    bench_must(gy_stream_local_addr(&server, &addr) == 0, "find the port");
    return atoi(strrchr(addr.text, ':') + 1);
}

void contender_serve(unsigned connections)
{
    open_conns = connections;
    gy_loop_run(loop);
}
