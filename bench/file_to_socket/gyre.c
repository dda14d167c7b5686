/* SPDX-License-Identifier: ISC */
/* gyre: a pipeline from a file stream to a stream. */
#include "common/gyre_loop.h"
#include "file_to_socket/workload.h"

#include "gyre/filestream.h"
#include "gyre/pipeline.h"

#include <fcntl.h>

const char contender[] = "gyre";

static gy_loop *loop;
static gy_file_stream from;
static gy_stream to;
static gy_pipeline pipeline;
static int file;
static unsigned left;
static size_t bytes;

static void send_one(void);

static void on_closed(gy_stream *s)
{
    (void)s;
    if (left > 0)
        send_one();
    else
        gy_loop_stop(loop);
}

static void on_sent(gy_pipeline *p, int err)
{
    bench_must(err == 0 && p->written_bytes == bytes, "send the file");
    gy_stream_close(&from.stream, on_closed);
}

static void send_one(void)
{
    gy_file_stream_opts source = {.fd = file, .ways = GY_FILE_READ, .keep = true};
    gy_pipeline_opts opts = {.from = &from.stream, .to = &to, .keep = true, .fn = on_sent};

    left--;
    bench_must(gy_file_stream_open(loop, &from, source) == 0, "open the file as a stream");
    bench_must(gy_pipeline_start(loop, &pipeline, opts) == 0, "start");
}

void contender_open(int fd, size_t len, int to_fd)
{
    loop = bench_loop();
    file = fd;
    bytes = len;
    bench_must(fcntl(to_fd, F_SETFL, O_NONBLOCK) == 0, "set the socket non-blocking");
    bench_must(gy_stream_open(loop, &to, to_fd) == 0, "open the socket as a stream");
}

void contender_run(unsigned passes)
{
    left = passes;
    send_one();
    gy_loop_run(loop);
}
