/* SPDX-License-Identifier: ISC */
/* The client of ping_pongs: keeps one message of 64 bytes under way on each connection, by hand, with epoll.
 *
 * It answers all replies of a wait before it waits again. Arguments: port, connections, round trips per connection. It
 * checks what comes back, because a server that is fast and wrong should not win.
 *
 * Without round trips, connections are only made and ended: a few at a time, so that the server finds some waiting,
 * each side sending nothing but its end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE = 64, BATCH = 256, CHURN = 32 };

struct connection {
    int fd;
    size_t got;
    uint64_t rounds;
    uint8_t reply[MESSAGE];
};

static void must(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

static void send_message(struct connection *c)
{
    uint8_t message[MESSAGE];

    memset(message, (int)(c->rounds & 0xff), sizeof message);
    must(send(c->fd, message, sizeof message, MSG_NOSIGNAL) == MESSAGE, "client: send");
    c->got = 0;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0, "client: connect");
    return fd;
}

static void connection_open(struct connection *c, int epoll, uint16_t port, uint64_t rounds)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int one = 1;

    c->rounds = rounds;
    c->fd = connect_to(port);
    must(setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "client: TCP_NODELAY");
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) == 0, "client: watch");
}

/* Takes what has come back; returns 1 when the connection has done all its rounds. */
static int connection_ready(struct connection *c)
{
    ssize_t got = recv(c->fd, c->reply + c->got, MESSAGE - c->got, MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return 0;
    must(got > 0, "client: receive");
    c->got += (size_t)got;
    if (c->got < MESSAGE)
        return 0;
    must(c->reply[0] == (c->rounds & 0xff) && c->reply[MESSAGE - 1] == (c->rounds & 0xff), "client: wrong echo");
    if (--c->rounds > 0) {
        send_message(c);
        return 0;
    }
    return 1;
}

/* Makes `count` connections, waits until the server has closed them, and closes them. */
static void churn_some(uint16_t port, size_t count)
{
    int fds[CHURN];
    char end;

    for (size_t i = 0; i < count; i++) {
        fds[i] = connect_to(port);
        must(shutdown(fds[i], SHUT_WR) == 0, "client: end");
    }
    for (size_t i = 0; i < count; i++) {
        must(read(fds[i], &end, 1) == 0, "client: wait for the end");
        close(fds[i]);
    }
}

static int churn(uint16_t port, size_t count)
{
    while (count > 0) {
        size_t some = count < CHURN ? count : CHURN;

        churn_some(port, some);
        count -= some;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct epoll_event events[BATCH];
    struct connection *connections;
    size_t count, open;
    int epoll;

    if (argc != 4)
        return 2;
    count = open = (size_t)strtoull(argv[2], NULL, 10);
    if (strcmp(argv[3], "0") == 0)
        return churn((uint16_t)atoi(argv[1]), count);
    connections = calloc(count, sizeof *connections);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    must(connections && epoll >= 0, "client: start");
    for (size_t i = 0; i < count; i++)
        connection_open(&connections[i], epoll, (uint16_t)atoi(argv[1]), strtoull(argv[3], NULL, 10));
    for (size_t i = 0; i < count; i++)
        send_message(&connections[i]);
    while (open > 0) {
        int got = epoll_wait(epoll, events, BATCH, -1);

        must(got > 0 || errno == EINTR, "client: wait");
        for (int i = 0; i < got; i++)
            open -= (size_t)connection_ready(events[i].data.ptr);
    }
    return 0; /* the end of the process closes all connections at once */
}
