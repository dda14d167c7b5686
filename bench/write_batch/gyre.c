/* SPDX-License-Identifier: ISC */
/* gyre: gy_stream_write(), a record for each write. */
#include "common/gyre_loop.h"
#include "write_batch/workload.h"

#include "gyre/stream.h"

const char contender[] = "gyre";

static gy_loop *loop;
static gy_stream stream;
static gy_write writes[BATCH_WRITES];

static void on_write(gy_write *write, int err)
{
    (void)write;
    bench_must(err == 0, "write");
    batch_written(1);
}

void contender_open(int fd)
{
    loop = bench_loop();
    bench_must(gy_stream_open(loop, &stream, fd) == 0, "make a stream");
}

void contender_write(void)
{
    for (size_t i = 0; i < BATCH_WRITES; i++)
        bench_must(gy_stream_write(&stream, &writes[i], GY_BUF(batch_message), on_write) == 0, "write");
}

void contender_run(void)
{
    bench_must(gy_loop_run(loop) >= 0, "run");
}

void contender_stop(void)
{
    gy_loop_stop(loop);
}
