/* SPDX-License-Identifier: ISC */
/* Makes the connection and counts the bytes (workload.h).
 */
#include "pump/workload.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

char pump_payload[PUMP_BYTES], pump_sink[PUMP_BYTES];
bool pump_local;

static uint64_t writes_left, bytes_left;

bool pump_next(void)
{
    if (writes_left == 0)
        return false;
    writes_left--;
    return true;
}

bool pump_got(size_t bytes)
{
    bench_must(bytes > 0 && bytes <= bytes_left, "read what was written");
    bytes_left -= bytes;
    return bytes_left == 0;
}

int main(int argc, char **argv)
{
    struct bench_watch watch;
    const char *variant;
    uint64_t size;
    int ends[2];

    bench_init(argc, argv);
    variant = bench_arg_text("variant", "pump_tcp");
    size = bench_arg("size", 20000);
    pump_local = strcmp(variant, "pump_local") == 0;
    if (pump_local)
        bench_must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "make a pair of sockets");
    else
        bench_tcp_pair(ends);
    for (int i = 0; i < 2; i++)
        bench_must(fcntl(ends[i], F_SETFL, O_NONBLOCK) == 0, "set a socket non-blocking");
    memset(pump_payload, 'x', sizeof pump_payload);
    bench_pin();
    contender_open(ends[0], ends[1]);
    writes_left = size;
    bytes_left = size * PUMP_BYTES;
    bench_start(&watch);
    contender_run();
    bench_stop(&watch);
    bench_begin(variant);
    bench_per_op(&watch, size);
    bench_fact("gb_per_s", (double)size * PUMP_BYTES / (double)watch.wall);
    bench_end();
    return 0;
}
