/* SPDX-License-Identifier: ISC */
/* Questions about what flows: pipes, unix sockets, tcp and udp, with their ends and errors. */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- pipes and sockets --------------------------------------------------------------------------------------- */

void t_pipeeof(void) {
    char block[4096] = {0};
    fresh();
    change(queue, ends[0], EVFILT_READ, EV_ADD, 0, 0);
    put(ends[1], "abc");
    close(ends[1]);
    collect("pipe writer closed, data pending");
    take(ends[0], 8);
    collect("pipe writer closed, drained");
    fresh();
    level_pipe();
    change(queue, ends[1], EVFILT_WRITE, EV_ADD, 0, 0);
    close(ends[0]);
    collect("pipe reader closed, WRITE");
    tell_change("ADD write after reader closed", ends[1], EVFILT_WRITE, EV_ADD, 0);
    fresh();
    close(ends[0]);
    tell_change("fresh ADD write with reader gone", ends[1], EVFILT_WRITE, EV_ADD, 0);
    collect("  event");
    fresh();
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], block, sizeof block) > 0) continue;
    change(queue, ends[1], EVFILT_WRITE, EV_ADD, 0, 0);
    collect("pipe full WRITE");
    take(ends[0], 1);
    collect("pipe full, 1 byte read");
    for (int i = 0; i < 8; i++) take(ends[0], sizeof block);
    printf("pipe full, 32k read: n=%d\n", count_events());
}

static void sock_lowat(void) {
    struct kevent out[4];
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) exit(9);
#ifdef NOTE_LOWAT
    struct kevent c;
    EV_SET(&c, (uintptr_t)pair[0], EVFILT_READ, EV_ADD, NOTE_LOWAT, 4, NULL);
    call(queue, &c, 1, NULL, 0, 0);
#endif
    put(pair[1], "abc");
    collect_from(kqueue(), "NOTE_LOWAT 4, 3 bytes", 0);
    collect("NOTE_LOWAT 4, 3 bytes (same kq)");
    put(pair[1], "d");
    int n = call(queue, NULL, 0, out, 4, 0), found = 0;
    for (int i = 0; i < n; i++) found |= (int)out[i].ident == pair[0];
    printf("NOTE_LOWAT 4, 4 bytes: %d\n", found);
}

void t_sock(void) {
    struct kevent out[4];
    int pair[2];
    queue = kqueue();
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) exit(9);
    level_socket(pair[0]);
    change(queue, pair[0], EVFILT_READ, EV_ADD, 0, 1);
    change(queue, pair[0], EVFILT_WRITE, EV_ADD, 0, 2);
    int n = call(queue, NULL, 0, out, 4, 0);
    printf("unix pair: n=%d %s\n", n, n > 0 ? filter_word(out[0].filter) : "");
    put(pair[1], "hi");
    printf("unix pair readable+writable: n=%d (separate events)\n", count_events());
    change(queue, pair[0], EVFILT_WRITE, EV_DELETE, 0, 0);
    shutdown(pair[1], SHUT_WR);
    collect("peer SHUT_WR, data pending");
    take(pair[0], 8);
    collect("peer SHUT_WR, drained");
    close(pair[1]);
    collect("peer closed");
    change(queue, pair[0], EVFILT_READ, EV_DELETE, 0, 0);
    change(queue, pair[0], EVFILT_WRITE, EV_ADD, 0, 0);
    n = call(queue, NULL, 0, out, 4, 0);
    printf("peer closed WRITE: n=%d eof=%d ff=%u\n", n, n > 0 && (out[0].flags & EV_EOF), n > 0 ? out[0].fflags : 0);
    sock_lowat();
}

static struct sockaddr_in here(void) {
    struct sockaddr_in a;
    memset(&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

/* A bound socket of loopback, and its address. */
static int bound(int type, struct sockaddr_in *a) {
    socklen_t size = sizeof *a;
    int fd = socket(AF_INET, type, 0);
    *a = here();
    if (fd < 0 || bind(fd, (struct sockaddr *)(void *)a, size) || getsockname(fd, (struct sockaddr *)(void *)a, &size))
        exit(9);
    return fd;
}

static int connected(struct sockaddr_in *a) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)(void *)a, sizeof *a)) exit(9);
    return fd;
}

