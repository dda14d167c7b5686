/* SPDX-License-Identifier: ISC */
/* Questions about knotes: how they report, how they are triggered, and what becomes of them when descriptors go. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- how knotes report --------------------------------------------------------------------------------------- */

void t_level(void) {
    fresh();
    change(queue, ends[0], EVFILT_READ, EV_ADD, 0, 1);
    collect("pipe empty");
    put(ends[1], "abc");
    collect("level 1st");
    collect("level 2nd");
    take(ends[0], 1);
    collect("level after partial read");
    take(ends[0], 8);
    collect("level after drain");
    change(queue, ends[0], EVFILT_READ, EV_ADD, 0, 2);
    put(ends[1], "z");
    collect("re-ADD changes udata");
}

void t_clear(void) {
    struct kevent out[4];
    fresh();
    level_pipe();
    change(queue, ends[0], EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0);
    put(ends[1], "abc");
    collect("clear 1st");
    collect("clear 2nd (no new data)");
    put(ends[1], "d");
    collect("clear after new data");
    take(ends[0], 2);
    collect("clear after partial read");
    change(queue, ends[0], EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0);
    collect("clear re-ADD with data pending");
    change(queue, ends[1], EVFILT_WRITE, EV_ADD | EV_CLEAR, 0, 0);
    int n = call(queue, NULL, 0, out, 4, 0);
    printf("clear write initial: n=%d %s\n", n, n > 0 && out[0].data > 0 ? "data>0" : "data=0");
    collect("clear write again");
    take(ends[0], 8);
    collect("clear write after reader drained (never was full)");
}

void t_oneshot(void) {
    fresh();
    change(queue, ends[0], EVFILT_READ, EV_ADD | EV_ONESHOT, 0, 0);
    put(ends[1], "a");
    collect("oneshot 1st");
    collect("oneshot 2nd");
    tell_change("oneshot delete afterwards", ends[0], EVFILT_READ, EV_DELETE, 0);
    tell_change("dispatch add", ends[0], EVFILT_READ, EV_ADD | EV_DISPATCH, 0);
    collect("dispatch 1st");
    collect("dispatch 2nd");
    tell_change("dispatch enable", ends[0], EVFILT_READ, EV_ENABLE, 0);
    collect("dispatch after enable");
    tell_change("dispatch EV_ADD alone re-enables?", ends[0], EVFILT_READ, EV_ADD, 0);
    collect("  after EV_ADD");
    change(queue, ends[0], EVFILT_READ, EV_DELETE, 0, 0);
    change(queue, ends[0], EVFILT_READ, EV_ADD | EV_DISABLE, 0, 0);
    collect("added disabled");
    change(queue, ends[0], EVFILT_READ, EV_ENABLE, 0, 0);
    collect("enabled");
    change(queue, ends[0], EVFILT_READ, EV_DISABLE, 0, 0);
    collect("disabled");
}

/* ---- wake-ups and threads ------------------------------------------------------------------------------------ */

static int trigger(int id, unsigned bits, int user) {
    return change(queue, id, EVFILT_USER, 0, NOTE_TRIGGER | bits, user);
}

void t_user(void) {
    queue = kqueue();
    tell_change("user add", 9, EVFILT_USER, EV_ADD | EV_CLEAR, 8);
    collect("user not triggered");
    tell("trigger", trigger(9, 0, 8));
    collect("user triggered");
    collect("user after CLEAR");
    trigger(9, 0, 8);
    trigger(9, 0, 8);
    collect("two triggers coalesce");
    trigger(9, 0, 55);
    collect("trigger with other udata");
    trigger(9, NOTE_FFCOPY | 0x12, 8);
    collect("NOTE_FFCOPY 0x12");
    change(queue, 10, EVFILT_USER, EV_ADD, 0, 0);
    trigger(10, 0, 0);
    collect("level user 1st");
    collect("level user 2nd");
    tell_change("delete", 10, EVFILT_USER, EV_DELETE, 0);
    collect("deleted");
    tell("trigger of a missing one", trigger(77, 0, 0));
    tell("add + trigger in one change", change(queue, 11, EVFILT_USER, EV_ADD | EV_ONESHOT, NOTE_TRIGGER, 0));
    collect("  event");
}

static void *trigger_later(void *arg) {
    rest(60);
    trigger(1, 0, 0);
    return arg;
}

static void *add_later(void *arg) {
    rest(60);
    change(queue, ends[0], EVFILT_READ, EV_ADD, 0, 0);
    return arg;
}

static void *close_later(void *arg) {
    rest(60);
    close(*(int *)arg);
    return arg;
}

/* Waits while a thread does something. @return the milliseconds that it took */
static long wait_beside(void *(*work)(void *), int *q, int ms, int *result) {
    struct kevent out[2];
    pthread_t thread;
    struct timespec start = moment();
    pthread_create(&thread, NULL, work, q);
    *result = call(*q, NULL, 0, out, 2, ms);
    int error = errno;
    long took = elapsed(&start);
    pthread_join(thread, NULL);
    errno = error;
    return took;
}

