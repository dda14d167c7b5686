/* SPDX-License-Identifier: ISC */
/* libuv: uv_fs_sendfile(), which is a job for a thread; the socket is blocking, as libuv does not wait for it. */
#include "file_to_socket/workload.h"

#include <uv.h>

const char contender[] = "libuv";

static uv_loop_t loop;
static uv_fs_t req;
static int file, to;
static size_t bytes, at;
static unsigned left;

static void on_sent(uv_fs_t *r)
{
    ssize_t n = r->result;

    bench_must(n > 0, "send");
    uv_fs_req_cleanup(r);
    at += (size_t)n;
    if (at == bytes) {
        at = 0;
        if (--left == 0)
            return;
    }
    bench_must(uv_fs_sendfile(&loop, r, to, file, (int64_t)at, bytes - at, on_sent) == 0, "begin to send");
}

void contender_open(int fd, size_t len, int to_fd)
{
    bench_must(uv_loop_init(&loop) == 0, "make a loop");
    file = fd;
    bytes = len;
    to = to_fd;
}

void contender_run(unsigned passes)
{
    left = passes;
    bench_must(uv_fs_sendfile(&loop, &req, to, file, 0, bytes, on_sent) == 0, "begin to send");
    uv_run(&loop, UV_RUN_DEFAULT);
}
