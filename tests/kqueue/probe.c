/* SPDX-License-Identifier: ISC */
/* Asks a kqueue what it does, one line per question ("tag: answer"), so that the imitation in this folder can be
 * compared with a kernel: expected.txt holds the answers of FreeBSD 12.1, and `check` compares.
 *
 * On the BSDs and macOS it is built from probe*.c, on Linux with the imitation as well (-Itests/kqueue and its three
 * sources). Each group of probes runs in a child of its own. Two things are levelled, so that the answers do not depend
 * on what kqueue has no part in: buffers are given the sizes that FreeBSD has, and an error number is printed as
 * FreeBSD numbers it. Only the filters that the library uses are asked about. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

int queue, ends[2];

/* ---- small tools --------------------------------------------------------------------------------------------- */

const char *error_word(int number) {
    static const struct {
        int number;
        const char *word;
    } known[] = {
        {0, "0"},           {ENOENT, "ENOENT"},   {EBADF, "EBADF"},   {EINVAL, "EINVAL"},
        {EPIPE, "EPIPE"},   {ENODEV, "ENODEV"},   {EINTR, "EINTR"},   {ECONNRESET, "ECONNRESET"},
        {EPERM, "EPERM"},   {EEXIST, "EEXIST"},   {ENOMEM, "ENOMEM"}, {ECONNREFUSED, "ECONNREFUSED"},
        {EAGAIN, "EAGAIN"}, {ENOTCONN, "ENOTCONN"}, {ENXIO, "ENXIO"}, {EINPROGRESS, "EINPROGRESS"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].number == number) return known[i].word;
    return "another error";
}

const char *filter_word(int filter) {
    return filter == EVFILT_READ ? "READ" : filter == EVFILT_WRITE ? "WRITE" : filter == EVFILT_USER ? "USER" : "?";
}

/* The number that FreeBSD has for the one error whose number is printed. */
static unsigned level_error(const struct kevent *e) {
    return (e->flags & EV_EOF) && e->fflags == ECONNRESET ? 54 : e->fflags;
}

void print_event(const struct kevent *e) {
    printf("[%s data=%lld%s%s ff=0x%x ud=%d]", filter_word(e->filter), (long long)e->data,
           e->flags & EV_EOF ? " EV_EOF" : "", e->flags & EV_ERROR ? " EV_ERROR" : "", level_error(e),
           (int)(intptr_t)e->udata);
}

void rest(int ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    while (nanosleep(&t, &t) < 0) continue;
}

long elapsed(const struct timespec *since) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long)(t.tv_sec - since->tv_sec) * 1000 + (t.tv_nsec - since->tv_nsec) / 1000000;
}

struct timespec moment(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t;
}

int call(int q, const struct kevent *changes, int count, struct kevent *out, int room, int ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    return kevent(q, changes, count, out, room, &t);
}

int change(int q, int id, int filter, int flags, unsigned fflags, int user) {
    struct kevent c;
    EV_SET(&c, (uintptr_t)id, (short)filter, (unsigned short)flags, fflags, 0, (void *)(intptr_t)user);
    return call(q, &c, 1, NULL, 0, 0);
}

void tell(const char *tag, int result) { printf("%s: %s\n", tag, result < 0 ? error_word(errno) : "ok"); }

/* Makes a change and tells how it went. */
void tell_change(const char *tag, int id, int filter, int flags, int user) {
    tell(tag, change(queue, id, filter, flags, 0, user));
}

/* Collects up to eight events and tells them all. */
void collect_from(int q, const char *tag, int ms) {
    struct kevent out[8];
    int n = call(q, NULL, 0, out, 8, ms);
    printf("%s: n=%d", tag, n);
    if (n < 0) printf(" %s", error_word(errno));
    for (int i = 0; i < n; i++) {
        putchar(' ');
        print_event(&out[i]);
    }
    putchar('\n');
}

void collect(const char *tag) { collect_from(queue, tag, 0); }

int count_events(void) {
    struct kevent out[4];
    return call(queue, NULL, 0, out, 4, 0);
}

void put(int fd, const char *text) {
    if (write(fd, text, strlen(text)) < 0) perror("write");
}

void take(int fd, size_t most) {
    char sink[4096];
    if (read(fd, sink, most) < 0 && errno != EAGAIN) perror("read");
}

void fresh(void) {
    queue = kqueue();
    if (queue < 0 || pipe(ends)) exit(9);
}

