/* SPDX-License-Identifier: ISC */
/* Our own test runner: main() of the program that GY_HARNESS makes of all test files.
 *
 * Each case (a test, or a test with one of the backends) runs in a forked child that leads a process group, so that a
 * crash takes nothing else along and a hang can be ended with all that it started. How it went is told through a page
 * of memory shared with the child, not by the exit status alone: a test that calls exit(0) half-way has not passed.
 * With --no-fork the cases run in this process, one after the other, for debuggers and ThreadSanitizer; a failed check
 * then jumps out, and there is no time limit and no protection against a crash.
 *
 * Nothing here knows the library, except that backends have names. It runs one case at a time on purpose: tests look
 * at clocks. */
#include "harness.h"

#ifdef GY_HARNESS

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

typedef enum verdict { VERDICT_NONE, VERDICT_PASSED, VERDICT_FAILED, VERDICT_SKIPPED } verdict;

static gy_test *runner_first, **runner_last = &runner_first;

static struct {
    volatile sig_atomic_t *verdict; /* shared with the children */
    volatile sig_atomic_t child;    /* the running one's process id, for the interrupt handler */
    int news[2];                    /* a byte comes whenever a child ends */
    jmp_buf out;                    /* with --no-fork: the way out of a failed check */
    pthread_t thread;
    pid_t process;
    int seconds, filters, passed, failed, skipped;
    bool no_fork, list;
    char **filter;
} runner;

void gy_test_register(gy_test *test) {
    *runner_last = test;
    runner_last = &test->next;
}

/* ---- inside a test ------------------------------------------------------------------------------------------- */

/* Ends the running case. Outside its own process (a child that the test forked) or thread, only the process can end;
 * the verdict is in place by then. */
static _Noreturn void runner_end(verdict how) {
    if (!(how == VERDICT_SKIPPED && *runner.verdict == VERDICT_FAILED)) *runner.verdict = (sig_atomic_t)how;
    fflush(NULL);
    bool own_process = getpid() == runner.process;
    if (!runner.no_fork || !own_process) _exit(how == VERDICT_FAILED);
    if (!pthread_equal(pthread_self(), runner.thread)) abort();
    longjmp(runner.out, 1);
}

void gy_test_failed(const char *file, int line) {
    fprintf(stderr, "%s:%d: check failed: %s\n", file, line, gy_test_why());
    runner_end(VERDICT_FAILED);
}

void gy_test_skipped(const char *file, int line, const char *reason) {
    fprintf(stderr, "%s:%d: skipped: %s\n", file, line, reason);
    runner_end(VERDICT_SKIPPED);
}

static void runner_call(const gy_test *test, const char *backend) {
    gy_test_about(backend);
    if (backend) test->run_backend(backend);
    else test->run();
    if (*runner.verdict == VERDICT_NONE) *runner.verdict = VERDICT_PASSED;
}

/* ---- one case ------------------------------------------------------------------------------------------------ */

static void runner_on_child(int number) {
    int kept = errno;
    char byte = (char)number;
    ssize_t n = write(runner.news[1], &byte, 1);
    (void)n; /* a full pipe wakes just as well */
    errno = kept;
}

/* An interrupted run takes the child along: it is in a group of its own, where the terminal's signal does not reach. */
static void runner_on_interrupt(int number) {
    if (runner.child > 0) kill(-(pid_t)runner.child, SIGKILL);
    signal(number, SIG_DFL);
    raise(number);
}

static void runner_handle(int number, void (*fn)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = fn;
    sigaction(number, &action, NULL);
}

static double runner_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Waits for the child to end, and ends it when its time is up. @return whether it ended by itself */
static bool runner_wait(pid_t child, int *status) {
    double end = runner_seconds() + runner.seconds;
    for (;;) {
        char sink[64];
        pid_t got = waitpid(child, status, WNOHANG);
        if (got == child) return true;
        double left = end - runner_seconds();
        if (left <= 0) break;
        struct pollfd news = {runner.news[0], POLLIN, 0};
        if (poll(&news, 1, (int)(left * 1e3) + 1) > 0 && read(runner.news[0], sink, sizeof sink) < 0) continue;
    }
    kill(-child, SIGKILL);
    while (waitpid(child, status, 0) < 0 && errno == EINTR) continue;
    return false;
}

static _Noreturn void runner_child(const gy_test *test, const char *backend) {
    setpgid(0, 0);
    runner_handle(SIGCHLD, SIG_DFL);
    runner_handle(SIGINT, SIG_DFL);
    runner_handle(SIGTERM, SIG_DFL);
    close(runner.news[0]);
    close(runner.news[1]);
    runner.process = getpid();
    runner_call(test, backend);
    exit(0); /* not _exit: leak checkers and coverage do their work here */
}

