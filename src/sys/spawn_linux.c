/* SPDX-License-Identifier: ISC */
/* Starting a program on Linux: the child shares the parent's memory until it executes the program, and the parent's
 * thread stands still so long, as with vfork(). fork() would copy the page tables, which takes the longer the more
 * memory the process has.
 *
 * Not vfork() itself, because there the two share a stack, of which compilers know only in part: here the child has one
 * of its own, which lies in the frame of the function that waits for it. Compilers and sanitizers see a plain function
 * that is called on it.
 *
 * The C library's setuid() has all threads of the process change, and would look for those of the parent in the child;
 * to the kernel the user is a matter of the thread, so it is asked directly. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/spawn.h"

extern char **environ;

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* On 32-bit systems the older calls have 16-bit numbers. */
#ifdef SYS_setgroups32
enum { SPAWN_SETGROUPS = SYS_setgroups32, SPAWN_SETGID = SYS_setresgid32, SPAWN_SETUID = SYS_setresuid32 };
#else
enum { SPAWN_SETGROUPS = SYS_setgroups, SPAWN_SETGID = SYS_setresgid, SPAWN_SETUID = SYS_setresuid };
#endif

/* ThreadSanitizer keeps notes on descriptors and signals in the memory that would be shared. */
#if defined(__SANITIZE_THREAD__)
#define SPAWN_SHARES 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SPAWN_SHARES 0
#endif
#endif
#ifndef SPAWN_SHARES
#define SPAWN_SHARES 1
#endif

/* The child calls a dozen small functions of the C library and runs no handlers. */
enum { SPAWN_STACK = 16384, SPAWN_FDS = 65536 };

const char *const *gyi_spawn_environ(void) { return (const char *const *)environ; }

int gyi_spawn_pipe(gyi_sys *sys, int ends[2]) {
    int err = gyi_sys_enter(sys, GYI_SYS_POLLER);
    if (err) return err;
    return pipe2(ends, O_CLOEXEC) ? -errno : 0;
}

/* A pipe: programs open /dev/stdin and /dev/stdout, which Linux refuses for sockets. */
int gyi_spawn_channel(gyi_sys *sys, int ends[2]) { return gyi_spawn_pipe(sys, ends); }

int gyi_spawn_pair(gyi_sys *sys, int ends[2]) {
    int err = gyi_sys_enter(sys, GYI_SYS_SOCKET);
    if (err) return err;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) ? -errno : 0;
}

/* AddressSanitizer marks parts of a frame as forbidden, and forgets the frames that nobody returns from: those of the
 * child, in our stack. */
#if defined(__SANITIZE_ADDRESS__)
#define SPAWN_ADDRESSES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPAWN_ADDRESSES 1
#endif
#endif
#ifdef SPAWN_ADDRESSES
#include <sanitizer/asan_interface.h>
static void spawn_sweep(char *stack) { ASAN_UNPOISON_MEMORY_REGION(stack, SPAWN_STACK); }
#else
static void spawn_sweep(const char *stack) { (void)stack; }
#endif

static int spawn_enter(void *arg) { gyi_spawn_child(arg); }

static __attribute__((noinline)) int spawn_sharing(gyi_spawn *spawn) {
    _Alignas(64) char stack[SPAWN_STACK];
    int pid = clone(spawn_enter, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, spawn);
    int err = errno;
    spawn_sweep(stack);
    return pid < 0 ? -err : pid;
}

static int spawn_copying(gyi_spawn *spawn) {
    int pid = fork();
    if (pid == 0) gyi_spawn_child(spawn);
    return pid < 0 ? -errno : pid;
}

int gyi_spawn_start(gyi_spawn *spawn) {
    bool share = SPAWN_SHARES && !(spawn->flags & GYI_SPAWN_COPY);
    int pid = share ? spawn_sharing(spawn) : -EINVAL;
    /* Where a sandbox or an emulator does not know this kind of child. */
    return pid == -EINVAL || pid == -ENOSYS ? spawn_copying(spawn) : pid;
}

int gyi_spawn_become(const gyi_spawn *s) {
    if (syscall(SPAWN_SETGROUPS, (size_t)s->group_count, s->groups)) return -errno;
    if ((s->flags & GYI_SPAWN_SETGID) && syscall(SPAWN_SETGID, s->gid, s->gid, s->gid)) return -errno;
    return (s->flags & GYI_SPAWN_SETUID) && syscall(SPAWN_SETUID, s->uid, s->uid, s->uid) ? -errno : 0;
}

int gyi_spawn_with_parent(const gyi_spawn *s) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL)) return -errno;
    return getppid() == s->parent ? 0 : -ESRCH; /* it may have ended before */
}

void gyi_spawn_seal(int from) {
    if (syscall(SYS_close_range, (unsigned)from, ~0U, 0U) == 0) return;
    /* Before Linux 5.9. */
    struct rlimit limit;
    int end = SPAWN_FDS;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)end) end = (int)limit.rlim_cur;
    for (int fd = from; fd < end; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}