/* What a refused connection and one that was never tried look like. */
static void tcp_unconnected(struct sockaddr_in *nobody) {
    struct kevent out[4];
    int error = 0, x = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof error;
    fcntl(x, F_SETFL, O_NONBLOCK);
    int r = connect(x, (struct sockaddr *)(void *)nobody, sizeof *nobody);
    printf("connect refused: r=%d %s\n", r, r ? error_word(errno) : "");
    change(queue, x, EVFILT_WRITE, EV_ADD, 0, 0);
    change(queue, x, EVFILT_READ, EV_ADD, 0, 0);
    int n = call(queue, NULL, 0, out, 4, 50);
    for (int i = 0; i < n; i++)
        printf("  %s eof=%d ff=%s data=%d\n", filter_word(out[i].filter), !!(out[i].flags & EV_EOF),
               error_word((int)out[i].fflags), out[i].filter == EVFILT_READ ? (int)out[i].data : -1);
    getsockopt(x, SOL_SOCKET, SO_ERROR, &error, &size);
    printf("  SO_ERROR=%s\n", error_word(error));
    close(x);
    int y = socket(AF_INET, SOCK_STREAM, 0);
    change(queue, y, EVFILT_WRITE, EV_ADD, 0, 0);
    change(queue, y, EVFILT_READ, EV_ADD, 0, 0);
    n = call(queue, NULL, 0, out, 4, 20);
    printf("unconnected tcp socket: n=%d", n);
    for (int i = 0; i < n; i++) printf(" %s eof=%d", filter_word(out[i].filter), !!(out[i].flags & EV_EOF));
    putchar('\n');
}

static void udp(void) {
    struct sockaddr_in a;
    struct kevent out[4];
    int to = bound(SOCK_DGRAM, &a), from = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr *address = (struct sockaddr *)(void *)&a;
    queue = kqueue();
    change(queue, to, EVFILT_READ, EV_ADD, 0, 0);
    sendto(from, "abcd", 4, 0, address, sizeof a);
    sendto(from, "ef", 2, 0, address, sizeof a);
    rest(20);
    int n = call(queue, NULL, 0, out, 4, 0);
    printf("udp 4+2 bytes queued: n=%d data=%d\n", n, n > 0 ? (int)out[0].data : 0);
    sendto(from, "", 0, 0, address, sizeof a);
    take(to, 9);
    take(to, 9);
    rest(10);
    printf("udp empty datagram queued: n=%d\n", count_events());
}

static void tcp_reset(int client, int server) {
    struct linger now = {1, 0};
    struct kevent out[2];
    change(queue, server, EVFILT_READ, EV_ADD, 0, 0);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(client);
    rest(20);
    collect("tcp RST, READ");
    change(queue, server, EVFILT_READ, EV_DELETE, 0, 0);
    change(queue, server, EVFILT_WRITE, EV_ADD, 0, 0);
    int n = call(queue, NULL, 0, out, 2, 0);
    printf("tcp RST, WRITE: n=%d eof=%d ff=%s\n", n, n > 0 && (out[0].flags & EV_EOF),
           n > 0 ? error_word((int)out[0].fflags) : "");
    close(server);
}

void t_tcp(void) {
    struct sockaddr_in a;
    int clients[3], listener = bound(SOCK_STREAM, &a);
    queue = kqueue();
    listen(listener, 8);
    change(queue, listener, EVFILT_READ, EV_ADD, 0, 0);
    for (int i = 0; i < 3; i++) clients[i] = connected(&a);
    rest(20);
    collect("listener with 3 pending");
    int first = accept(listener, NULL, NULL);
    collect("listener with 2 pending");
    change(queue, listener, EVFILT_READ, EV_DELETE, 0, 0);
    change(queue, first, EVFILT_READ, EV_ADD, 0, 0);
    put(clients[0], "hello");
    rest(20);
    collect("tcp 5 bytes");
    shutdown(clients[0], SHUT_WR);
    rest(20);
    collect("tcp 5 bytes + FIN");
    take(first, 8);
    collect("tcp FIN drained");
    change(queue, first, EVFILT_READ, EV_DELETE, 0, 0);
    tcp_reset(clients[1], accept(listener, NULL, NULL));
    close(listener);
    tcp_unconnected(&a);
    udp();
}

void t_oob(void) {
    struct sockaddr_in a;
    int listener = bound(SOCK_STREAM, &a);
    queue = kqueue();
    listen(listener, 8);
    int client = connected(&a), server = accept(listener, NULL, NULL);
    change(queue, server, EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0);
    send(client, "!", 1, MSG_OOB);
    rest(20);
    collect_from(queue, "tcp OOB byte only, READ", 20);
}
