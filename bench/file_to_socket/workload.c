/* SPDX-License-Identifier: ISC */
/* Makes the file, the connection and the reader (workload.h).
 */
#include "file_to_socket/workload.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_MIB = 64, MIB = 1 << 20 };

static int make_file(void)
{
    char path[] = "/tmp/gyre-bench-XXXXXX";
    char *piece = bench_alloc(MIB, 1);
    int fd = mkstemp(path);

    bench_must(fd >= 0 && unlink(path) == 0, "make a file");
    memset(piece, 'x', MIB);
    for (int i = 0; i < FILE_MIB; i++)
        bench_must(write(fd, piece, MIB) == MIB, "fill the file");
    free(piece);
    return fd;
}

/* The other process: reads `bytes`, then says so. */
static void reader(int from, uint64_t bytes)
{
    static char buf[256 * 1024];

    while (bytes > 0) {
        ssize_t n = read(from, buf, sizeof buf);
        bench_must(n > 0 && (uint64_t)n <= bytes, "read what was sent");
        bytes -= (uint64_t)n;
    }
    bench_must(write(from, "", 1) == 1, "say that it is all there");
    _exit(0);
}

int main(int argc, char **argv)
{
    struct bench_watch watch;
    const char *variant;
    uint64_t passes;
    int ends[2], file, status;
    pid_t child;
    char end;

    bench_init(argc, argv);
    variant = bench_arg_text("variant", "file_to_tcp");
    passes = (bench_arg("size", 2048) + FILE_MIB - 1) / FILE_MIB;
    if (strcmp(variant, "file_to_local") == 0)
        bench_must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "make a pair of sockets");
    else
        bench_tcp_pair(ends);
    file = make_file();
    child = fork();
    bench_must(child >= 0, "fork");
    if (child == 0) {
        close(ends[0]);
        reader(ends[1], passes * FILE_MIB * MIB);
    }
    close(ends[1]);
    contender_open(file, (size_t)FILE_MIB * MIB, dup(ends[0]));
    bench_start(&watch);
    contender_run((unsigned)passes);
    bench_stop(&watch);
    while (read(ends[0], &end, 1) < 0)
        usleep(1000); /* a contender may have made it non-blocking */
    bench_must(waitpid(child, &status, 0) == child && status == 0, "have everything arrive");
    bench_begin(variant);
    bench_per_op(&watch, passes * FILE_MIB);
    bench_fact("gb_per_s", (double)(passes * FILE_MIB * MIB) / (double)watch.wall);
    bench_end();
    return 0;
}
