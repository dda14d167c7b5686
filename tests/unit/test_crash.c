/* SPDX-License-Identifier: ISC */
/* The last word: it is written for what is ours, and the process dies of the signal in any case. */
#include "sys/crash.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "sys/memory.h"

static const char *guard;
static size_t page;

static bool is_guard(const void *at) { return (const char *)at >= guard && (const char *)at < guard + page; }

static bool is_nothing(const void *at) {
    (void)at;
    return false;
}

/* What a child that touches the guard writes, and the signal that it died of. */
static int touch(bool (*ours)(const void *), char *text, size_t size) {
    gyi_sys sys = {{0}};
    void *ptr = NULL;
    int out[2], status = 0;
    page = gyi_memory_page();
    CHECK_EQ(gyi_memory_map(&sys, 2 * page, &ptr), 0);
    CHECK_EQ(gyi_memory_guard(&sys, ptr, page), 0);
    guard = ptr;
    CHECK_EQ(pipe(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        dup2(out[1], 2);
        if (gyi_crash_watch(&sys, ours, "it was the guard") || gyi_crash_watch(&sys, ours, "not this")) _exit(1);
        ((volatile char *)ptr)[page / 2] = 1;
        _exit(0);
    }
    close(out[1]);
    ssize_t got = read(out[0], text, size - 1);
    text[got > 0 ? got : 0] = 0;
    close(out[0]);
    CHECK(waitpid(pid, &status, 0) == pid);
    gyi_memory_unmap(&sys, ptr, 2 * page);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

TEST(crash, what_is_ours_is_told_of) {
    char text[200];
    int signo = touch(is_guard, text, sizeof text);
    CHECK(signo == SIGSEGV || signo == SIGBUS);
    CHECK_STR(text, "it was the guard\n");
}

TEST(crash, of_anything_else_nothing_is_said) {
    char text[200];
    int signo = touch(is_nothing, text, sizeof text);
    CHECK(signo == SIGSEGV || signo == SIGBUS);
    CHECK_STR(text, "");
}
