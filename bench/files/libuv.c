/* SPDX-License-Identifier: ISC */
/* libuv: uv_fs_stat() and uv_fs_read(), with its pool of four threads. A request is cleaned up after each use. */
#include "files/workload.h"

#include <uv.h>

const char contender[] = "libuv";

static uv_loop_t loop;
static uv_fs_t *requests;
static char (*buffers)[FILES_READ];

static void on_stat(uv_fs_t *req)
{
    int64_t result = req->result < 0 ? req->result : (int64_t)req->statbuf.st_size;

    uv_fs_req_cleanup(req);
    files_done((unsigned)(req - requests), result);
}

static void on_read(uv_fs_t *req)
{
    int64_t result = req->result;

    uv_fs_req_cleanup(req);
    files_done((unsigned)(req - requests), result);
}

void contender_open(unsigned under_way)
{
    bench_must(uv_loop_init(&loop) == 0, "make a loop");
    requests = bench_alloc(under_way, sizeof *requests);
    buffers = bench_alloc(under_way, sizeof *buffers);
}

void contender_stat(unsigned index)
{
    bench_must(uv_fs_stat(&loop, &requests[index], files_path, on_stat) == 0, "start a stat");
}

void contender_read(unsigned index)
{
    uv_buf_t buf = uv_buf_init(buffers[index], FILES_READ);

    bench_must(uv_fs_read(&loop, &requests[index], files_fd, &buf, 1, 0, on_read) == 0, "start a read");
}

void contender_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}