/* Gives a pipe the capacity that it has on FreeBSD. */
void level_pipe(void) {
#ifdef F_SETPIPE_SZ
    fcntl(ends[1], F_SETPIPE_SZ, 16384);
#endif
}

void level_socket(int fd) {
#ifdef __linux__
    int half = 4096; /* Linux doubles it */
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &half, sizeof half);
#else
    (void)fd;
#endif
}

/* ---- the call itself ----------------------------------------------------------------------------------------- */

static void basic_lists(void) {
    struct kevent c[2], out[4];
    EV_SET(&c[0], (uintptr_t)ends[0], EVFILT_READ, EV_DELETE, 0, 0, NULL);
    EV_SET(&c[1], (uintptr_t)ends[0], EVFILT_READ, EV_ADD, 0, 0, NULL);
    int n = call(queue, c, 2, out, 4, 0);
    printf("bad change + room: n=%d", n);
    for (int i = 0; i < n; i++) print_event(&out[i]);
    put(ends[1], "x");
    putchar('\n');
    collect("  second change was applied");
    EV_SET(&c[0], (uintptr_t)ends[0], EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, (void *)7);
    n = call(queue, c, 1, out, 4, 0);
    printf("EV_RECEIPT ok change: n=%d", n);
    for (int i = 0; i < n; i++) print_event(&out[i]);
    EV_SET(&c[0], (uintptr_t)ends[0], EVFILT_WRITE, EV_DELETE | EV_RECEIPT, 0, 0, NULL);
    n = call(queue, c, 1, out, 1, 0);
    printf("\nEV_RECEIPT bad change: n=%d", n);
    for (int i = 0; i < n; i++) print_event(&out[i]);
    printf("\nnevents=0 with ready event: %d\n", call(queue, NULL, 0, NULL, 0, 20));
    tell("kevent on bad kq fd", call(300, NULL, 0, out, 1, 0));
}

void t_basic(void) {
    fresh();
    collect("empty kq, timeout 0");
    struct timespec start = moment();
    collect_from(queue, "empty kq, timeout 50ms", 50);
    long waited = elapsed(&start);
    printf("  waited %s\n", waited < 45 ? "too short" : waited < 120 ? "~50ms" : "long");
    tell_change("delete of a knote that is not there", ends[0], EVFILT_READ, EV_DELETE, 0);
    tell_change("enable of a knote that is not there", ends[0], EVFILT_READ, EV_ENABLE, 0);
    tell_change("add on closed fd 200", 200, EVFILT_READ, EV_ADD, 0);
    tell_change("add fd -1", -1, EVFILT_READ, EV_ADD, 0);
    tell_change("unknown filter", ends[0], -99, EV_ADD, 0);
    basic_lists();
}

static void on_alarm(int number) { (void)number; }

void t_intr(void) {
    struct sigaction action;
    struct itimerval soon = {{0, 0}, {0, 50000}};
    struct kevent out;
    queue = kqueue();
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    collect_from(queue, "kevent interrupted by an SA_RESTART handler", 1000);
    struct timespec t = {-1, 0};
    int n = kevent(queue, NULL, 0, &out, 1, &t);
    printf("timeout -1 s: r=%d %s\n", n, n < 0 ? error_word(errno) : "");
    t = (struct timespec){0, 2000000000L};
    n = kevent(queue, NULL, 0, &out, 1, &t);
    printf("timeout 2e9 ns: r=%d %s\n", n, n < 0 ? error_word(errno) : "");
}

/* ---- the groups ---------------------------------------------------------------------------------------------- */

static void run_group(const char *name, void (*group)(void)) {
    int status = 0;
    printf("== %s\n", name);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(15);
        group();
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) printf("** %s died of signal %d\n", name, WTERMSIG(status));
    else if (WEXITSTATUS(status)) printf("** %s left with status %d\n", name, WEXITSTATUS(status));
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } groups[] = {
        {"t_basic", t_basic}, {"t_level", t_level}, {"t_clear", t_clear},   {"t_oneshot", t_oneshot},
        {"t_pipeeof", t_pipeeof}, {"t_sock", t_sock}, {"t_tcp", t_tcp},     {"t_oob", t_oob},
        {"t_user", t_user},   {"t_thread", t_thread}, {"t_vnode", t_vnode}, {"t_file", t_file},
        {"t_close", t_close}, {"t_nest", t_nest},   {"t_many", t_many},   {"t_intr", t_intr},
    };
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (argc < 2 || strcmp(argv[1], groups[i].name) == 0) run_group(groups[i].name, groups[i].run);
    return 0;
}