/* Judges a child that has ended. A reason is printed for all that did not explain itself. */
static verdict runner_judge(const char *name, bool in_time, int status) {
    verdict how = (verdict)*runner.verdict;
    if (!in_time) fprintf(stderr, "%s: still running after %d s, killed\n", name, runner.seconds);
    else if (WIFSIGNALED(status)) fprintf(stderr, "%s: died of signal %d\n", name, WTERMSIG(status));
    else if (how == VERDICT_NONE) fprintf(stderr, "%s: left with status %d\n", name, WEXITSTATUS(status));
    else if (how == VERDICT_PASSED && WEXITSTATUS(status))
        fprintf(stderr, "%s: passed, but exit() came to status %d\n", name, WEXITSTATUS(status));
    else return how;
    return VERDICT_FAILED;
}

static verdict runner_fork(const gy_test *test, const char *backend, const char *name) {
    int status = 0;
    pid_t child = fork();
    if (child < 0) {
        fprintf(stderr, "%s: cannot fork: %s\n", name, strerror(errno));
        return VERDICT_FAILED;
    }
    if (child == 0) runner_child(test, backend);
    setpgid(child, child); /* here too: whoever is first */
    runner.child = (sig_atomic_t)child;
    bool in_time = runner_wait(child, &status);
    kill(-child, SIGKILL); /* what the test has left running */
    runner.child = 0;
    return runner_judge(name, in_time, status);
}

static verdict runner_inline(const gy_test *test, const char *backend) {
    if (setjmp(runner.out) == 0) runner_call(test, backend);
    return (verdict)*runner.verdict;
}

static bool runner_wanted(const char *name) {
    for (int i = 0; i < runner.filters; i++)
        if (strstr(name, runner.filter[i])) return true;
    return runner.filters == 0;
}

static void runner_case(const gy_test *test, const char *backend) {
    char name[256];
    if (backend) snprintf(name, sizeof name, "%s.%s[%s]", test->suite, test->name, backend);
    else snprintf(name, sizeof name, "%s.%s", test->suite, test->name);
    if (!runner_wanted(name)) return;
    if (runner.list) {
        puts(name);
        runner.passed++;
        return;
    }
    *runner.verdict = VERDICT_NONE;
    fflush(NULL); /* or the child would print it again */
    double start = runner_seconds();
    verdict how = runner.no_fork ? runner_inline(test, backend) : runner_fork(test, backend, name);
    const char *word = how == VERDICT_PASSED ? "ok" : how == VERDICT_SKIPPED ? "skip" : "FAIL";
    printf("%-4s %s (%.3f s)\n", word, name, runner_seconds() - start);
    fflush(stdout);
    if (how == VERDICT_PASSED) runner.passed++;
    else if (how == VERDICT_SKIPPED) runner.skipped++;
    else runner.failed++;
}

/* ---- all of them --------------------------------------------------------------------------------------------- */

static void runner_all(void) {
    int available[GY_TEST_BACKENDS];
    for (int i = 0; i < GY_TEST_BACKENDS; i++) available[i] = -1;
    for (const gy_test *test = runner_first; test; test = test->next) {
        if (test->run) runner_case(test, NULL);
        for (int i = 0; i < GY_TEST_BACKENDS && test->run_backend; i++) {
            if (available[i] < 0) available[i] = gy_test_backend_available(gy_test_backends[i]);
            if (available[i]) runner_case(test, gy_test_backends[i]);
        }
    }
}

static int runner_usage(const char *program) {
    fprintf(stderr, "usage: %s [--list] [--no-fork] [--timeout SECONDS] [PART-OF-A-NAME...]\n", program);
    return 2;
}

static int runner_options(int argc, char **argv) {
    runner.seconds = GY_TEST_SECONDS;
    runner.filter = argv;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) runner.list = true;
        else if (strcmp(argv[i], "--no-fork") == 0) runner.no_fork = true;
        else if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc) runner.seconds = atoi(argv[++i]);
        else if (argv[i][0] == '-') return runner_usage(argv[0]);
        else argv[runner.filters++] = argv[i];
    }
    return runner.seconds > 0 ? 0 : runner_usage(argv[0]);
}

int main(int argc, char **argv) {
    const char *program = argv[0];
    int err = runner_options(argc, argv);
    if (err) return err;
    void *page = mmap(NULL, sizeof *runner.verdict, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || (!runner.no_fork && pipe(runner.news))) {
        perror(program);
        return 2;
    }
    runner.verdict = page;
    runner.thread = pthread_self();
    runner.process = getpid();
    if (!runner.no_fork) {
        runner_handle(SIGCHLD, runner_on_child);
        runner_handle(SIGINT, runner_on_interrupt);
        runner_handle(SIGTERM, runner_on_interrupt);
    }
    runner_all();
    if (runner.list) return 0;
    if (runner.passed + runner.failed + runner.skipped == 0) {
        fprintf(stderr, "%s: no test has such a name\n", program);
        return 2;
    }
    printf("%d passed, %d failed, %d skipped\n", runner.passed, runner.failed, runner.skipped);
    return runner.failed > 0;
}

#else
typedef int runner_not_used; /* Criterion brings its own main(), and a file must declare something */
#endif
