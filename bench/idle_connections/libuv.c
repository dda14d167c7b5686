/* SPDX-License-Identifier: ISC */
/* libuv: a uv_tcp_t for each connection; the allocation callback hands out the buffer that all share. */
#include "idle_connections/workload.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <uv.h>

const char contender[] = "libuv";

static uv_loop_t loop;
static uv_tcp_t server, *tcps;
static char shared[4096];

static void on_close(uv_handle_t *handle)
{
    idle_free((size_t)((uv_tcp_t *)(void *)handle - tcps));
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle, (void)suggested;
    *buf = uv_buf_init(shared, sizeof shared);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    (void)buf;
    if (got > 0)
        idle_heard();
    else if (got < 0)
        uv_close((uv_handle_t *)stream, on_close);
}

static void on_conn(uv_stream_t *listener, int status)
{
    uv_tcp_t *tcp = &tcps[idle_take()];

    uv_tcp_init(&loop, tcp);
    bench_must(status == 0 && uv_accept(listener, (uv_stream_t *)tcp) == 0, "accept");
    uv_read_start((uv_stream_t *)tcp, on_alloc, on_read);
    idle_opened();
}

size_t contender_handle(void)
{
    return sizeof *tcps;
}

int contender_listen(size_t most)
{
    struct sockaddr_in addr;
    int len = sizeof addr;

    tcps = calloc(most, sizeof *tcps);
    bench_must(tcps && uv_loop_init(&loop) == 0, "make a loop");
    uv_tcp_init(&loop, &server);
    bench_must(uv_ip4_addr("127.0.0.1", 0, &addr) == 0, "make an address");
    bench_must(uv_tcp_bind(&server, (struct sockaddr *)&addr, 0) == 0, "bind");
    bench_must(uv_listen((uv_stream_t *)&server, IDLE_BACKLOG, on_conn) == 0, "listen");
    bench_must(uv_tcp_getsockname(&server, (struct sockaddr *)&addr, &len) == 0, "find the port");
    return ntohs(addr.sin_port);
}

void contender_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}

void contender_stop(void)
{
    uv_stop(&loop);
}
