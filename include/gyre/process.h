/* SPDX-License-Identifier: ISC */
/** @file process.h
 *  Child processes: start a program, be told how it ended, signal it; and gy_run, which does all of it at once.
 *
 *  Starting is synchronous and exact: a program that is missing, a directory that cannot be entered, a user that may
 *  not be taken on are the result of gy_process_spawn(), and there is no child then. On Linux the time that it takes
 *  does not depend on how much memory the process has.
 *
 *  A child gets the descriptors that it is given and no others, whether or not they are close-on-exec. Its signals are
 *  as in a fresh process: all at their default, none blocked.
 *
 *  The library waits for its own children and for no others. The program must neither wait for any child that comes
 *  along (`wait()`, `waitpid(-1)`) nor ignore SIGCHLD: both take away what the library waits for, and the exit is then
 *  reported as -ECHILD.
 *
 *  Everything here is for the loop's thread.
 */
#ifndef GYRE_PROCESS_H
#define GYRE_PROCESS_H

#include "gyre/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_process gy_process;
typedef struct gy_run gy_run;

/** How a process ended. */
typedef struct gy_exit {
    int code;        /**< what it returned from main() or gave to exit(), 0 to 255; -1 when a signal ended it */
    int signo;       /**< the signal that ended it; 0 when it ended by itself */
    bool core;       /**< the signal left a core dump */
    bool timed_out;  /**< the time limit had struck before */
    gy_ns user;      /**< processor time that it and those of its children that it waited for used, in their code */
    gy_ns system;    /**< and in the kernel */
    int64_t max_rss; /**< the most memory that was resident at a time, in bytes */
} gy_exit;

/** The process has ended, or `err` is negative: -ECHILD when somebody else has waited for it, so that nobody knows how.
 *  Called exactly once for each successful gy_process_spawn(), unless gy_process_forget() comes first. The handle is
 *  the caller's again and may be used anew or freed in here.
 *
 *  Its streams know nothing of this: what the process wrote last may still have to be read, and a process that it has
 *  started itself may hold them open. Who wants everything waits for this and for GY_EOF of each (Node's "close"). */
typedef void gy_process_exit_fn(gy_process *process, int err, gy_exit how);

/** A child process. The caller's memory, valid as `{0}`; it must stay until the exit callback, or gy_process_forget().
 */
struct gy_process {
    void *user;       /**< the program's */
    gy_loop *loop;    /**< read only: where it was started */
    int pid;          /**< read only: its number; it stays after the exit, when it may be another's */
    const char *step; /**< read only: what did not work when gy_process_spawn() failed, "exec" for instance; a static
                           text for messages. NULL when all went well */
    /** @cond internal */
    struct {
        struct gyi_child *child; /* NULL when there is none */
        gy_process_exit_fn *fn;
    } priv;
    /** @endcond */
};

/* ---- starting ------------------------------------------------------------------------------------------------ */

/** What a descriptor of the child is. */
typedef enum gy_stdio_kind {
    GY_STDIO_INHERIT = 0, /**< the descriptor of the same number of this process. Of 0, 1 and 2, one that is closed here
                               is /dev/null there */
    GY_STDIO_IGNORE,      /**< /dev/null */
    GY_STDIO_FD,          /**< the descriptor `fd` of this process, which stays the caller's */
    GY_STDIO_SAME,        /**< the same as descriptor `fd` of the child, a lower one: `{GY_STDIO_SAME, .fd = 1}` as the
                               third is the shell's `2>&1` */
    GY_STDIO_IN,          /**< a pipe that the child reads, and `stream` writes: gy_stream_shutdown() ends its input */
    GY_STDIO_OUT,         /**< a pipe that the child writes, and `stream` reads */
    GY_STDIO_DUPLEX       /**< a local socket, for both */
} gy_stdio_kind;

/** A descriptor of the child: its number is its place in the list. */
typedef struct gy_stdio {
    gy_stdio_kind kind; /**< what it is */
    gy_stream *stream;  /**< IN, OUT, DUPLEX: a closed stream, which gy_process_spawn() opens: read, write and close it
                             as any other. When the spawn fails it stays closed */
    int fd;             /**< FD, SAME */
} gy_stdio;

