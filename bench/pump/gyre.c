/* SPDX-License-Identifier: ISC */
/* gyre: two streams, and a gy_write for each write that may be under way.
 */
#include "common/gyre_loop.h"
#include "pump/workload.h"

#include "gyre/stream.h"

const char contender[] = "gyre";

static gy_loop *loop;
static gy_stream to, from;
static gy_write writes[PUMP_INFLIGHT];

static void write_one(gy_write *w);

static void on_written(gy_write *w, int err)
{
    bench_must(err == 0, "write");
    write_one(w);
}

static void write_one(gy_write *w)
{
    if (pump_next())
        bench_must(gy_stream_write(&to, w, GY_BUF(pump_payload), on_written) == 0, "begin to write");
}

static void on_read(gy_stream *s, int err, gy_buf got)
{
    bench_must(err == 0, "read");
    if (pump_got(got.len))
        gy_loop_stop(loop);
    else
        bench_must(gy_stream_read(s, GY_BUF(pump_sink), on_read) == 0, "begin to read");
}

void contender_open(int to_fd, int from_fd)
{
    loop = bench_loop();
    bench_must(gy_stream_open(loop, &to, to_fd) == 0, "open a stream");
    bench_must(gy_stream_open(loop, &from, from_fd) == 0, "open a stream");
}

void contender_run(void)
{
    bench_must(gy_stream_read(&from, GY_BUF(pump_sink), on_read) == 0, "begin to read");
    for (int i = 0; i < PUMP_INFLIGHT; i++)
        write_one(&writes[i]);
    gy_loop_run(loop);
}
