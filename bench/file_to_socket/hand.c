/* SPDX-License-Identifier: ISC */
/* By hand: sendfile() on a blocking socket, for as much as there is. */
#include "file_to_socket/workload.h"

#include <sys/sendfile.h>

const char contender[] = "hand";

static int file, to;
static size_t bytes;

void contender_open(int fd, size_t len, int to_fd)
{
    file = fd;
    bytes = len;
    to = to_fd;
}

void contender_run(unsigned passes)
{
    while (passes-- > 0) {
        off_t at = 0;
        while ((size_t)at < bytes)
            bench_must(sendfile(to, file, &at, bytes - (size_t)at) > 0, "send");
    }
}
