/* SPDX-License-Identifier: ISC */
/* libuv: two streams, and a uv_write_t for each write that may be under way.
 */
#include "pump/workload.h"

#include <uv.h>

const char contender[] = "libuv";

union end {
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

static uv_loop_t loop;
static union end to, from;
static uv_write_t writes[PUMP_INFLIGHT];

static void write_one(uv_write_t *w);

static void on_written(uv_write_t *w, int err)
{
    bench_must(err == 0, "write");
    write_one(w);
}

static void write_one(uv_write_t *w)
{
    uv_buf_t buf = uv_buf_init(pump_payload, PUMP_BYTES);

    if (pump_next())
        bench_must(uv_write(w, &to.stream, &buf, 1, on_written) == 0, "begin to write");
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle, (void)suggested;
    *buf = uv_buf_init(pump_sink, PUMP_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    (void)stream, (void)buf;
    if (n == 0)
        return;
    bench_must(n > 0, "read");
    if (pump_got((size_t)n))
        uv_stop(&loop);
}

static void end_open(union end *end, int fd)
{
    int err = pump_local ? uv_pipe_init(&loop, &end->pipe, 0) : uv_tcp_init(&loop, &end->tcp);

    if (err == 0)
        err = pump_local ? uv_pipe_open(&end->pipe, fd) : uv_tcp_open(&end->tcp, fd);
    bench_must(err == 0, "open a stream");
}

void contender_open(int to_fd, int from_fd)
{
    bench_must(uv_loop_init(&loop) == 0, "make a loop");
    end_open(&to, to_fd);
    end_open(&from, from_fd);
}

void contender_run(void)
{
    bench_must(uv_read_start(&from.stream, on_alloc, on_read) == 0, "begin to read");
    for (int i = 0; i < PUMP_INFLIGHT; i++)
        write_one(&writes[i]);
    uv_run(&loop, UV_RUN_DEFAULT);
}
