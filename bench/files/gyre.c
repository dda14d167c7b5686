/* SPDX-License-Identifier: ISC */
/* gyre: gy_fs_stat() and gy_fs_read(), on a pool of its own with four threads for files, as libuv has. */
#include "common/gyre_loop.h"
#include "files/workload.h"

#include "gyre/fs.h"

const char contender[] = "gyre";

static gy_loop *loop;
static gy_fs *requests;
static char (*buffers)[FILES_READ];

static unsigned number_of(const gy_fs *req)
{
    return (unsigned)(req - requests);
}

static void on_stat(gy_fs *req, int err)
{
    files_done(number_of(req), err ? err : req->info.size);
}

static void on_read(gy_fs *req, int err)
{
    files_done(number_of(req), err ? err : req->result);
}

void contender_open(unsigned under_way)
{
    gy_pool_opts opts = {.threads = {[GY_LANE_IO] = FILES_THREADS}};
    gy_pool *pool;

    loop = bench_loop();
    bench_must(gy_pool_new(&pool, opts) == 0, "make a pool");
    requests = bench_alloc(under_way, sizeof *requests);
    buffers = bench_alloc(under_way, sizeof *buffers);
    for (unsigned i = 0; i < under_way; i++)
        requests[i].pool = pool;
}

void contender_stat(unsigned index)
{
    bench_must(gy_fs_stat(loop, &requests[index], files_path, on_stat) == 0, "start a stat");
}

void contender_read(unsigned index)
{
    gy_fs_read_opts opts = {.fd = files_fd, .buf = GY_BUF(buffers[index])};

    bench_must(gy_fs_read(loop, &requests[index], opts, on_read) == 0, "start a read");
}

void contender_run(void)
{
    gy_loop_run(loop);
}