enum { GY_STDIO_MOST = 64 /**< descriptors in a list at the most */ };

/** A limit for the child's use of the system, as setrlimit() has it. */
typedef struct gy_process_limit {
    int resource;  /**< RLIMIT_NOFILE and so on, of <sys/resource.h> */
    uint64_t soft; /**< the limit; GY_UNLIMITED for none */
    uint64_t hard; /**< up to where the child may raise it; GY_UNLIMITED for no limit */
} gy_process_limit;

#define GY_UNLIMITED UINT64_MAX /**< no limit */

/** What a child is started with, for `flags`. */
enum gy_process_flag {
    GY_PROCESS_NO_SEARCH = 1,  /**< `program` is a path even without a slash */
    GY_PROCESS_UID       = 2,  /**< `uid` is meant, be it 0 */
    GY_PROCESS_GID       = 4,  /**< `gid` is meant, be it 0 */
    GY_PROCESS_UMASK     = 8,  /**< `umask` is meant, be it 0 */
    GY_PROCESS_DETACHED  = 16, /**< a session and process group of its own, away from the terminal (setsid) */
    GY_PROCESS_GROUP     = 32, /**< in the process group `group`, or at the head of a new one if that is 0 */
    GY_PROCESS_WITH_PARENT = 64, /**< killed when this process ends; on Linux, when the thread that started it ends.
                                      Linux and FreeBSD; -ENOTSUP elsewhere */
    GY_PROCESS_NO_STDIO  = 128 /**< descriptors 0, 1 and 2 that are not in the list are /dev/null, not inherited */
};

/** How a child is started. A zero field is the default. Nothing has to outlive the call. */
typedef struct gy_process_opts {
    /** The program. A name without a slash is searched for in the PATH of the child's environment, "/bin:/usr/bin" if
     *  there is none. A relative path begins at `directory`. A script needs its `#!` line. */
    const char *program;
    const char *const *argv; /**< its arguments, ending in NULL, its own name first; NULL: just `program` */
    const char *const *envp; /**< its environment as "NAME=value", ending in NULL; NULL: this process's */
    const char *directory;   /**< where it starts; NULL: where this process is */
    const gy_stdio *stdio;   /**< its descriptors, from 0 on */
    unsigned stdio_count;    /**< how many; of 0, 1 and 2 those missing are inherited */
    unsigned flags;          /**< of gy_process_flag */
    uint32_t uid;            /**< the user to become. It needs the right to, and is checked; see `groups` */
    uint32_t gid;            /**< the group to become */
    const uint32_t *groups;  /**< supplementary groups. They are set whenever UID or GID is given, to these: without
                                  any, all those of this process are dropped, which needs the right to as well */
    unsigned group_count;    /**< how many; 65536 at most */
    int group;               /**< the process group, with GY_PROCESS_GROUP */
    unsigned umask;          /**< bits that its new files lack, with GY_PROCESS_UMASK; 0777 at most */
    const gy_process_limit *limits; /**< limits of resources, set before the user changes */
    unsigned limit_count;    /**< how many */
    gy_ns timeout;           /**< the longest that it may run. Then it is sent SIGTERM, and SIGKILL if it is still there
                                  `grace` later; so is its group, if it is the head of one. 0: no limit */
    gy_ns grace;             /**< default: 5 seconds */
    gy_process_exit_fn *fn;  /**< told of the end; NULL: nobody is, as if gy_process_forget() followed at once */
} gy_process_opts;

/** Starts a program. `process` says in `step` which step failed. The steps, in this order: "setup" (pipes, memory,
 *  bad options), "fork", "session", "group" (of processes), "stdio", "limits", "user", "parent", "directory", "exec".
 *  @return 0; -EINVAL for options that make no sense; -EALREADY when the handle has a process, or a stream is open;
 *  -ENOTSUP; -EAGAIN, -ENOMEM, -EMFILE when there is no room for a process or its pipes; -ENOENT, -EACCES, -ENOEXEC,
 *  -E2BIG, -EPERM and what else the kernel says to a step. After an error there is no child and nothing is open. */
