/* SPDX-License-Identifier: ISC */
/* Connects to a child that reads, and keeps one batch of writes under way until `--size` writes are done. */
#include "write_batch/workload.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

char batch_message[BATCH_BYTES] = "sixteen bytes...";

static size_t written;
static uint64_t batches_left;

void batch_written(size_t count)
{
    written += count;
    if (written < BATCH_WRITES)
        return;
    written = 0;
    if (--batches_left > 0)
        contender_write();
    else
        contender_stop();
}

/* Reads to the end and leaves; the exit code says whether it was `expected` bytes. */
static pid_t reader_start(int server, uint64_t expected)
{
    static char sink[65536];
    pid_t pid = fork();

    bench_must(pid >= 0, "fork");
    if (pid == 0) {
        int fd = accept(server, NULL, NULL);
        uint64_t total = 0;

        close(server);
        for (ssize_t n; (n = read(fd, sink, sizeof sink)) > 0;)
            total += (uint64_t)n;
        _exit(total != expected);
    }
    return pid;
}

static int writer_connect(int server)
{
    struct sockaddr_in addr;
    socklen_t len = sizeof addr;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    bench_must(getsockname(server, (struct sockaddr *)&addr, &len) == 0, "find the port");
    bench_must(fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0, "connect");
    bench_must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "set TCP_NODELAY");
    bench_must(ioctl(fd, FIONBIO, &one) == 0, "make it non-blocking");
    return fd;
}

int main(int argc, char **argv)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd, status;
    struct bench_watch watch;
    uint64_t batches;
    pid_t reader;

    bench_init(argc, argv);
    batches = bench_arg("size", 1000000) / BATCH_WRITES;
    bench_must(batches > 0, "write at least one batch");
    bench_pin();
    bench_must(bind(server, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(server, 1) == 0, "listen");
    reader = reader_start(server, batches * BATCH_WRITES * BATCH_BYTES);
    fd = writer_connect(server);
    contender_open(fd);
    batches_left = batches;
    bench_start(&watch);
    contender_write();
    contender_run();
    bench_stop(&watch);
    bench_must(batches_left == 0, "hear that everything was written");
    shutdown(fd, SHUT_WR);
    bench_must(waitpid(reader, &status, 0) == reader && status == 0, "have everything arrive");
    bench_begin("tcp_write_batch");
    bench_per_op(&watch, batches * BATCH_WRITES);
    bench_end();
    return 0;
}
