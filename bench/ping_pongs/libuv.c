/* SPDX-License-Identifier: ISC */
/* libuv: uv_tcp_t. The buffer belongs to the connection and is handed out by the allocation callback; the answer goes
 * through uv_write(), which is what its own examples do and what gy_stream_write() corresponds to: it reports by
 * callback and takes whatever does not fit. With `--try-write 1` uv_try_write() is tried before, which is cheaper.
 */
#include "ping_pongs/workload.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <uv.h>

const char contender[] = "libuv";

struct conn {
    uv_tcp_t tcp;
    uv_write_t write;
    char buf[BUFFER_SIZE];
};

static uv_loop_t loop;
static uv_tcp_t server;
static unsigned open_conns;
static bool try_write;

static void on_close(uv_handle_t *handle)
{
    free(handle->data);
    if (--open_conns == 0)
        uv_stop(&loop);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct conn *conn = handle->data;

    (void)suggested;
    *buf = uv_buf_init(conn->buf, sizeof conn->buf);
}

static void on_write(uv_write_t *write, int status)
{
    (void)write;
    if (status < 0)
        bench_die("write");
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    uv_buf_t out;
    int sent = 0;

    if (got == 0)
        return;
    if (got < 0) {
        uv_close((uv_handle_t *)stream, on_close);
        return;
    }
    out = uv_buf_init(buf->base, (unsigned)got);
    if (try_write)
        sent = uv_try_write(stream, &out, 1);
    if (sent == got)
        return;
    if (sent > 0) { /* a negative number means that nothing went yet */
        out.base += sent;
        out.len -= (size_t)sent;
    }
    uv_write(&conn->write, stream, &out, 1, on_write);
}

static void on_conn(uv_stream_t *listener, int status)
{
    struct conn *conn = bench_alloc(1, sizeof *conn);

    uv_tcp_init(&loop, &conn->tcp);
    conn->tcp.data = conn;
    bench_must(status == 0 && uv_accept(listener, (uv_stream_t *)&conn->tcp) == 0, "accept");
    uv_tcp_nodelay(&conn->tcp, 1);
    uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

int contender_listen(void)
{
    struct sockaddr_in addr;
    int len = sizeof addr;

    try_write = bench_arg("try-write", 0) != 0;
    bench_must(uv_loop_init(&loop) == 0, "make a loop");
    uv_tcp_init(&loop, &server);
    bench_must(uv_ip4_addr("127.0.0.1", 0, &addr) == 0, "make an address");
    bench_must(uv_tcp_bind(&server, (struct sockaddr *)&addr, 0) == 0, "bind");
    bench_must(uv_listen((uv_stream_t *)&server, BACKLOG, on_conn) == 0, "listen");
    bench_must(uv_tcp_getsockname(&server, (struct sockaddr *)&addr, &len) == 0, "find the port");
    return ntohs(addr.sin_port);
}

void contender_serve(unsigned connections)
{
    open_conns = connections;
    uv_run(&loop, UV_RUN_DEFAULT);
}
