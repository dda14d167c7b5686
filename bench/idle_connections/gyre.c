/* SPDX-License-Identifier: ISC */
/* gyre: a gy_stream for each connection. A pending read is given the buffer that all share: it is filled right before
 * the callback, which takes everything out of it. */
#include "common/gyre_loop.h"
#include "idle_connections/workload.h"

#include <stdlib.h>
#include <string.h>

#include "gyre/stream.h"

const char contender[] = "gyre";

static gy_loop *loop;
static gy_stream server, *streams;
static char buf[4096];

static void on_close(gy_stream *stream)
{
    idle_free((size_t)(stream - streams));
}

static void on_read(gy_stream *stream, int err, gy_buf got)
{
    (void)got;
    if (err) {
        gy_stream_close(stream, on_close);
        return;
    }
    idle_heard();
    gy_stream_read(stream, GY_BUF(buf), on_read);
}

static void on_conn(gy_stream *listener, int err)
{
    gy_stream *stream = &streams[idle_take()];

    bench_must(err == 0 && gy_stream_accept(listener, stream) == 0, "accept");
    gy_stream_read(stream, GY_BUF(buf), on_read);
    idle_opened();
}

size_t contender_handle(void)
{
    return sizeof *streams;
}

int contender_listen(size_t most)
{
    gy_listen_opts opts = {.addr = "127.0.0.1:0", .backlog = IDLE_BACKLOG, .fn = on_conn};
    gy_addr addr;

    loop = bench_loop();
    streams = calloc(most, sizeof *streams);
    bench_must(streams && gy_tcp_listen(loop, &server, opts) == 0, "listen");
    bench_must(gy_stream_local_addr(&server, &addr) == 0, "find the port");
    return atoi(strrchr(addr.text, ':') + 1);
}

void contender_run(void)
{
    bench_must(gy_loop_run(loop) >= 0, "run");
}

void contender_stop(void)
{
    gy_loop_stop(loop);
}
