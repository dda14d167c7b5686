/* SPDX-License-Identifier: ISC */
/* Starts the client, lets the server accept all connections, and looks at the memory, before and after the churn. */
#include "idle_connections/workload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOURCES = 8, CHURN = 16 };

static size_t opened, awaited;
static size_t *free_list, free_count;

/* ---- for the contenders ------------------------------------------------------------------------------------------ */

void idle_opened(void)
{
    if (++opened == awaited)
        contender_stop();
}

void idle_heard(void)
{
    contender_stop();
}

int idle_socket(int *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    bench_must(fd >= 0 && bind(fd, (struct sockaddr *)&addr, len) == 0 && listen(fd, IDLE_BACKLOG) == 0, "listen");
    bench_must(getsockname(fd, (struct sockaddr *)&addr, &len) == 0, "find the port");
    *port = ntohs(addr.sin_port);
    return fd;
}

int idle_accept(int server)
{
    int fd = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    bench_must(fd >= 0 || errno == EAGAIN, "accept");
    return fd;
}

bool idle_read(int fd)
{
    static char buf[4096];
    ssize_t got = read(fd, buf, sizeof buf);

    if (got > 0)
        idle_heard();
    return got > 0 || (got < 0 && errno == EAGAIN);
}

size_t idle_take(void)
{
    bench_must(free_count > 0, "have room for a connection");
    return free_list[--free_count];
}

void idle_free(size_t index)
{
    free_list[free_count++] = index;
}

static void handles_free(size_t most)
{
    free_list = bench_alloc(most, sizeof *free_list);
    while (free_count < most) {
        free_list[free_count] = most - 1 - free_count;
        free_count++;
    }
}

/* ---- the client -------------------------------------------------------------------------------------------------- */

/* From one of a few addresses: one has hardly as many ports as there are connections, and those that were used a moment
 * ago are not free yet. */
static int client_connect(int port, size_t number)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, from = to;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_port = htons((uint16_t)port);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(number % SOURCES));
    bench_must(setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) == 0, "client: pick late");
    bench_must(fd >= 0 && bind(fd, (struct sockaddr *)&from, sizeof from) == 0, "client: bind");
    bench_must(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "client: connect");
    return fd;
}

/* Ends some connections, waits until the server has ended them too, so that it is never behind, and makes others. */
static size_t client_churn(int port, int *fds, size_t count, size_t number)
{
    char end;

    for (size_t i = 0; i < CHURN; i++)
        bench_must(shutdown(fds[(number + i) % count], SHUT_WR) == 0, "client: end a connection");
    for (size_t i = 0; i < CHURN; i++, number++) {
        bench_must(read(fds[number % count], &end, 1) == 0, "client: wait for its end");
        close(fds[number % count]);
        fds[number % count] = client_connect(port, number);
    }
    return number;
}

/* Waits for a word of the server between its steps. The churn comes in two halves, of which the first one adds
 * what is made when it is needed first; only the second shows whether memory leaks away.
 */
static void client_run(int port, size_t count, int64_t churn_ns, int commands)
{
    int *fds = bench_alloc(count, sizeof *fds);
    size_t number = 0;
    char go;

    for (; number < count; number++)
        fds[number] = client_connect(port, number);
    for (int half = 0; half < 2; half++) {
        bench_must(read(commands, &go, 1) == 1, "client: wait");
        for (int64_t end = bench_wall() + churn_ns / 2; bench_wall() < end;)
            number = client_churn(port, fds, count, number);
        bench_must(write(fds[(number - 1) % count], "!", 1) == 1, "client: say that it is done");
    }
    bench_must(read(commands, &go, 1) == 1, "client: wait");
    _exit(0);
}

static pid_t client_start(int port, size_t count, int64_t churn_ns, int commands)
{
    pid_t pid = fork();

    bench_must(pid >= 0, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* with the server, should that fail */
        client_run(port, count, churn_ns, commands);
    }
    return pid;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static double memory_resident(void)
{
    char line[256];
    unsigned long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");

    bench_must(file != NULL, "open /proc/self/status");
    while (fgets(line, sizeof line, file) && sscanf(line, "RssAnon: %lu", &kib) != 1)
        continue;
    fclose(file);
    return (double)kib * 1024;
}

static double memory_allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return (double)info.uordblks + (double)info.hblkhd;
}

int main(int argc, char **argv)
{
    double resident, allocated, full;
    int commands[2], port, status;
    size_t count;
    pid_t client;

    bench_init(argc, argv);
    count = (size_t)bench_arg("size", 18000);
    bench_must(count >= CHURN, "hold enough connections");
    bench_descriptors(count + IDLE_SPARE);
    handles_free(count + IDLE_SPARE);
    bench_must(pipe(commands) == 0, "make a pipe");
    port = contender_listen(count + IDLE_SPARE);
    client = client_start(port, count, (int64_t)bench_arg("seconds", 1) * 1000000000, commands[0]);
    awaited = count;
    memory_resident(); /* what stdio allocates is not to be counted */
    resident = memory_resident();
    allocated = memory_allocated();
    contender_run();
    full = memory_resident();
    resident = (full - resident) / (double)count;
    allocated = (memory_allocated() - allocated) / (double)count;
    for (int half = 0; half < 2; half++) {
        full = memory_resident();
        bench_must(write(commands[1], "c", 1) == 1, "tell the client");
        contender_run();
        full = memory_resident() - full;
    }
    bench_must(write(commands[1], "e", 1) == 1, "tell the client");
    bench_must(waitpid(client, &status, 0) == client && status == 0, "hear that the client is content");
    bench_begin("idle_connections");
    bench_fact("connections", (double)count);
    bench_fact("handle", (double)contender_handle());
    bench_fact("library", allocated);
    bench_fact("user", (double)contender_handle() + allocated);
    bench_fact("resident", resident);
    bench_fact("churned", (double)(opened - count));
    bench_fact("grown_kib", full / 1024);
    bench_end();
    return 0;
}
