/* SPDX-License-Identifier: ISC */
/* libuv: uv_write(), a request for each write. It tries each at once, and gathers only what the kernel did not take. */
#include "write_batch/workload.h"

#include <uv.h>

const char contender[] = "libuv";

static uv_loop_t loop;
static uv_tcp_t tcp;
static uv_write_t writes[BATCH_WRITES];

static void on_write(uv_write_t *write, int status)
{
    (void)write;
    bench_must(status == 0, "write");
    batch_written(1);
}

void contender_open(int fd)
{
    bench_must(uv_loop_init(&loop) == 0 && uv_tcp_init(&loop, &tcp) == 0, "make a loop");
    bench_must(uv_tcp_open(&tcp, fd) == 0, "make a stream");
}

void contender_write(void)
{
    uv_buf_t buf = uv_buf_init(batch_message, sizeof batch_message);

    for (size_t i = 0; i < BATCH_WRITES; i++)
        bench_must(uv_write(&writes[i], (uv_stream_t *)&tcp, &buf, 1, on_write) == 0, "write");
}

void contender_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}

void contender_stop(void)
{
    uv_stop(&loop);
}
