/* SPDX-License-Identifier: ISC */
/* Starting a program: what is the same on all systems. See spawn.h.
 *
 * How the parent learns that the program could not be started: a child that shares its memory writes so into the
 * gyi_spawn. But some who promise to share do not (valgrind, emulators), and fork() never does; so there is a pipe as
 * well, whose other end a successful exec closes. The child leaves a mark in the memory, and a parent that sees the
 * mark need not read. That is not for speed: the end of a pipe stays open in any other child that another thread has
 * forked meanwhile and that executes nothing, and who reads would wait for that one.
 *
 * Signals are blocked before the child is made: a handler of the program must not run there, where it would see the
 * parent's memory under another pid. The child puts all of them to their default before it unblocks them. */
#include "sys/spawn.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/sig.h"

/* What goes through the pipe. */
typedef struct spawn_news {
    int step, err;
} spawn_news;

bool gyi_spawn_is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

/* ---- the child's steps ------------------------------------------------------------------------------------------- */

static int spawn_session(gyi_spawn *s) { return (s->flags & GYI_SPAWN_SETSID) && setsid() < 0 ? -errno : 0; }

static int spawn_group(gyi_spawn *s) { return (s->flags & GYI_SPAWN_SETPGID) && setpgid(0, s->group) ? -errno : 0; }

/* Ignored signals would stay ignored, and a handler must not run before the exec, which resets it. Some numbers are not
 * signals, or cannot be set; what they answer does not matter. */
static void spawn_reset_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigemptyset(&action.sa_mask);
    for (int signo = 1; signo < GYI_SIG_MOST; signo++) sigaction(signo, &action, NULL);
}

/* Moves a descriptor of ours out of the way of the child's numbers. */
static int spawn_lift(int *fd, int above) {
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, above);
    if (moved < 0) return -errno;
    *fd = moved;
    return 0;
}

/* Puts one descriptor to its number. Whatever is there is not needed any more. */
static int spawn_place(int source, int to) {
    if (source == to) return fcntl(to, F_SETFD, 0) ? -errno : 0;
    if (source != GYI_SPAWN_NULL) return dup2(source, to) < 0 ? -errno : 0;
    int fd = open("/dev/null", O_RDWR);
    if (fd == to) return 0;
    if (fd < 0 || dup2(fd, to) < 0) return -errno;
    close(fd);
    return 0;
}

/* First everything that has a number which is the child's, and not its own, moves above; then each is put to its place.
 * The pipe gets the number behind them, so that what is left over is one range, for gyi_spawn_seal(). */
static int spawn_stdio(gyi_spawn *s) {
    int err = s->report <= s->count ? spawn_lift(&s->report, s->count + 1) : 0;
    for (int i = 0; i < s->count && !err; i++) {
        int source = s->source[i];
        if (source >= 0 && source < s->count && source != i) err = spawn_lift(&s->source[i], s->count + 1);
    }
    for (int i = 0; i < s->count && !err; i++) err = spawn_place(s->source[i], i);
    if (err) return err;
    if (dup2(s->report, s->count) < 0 || fcntl(s->count, F_SETFD, FD_CLOEXEC)) return -errno;
    s->report = s->count;
    gyi_spawn_seal(s->count + 1);
    return 0;
}

#ifdef __GLIBC__
typedef __rlimit_resource_t spawn_resource;
#else
typedef int spawn_resource;
#endif

static rlim_t spawn_limit(uint64_t value) { return value == UINT64_MAX ? RLIM_INFINITY : (rlim_t)value; }

static int spawn_limits(gyi_spawn *s) {
    for (unsigned i = 0; i < s->limit_count; i++) {
        struct rlimit limit = {spawn_limit(s->limits[i].soft), spawn_limit(s->limits[i].hard)};
        if (setrlimit((spawn_resource)s->limits[i].resource, &limit)) return -errno;
    }
    if (s->flags & GYI_SPAWN_SETUMASK) umask((mode_t)s->umask);
    return 0;
}

static int spawn_user(gyi_spawn *s) {
    return s->flags & (GYI_SPAWN_SETUID | GYI_SPAWN_SETGID) ? gyi_spawn_become(s) : 0;
}

/* After the user has changed, which on Linux takes it away again. */
static int spawn_parent(gyi_spawn *s) { return s->flags & GYI_SPAWN_WITH_PARENT ? gyi_spawn_with_parent(s) : 0; }

