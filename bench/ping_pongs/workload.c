/* SPDX-License-Identifier: ISC */
/* Starts the client, runs the server until the client is done, and reports the server's processor time.
 *
 * `--size` is the number of round trips, over all `--connections`. Accepting and closing are part of the time, which is
 * why there should be many round trips for each connection. With `--variant accept_churn` accepting and closing is all
 * there is, and `--size` the number of connections.
 */
#include "ping_pongs/workload.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int server_socket(int *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    bench_must(fd >= 0 && bind(fd, (struct sockaddr *)&addr, len) == 0 && listen(fd, BACKLOG) == 0, "listen");
    bench_must(getsockname(fd, (struct sockaddr *)&addr, &len) == 0, "find the port");
    *port = ntohs(addr.sin_port);
    return fd;
}

/* The client lies beside this program unless `--client` says otherwise. */
static void client_path(char *path, size_t size, const char *self)
{
    const char *slash = strrchr(self, '/');

    snprintf(path, size, "%.*sping_pongs_client", slash ? (int)(slash - self) + 1 : 0, self);
}

static pid_t client_start(const char *self, int port, uint64_t connections, uint64_t rounds)
{
    char path[4096], texts[3][24];
    pid_t pid;

    client_path(path, sizeof path, self);
    snprintf(texts[0], sizeof texts[0], "%d", port);
    snprintf(texts[1], sizeof texts[1], "%llu", (unsigned long long)connections);
    snprintf(texts[2], sizeof texts[2], "%llu", (unsigned long long)rounds);
    pid = fork();
    bench_must(pid >= 0, "fork");
    if (pid == 0) {
        const char *file = bench_arg_text("client", path);
        execl(file, file, texts[0], texts[1], texts[2], (char *)NULL);
        perror(file);
        _exit(127);
    }
    return pid;
}

int main(int argc, char **argv)
{
    struct bench_watch watch;
    uint64_t connections, rounds;
    int port, status;
    pid_t client;
    bool churn;

    bench_init(argc, argv);
    mallopt(M_TRIM_THRESHOLD, 1 << 26); /* or giving memory back after each close would be part of the price */
    churn = strcmp(bench_arg_text("variant", "echo"), "accept_churn") == 0;
    connections = churn ? bench_arg("size", 10000) : bench_arg("connections", 1);
    rounds = churn ? 0 : bench_arg("size", 100000) / connections;
    bench_must(connections > 0 && (churn || rounds > 0), "make at least one round trip on each connection");
    bench_descriptors((churn ? 0 : connections) + 256);
    bench_pin();
    port = contender_listen();
    client = client_start(argv[0], port, connections, rounds);
    bench_start(&watch);
    contender_serve((unsigned)connections);
    bench_stop(&watch);
    bench_must(waitpid(client, &status, 0) == client && status == 0, "hear that the client is content");
    bench_begin(churn ? "accept_churn" : connections == 1 ? "echo_1" : "echo_64");
    bench_fact("connections", (double)connections);
    bench_per_op(&watch, churn ? connections : rounds * connections);
    bench_end();
    return 0;
}