GY_API int gy_process_spawn(gy_loop *loop, gy_process *process, gy_process_opts opts);

/* ---- while it runs ------------------------------------------------------------------------------------------- */

/** Sends a signal; 0 only asks whether one could. Never reaches another process that has got the same number: once the
 *  exit was seen by the library, the answer is -ESRCH. @return 0; -ESRCH; -EINVAL; -EPERM. */
GY_API int gy_process_kill(gy_process *process, int signo);

/** Sends a signal to the process and everything it has started that is still in its group. Only for one that is the
 *  head of a group: DETACHED, or GROUP with 0. @return as gy_process_kill(); -EINVAL when it heads no group. */
GY_API int gy_process_kill_group(gy_process *process, int signo);

/** Whether it runs, as far as the loop has noticed: its callback is still to come. */
GY_API bool gy_process_running(const gy_process *process);

/** Lets go of the handle, which is the caller's again: no callback will come. The process is left alone and does not
 *  keep the loop alive; its time limit stays in force, and the loop still waits for it when it ends, so that no zombie
 *  stays. If the loop is freed before, nobody waits for it any more: it becomes a zombie when it ends, until this
 *  process ends too. Without a process nothing happens. */
GY_API void gy_process_forget(gy_process *process);

GY_API void gy_process_ref(gy_process *process);   /**< a running process keeps the loop alive (the default) */
GY_API void gy_process_unref(gy_process *process); /**< a running process does not; to be called after the spawn */

/* ---- all at once --------------------------------------------------------------------------------------------- */

/** The program has ended and all it wrote was read: see `how`, `out`, `errors`. Or `err` is negative: -ENOBUFS when it
 *  wrote more than there was room for (it was killed), GY_ECANCELED after gy_run_cancel(), -ECHILD, or what reading
 *  said. An exit code other than 0 and a time limit are no errors here: see `how`. The time limit is for the output,
 *  too: when the program has ended and others hold its output open, `how.timed_out` is set, and what was there by then
 *  has been read. Called exactly once after gy_run_start(); the memory is the caller's again. */
typedef void gy_run_fn(gy_run *run, int err);

/** A program that is run with given input, whose output is collected. The caller's memory, valid as `{0}`; it must stay
 *  until the callback. */
struct gy_run {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it was started */
    gy_exit how;   /**< read only: how it ended, once it has */
    gy_buf out;    /**< read only: what it wrote to standard output: the filled part of the buffer given */
    gy_buf errors; /**< read only: likewise of standard error */
    gy_process process; /**< read only: `pid`, `step`; may be given to gy_process_kill() */
    /** @cond internal */
    struct {
        gy_run_fn *fn;
        gy_stream in, out, errors;
        gy_write write;
        gy_timer limit;
        gy_ns due;                    /* of the time limit; 0: there is none */
        size_t out_room, errors_room; /* left in the buffers */
        int err;
        unsigned left;                /* streams that are open, and the process */
        char more[2];                 /* where a byte too much goes */
    } priv;
    /** @endcond */
};

/** What is run, and where its output goes. */
typedef struct gy_run_opts {
    gy_process_opts process; /**< as for gy_process_spawn(), without `fn`, and without the first three of `stdio`, which
                                  are the library's: `stdio_count` must be 0 */
    gy_buf input;   /**< what it reads; must stay until the callback. Empty: /dev/null. That it does not read all of it
                         is no error */
    gy_buf out;     /**< room for its standard output; must stay until the callback. Empty: /dev/null */
    gy_buf errors;  /**< room for its standard error, likewise. Empty: as this process's */
    gy_run_fn *fn;  /**< never NULL */
} gy_run_opts;

/** Runs a program. @return as gy_process_spawn(); -EINVAL without a function or with `stdio` or `process.fn` given. */
GY_API int gy_run_start(gy_loop *loop, gy_run *run, gy_run_opts opts);

/** Kills the program (and its group if it heads one) with SIGKILL, and stops reading; the callback reports GY_ECANCELED
 *  once it has ended. Ignored when nothing runs. */
GY_API void gy_run_cancel(gy_run *run);

#ifdef __cplusplus
}
#endif
#endif