void t_thread(void) {
    int n;
    fresh();
    change(queue, 1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0);
    long took = wait_beside(trigger_later, &queue, 3000, &n);
    printf("user trigger from other thread wakes: n=%d %s\n", n, took < 1500 ? "promptly" : "late");
    put(ends[1], "x");
    took = wait_beside(add_later, &queue, 2000, &n);
    const char *when = took < 1500 ? "promptly" : "at timeout";
    printf("other thread adds a ready fd while kevent waits: n=%d %s\n", n, when);
    int other = kqueue();
    took = wait_beside(close_later, &other, 1500, &n);
    const char *error = n < 0 ? error_word(errno) : "";
    when = took < 1000 ? "promptly" : "at timeout";
    printf("kq closed by other thread while waiting: r=%d %s %s\n", n, error, when);
}

/* ---- descriptors that come and go ---------------------------------------------------------------------------- */

static void close_fork(void) {
    fresh();
    change(queue, ends[0], EVFILT_READ, EV_ADD, 0, 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) _exit(count_events() >= 0 ? 3 : errno == EBADF ? 1 : 2);
    int status = 0;
    waitpid(child, &status, 0);
    int how = WEXITSTATUS(status);
    printf("kq in forked child: %s\n", how == 1 ? "EBADF (not inherited)" : how == 2 ? "other error" : "usable");
    int flags = fcntl(queue, F_GETFD);
    printf("kq fd close-on-exec by default: %d\n", flags < 0 ? -1 : !!(flags & FD_CLOEXEC));
}

void t_close(void) {
    int again[2];
    fresh();
    change(queue, ends[0], EVFILT_READ, EV_ADD, 0, 0);
    put(ends[1], "x");
    close(ends[0]);
    collect_from(queue, "fd closed: event gone", 20);
    if (pipe(again)) exit(9);
    printf("fd number reused: %s\n", again[0] == ends[0] ? "yes" : "no");
    put(again[1], "y");
    collect_from(queue, "reused number, nothing added", 20);
    tell_change("add on reused number", again[0], EVFILT_READ, EV_ADD, 9);
    collect_from(queue, "  event", 20);
    fresh();
    int copy = dup(ends[0]);
    change(queue, ends[0], EVFILT_READ, EV_ADD, 0, 0);
    put(ends[1], "x");
    close(ends[0]);
    collect_from(queue, "registered fd closed, dup still open", 20);
    close(copy);
    close_fork();
}

void t_nest(void) {
    fresh();
    change(queue, ends[0], EVFILT_READ, EV_ADD, 0, 0);
    struct pollfd p = {queue, POLLIN, 0};
    printf("poll(kq) idle: %d\n", poll(&p, 1, 0));
    put(ends[1], "x");
    printf("poll(kq) ready: %d\n", poll(&p, 1, 20));
    int outer = kqueue();
    tell("kq in kq add", change(outer, queue, EVFILT_READ, EV_ADD, 0, 0));
    collect_from(outer, "kq in kq event", 20);
    take(ends[0], 1);
    collect_from(outer, "kq in kq after drain", 20);
}

void t_file(void) {
    char name[] = "/tmp/gyre-probe-XXXXXX";
    int fd = mkstemp(name);
    queue = kqueue();
    put(fd, "hello");
    tell_change("regular file READ add", fd, EVFILT_READ, EV_ADD, 0);
    collect("regular file at EOF");
    lseek(fd, 0, SEEK_SET);
    collect("regular file rewound");
    put(fd, "hello!!");
    collect("regular file appended, at EOF");
    tell_change("regular file WRITE add", fd, EVFILT_WRITE, EV_ADD, 0);
    printf("regular file WRITE: n=%d\n", count_events());
    unlink(name);
    tell_change("/dev/null READ add", open("/dev/null", O_RDWR), EVFILT_READ, EV_ADD, 0);
    tell_change("/dev/zero READ add", open("/dev/zero", O_RDWR), EVFILT_READ, EV_ADD, 0);
    tell_change("directory READ add", open("/tmp", O_RDONLY), EVFILT_READ, EV_ADD, 0);
}

enum { MANY = 100 };

/* Whether all of many ready descriptors are reported when the room is too small for them. */
static void many_rounds(void) {
    struct kevent out[64];
    bool seen[MANY] = {false};
    int total = 0;
    for (int round = 0; round < 4; round++) {
        int n = call(queue, NULL, 0, out, 64, 0);
        printf("round %d: n=%d\n", round, n);
        for (int i = 0; i < n; i++) {
            int which = (int)(intptr_t)out[i].udata;
            total += !seen[which];
            seen[which] = true;
        }
    }
    printf("fds seen in 4 rounds of 64 (no draining, level): %d of %d\n", total, MANY);
}

void t_many(void) {
    struct kevent one = {0}, two = {0}, c[2], out[2];
    queue = kqueue();
    for (int i = 0; i < MANY; i++) {
        if (pipe(ends)) exit(9);
        change(queue, ends[0], EVFILT_READ, EV_ADD, 0, i);
        put(ends[1], "x");
    }
    many_rounds();
    int n = call(queue, NULL, 0, &one, 1, 0) + call(queue, NULL, 0, &two, 1, 0);
    printf("nevents=1 twice: %s\n", n == 2 && one.ident == two.ident ? "same fd" : "round-robin");
    fresh();
    put(ends[1], "x");
    EV_SET(&c[0], (uintptr_t)ends[0], EVFILT_READ, EV_ADD, 0, 0, (void *)1);
    EV_SET(&c[1], (uintptr_t)ends[1], EVFILT_WRITE, EV_ADD, 0, 0, (void *)2);
    printf("add 2 + collect in one call: n=%d\n", call(queue, c, 2, out, 2, 0));
}