static int spawn_directory(gyi_spawn *s) { return s->directory && chdir(s->directory) ? -errno : 0; }

static int spawn_exec_name(const gyi_spawn *s, const char *name) {
    union {
        const char *const *given;
        char *const *taken;
    } argv = {s->argv}, envp = {s->envp};
    execve(name, argv.taken, envp.taken);
    return -errno;
}

/* Whether a directory of the search path is passed over: the program is not there, or the directory is not. */
static bool spawn_not_there(int err) {
    return err == -ENOENT || err == -ENOTDIR || err == -ENODEV || err == -ETIMEDOUT || err == -ESTALE ||
           err == -ENAMETOOLONG;
}

/* Tries the directories one after the other. One in which it may not be executed does not end the search, but is the
 * answer when there is no better one. */
static int spawn_search(gyi_spawn *s) {
    size_t length = strlen(s->program) + 1;
    int answer = -ENOENT;
    for (const char *at = s->path, *end; at; at = *end ? end + 1 : NULL) {
        end = at + strcspn(at, ":");
        size_t dir = (size_t)(end - at);
        if (dir + 1 + length > sizeof s->name) continue;
        memcpy(s->name, at, dir);
        if (dir) s->name[dir++] = '/'; /* an empty one is where it is */
        memcpy(s->name + dir, s->program, length);
        int err = spawn_exec_name(s, s->name);
        if (err == -EACCES) answer = err;
        else if (!spawn_not_there(err)) return err;
    }
    return answer;
}

static int spawn_exec(gyi_spawn *s) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    return s->path ? spawn_search(s) : spawn_exec_name(s, s->program);
}

void gyi_spawn_child(gyi_spawn *s) {
    static int (*const steps[GYI_SPAWN_STEPS])(gyi_spawn *) = {
        [GYI_SPAWN_SESSION] = spawn_session,     [GYI_SPAWN_GROUP] = spawn_group,   [GYI_SPAWN_STDIO] = spawn_stdio,
        [GYI_SPAWN_LIMITS] = spawn_limits,       [GYI_SPAWN_USER] = spawn_user,     [GYI_SPAWN_PARENT] = spawn_parent,
        [GYI_SPAWN_DIRECTORY] = spawn_directory, [GYI_SPAWN_EXEC] = spawn_exec};
    s->shared = true;
    spawn_reset_signals();
    spawn_news news = {GYI_SPAWN_SESSION, 0};
    while (!(news.err = steps[news.step](s))) news.step++; /* the last one comes back only with an error */
    s->step = news.step;
    s->err = news.err;
    ssize_t told = write(s->report, &news, sizeof news);
    (void)told;
    _Exit(127);
}

/* ---- the parent -------------------------------------------------------------------------------------------------- */

/* What has become of the child: 0 when it is the program now. */
static int spawn_result(gyi_spawn *s, int fd) {
    spawn_news news = {0, 0};
    ssize_t n = 0;
    if (s->shared) return s->err;
    do n = read(fd, &news, sizeof news);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof news) return 0;
    s->step = news.step;
    return news.err;
}

/* The one thing of the parent that may be done to a child of which nobody knows. */
static void spawn_bury(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
}

/* Makes the child with nothing to disturb it. Cancellation would end a thread in the middle, or worse, in the child. */
static int spawn_undisturbed(gyi_spawn *s) {
    sigset_t all, before;
    int state;
    sigfillset(&all);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int pid = gyi_spawn_start(s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_setcancelstate(state, NULL);
    return pid;
}

int gyi_spawn_program(gyi_sys *sys, gyi_spawn *s) {
    int ends[2];
    s->step = GYI_SPAWN_SETUP;
    s->err = 0;
    s->shared = false;
    s->parent = getpid();
    if (!s->envp) s->envp = gyi_spawn_environ();
    int err = gyi_spawn_pipe(sys, ends);
    if (err) return err;
    s->report = ends[1];
    s->step = GYI_SPAWN_FORK;
    int pid = gyi_sys_enter(sys, GYI_SYS_PROCESS);
    if (!pid) pid = spawn_undisturbed(s);
    gyi_fd_close(sys, ends[1]);
    err = pid < 0 ? pid : spawn_result(s, ends[0]);
    gyi_fd_close(sys, ends[0]);
    if (err && pid > 0) spawn_bury(pid);
    return err ? err : pid;
}
