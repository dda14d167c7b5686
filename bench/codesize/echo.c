/* SPDX-License-Identifier: ISC */
/* The smallest useful server: echo over tcp. */
#include "arena.h"
#include "gyre/stream.h"

enum { CONNECTIONS = 8 };

static struct conn {
    gy_stream stream;
    gy_write write;
    bool used;
    char buf[1024];
} conns[CONNECTIONS];

static gy_read_fn on_read;

static void on_close(gy_stream *stream)
{
    GY_OF(stream, struct conn, stream)->used = false;
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

static void on_conn(gy_stream *server, int err)
{
    struct conn *conn = conns;

    while (conn < conns + CONNECTIONS && conn->used)
        conn++;
    if (err || conn == conns + CONNECTIONS || gy_stream_accept(server, &conn->stream))
        return; /* it keeps waiting */
    conn->used = true;
    gy_stream_read(&conn->stream, GY_BUF(conn->buf), on_read);
}

int main(void)
{
    gy_stream server = {0};
    gy_loop *loop;

    if (gy_loop_new(&loop, (gy_loop_opts){.alloc = ARENA}) != 0)
        return 1;
    if (gy_tcp_listen(loop, &server, (gy_listen_opts){.addr = "127.0.0.1:7000", .fn = on_conn}) != 0)
        return 1;
    return gy_loop_run(loop) != 0;
}
