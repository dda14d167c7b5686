/* SPDX-License-Identifier: ISC */
/* What the files of processes share.
 *
 * The handle is the caller's and may go before the process does (gy_process_forget), so what the loop needs to wait for
 * a child is a record of its own, gyi_child, which lives exactly as long as nobody has waited for that child.
 *
 *   process.c  the handle: checks, starting, signalling, letting go
 *   stdio.c    the descriptors: pipes, their streams, what is given to the child
 *   watch.c    the record: learning of the end, time limits
 *   run.c      gy_run, which is built on the public interface alone */
#ifndef GYI_PROCESS_PROCESS_H
#define GYI_PROCESS_PROCESS_H

#include "gyre/process.h"
#include "loop/loop.h"
#include "sys/child.h"
#include "sys/spawn.h"

typedef struct gyi_child gyi_child;

enum {
    GYI_CHILD_UNREF = 1,  /* does not keep the loop alive */
    GYI_CHILD_HEAD = 2,   /* of a process group */
    GYI_CHILD_LATE = 4    /* its time limit has struck */
};

struct gyi_child {
    gyi_entry link; /* on the loop's list */
    gy_loop *loop;
    gy_process *owner; /* NULL: forgotten */
    gyi_watch watch;   /* of `fd` */
    gy_signal signal;  /* SIGCHLD, where there is no `fd` or it cannot be watched */
    gy_timer again;    /* looks after a pause */
    gy_timer limit;    /* the time limit */
    int pid, fd;       /* `fd` stands for the process; negative: there is none */
    unsigned flags;
};

/* ---- watch.c ---- */

/* Begins to wait for a child. Cannot fail: there is always a way to learn of the end, if a slow one. */
void gyi_child_begin(gyi_child *child, gy_ns timeout, gy_ns grace);

/* Takes the handle away from a record, which lives on. */
void gyi_child_disown(gyi_child *child);

/* ---- stdio.c ---- */

typedef struct gyi_stdio {
    int source[GY_STDIO_MOST]; /* for each descriptor of the child: ours, or GYI_SPAWN_NULL */
    int ours[GY_STDIO_MOST];   /* our end of a pipe; -1: none */
    int theirs[GY_STDIO_MOST]; /* the other one */
    int count;
} gyi_stdio;

/* Whether a list makes sense. @return 0, -EINVAL, or -EALREADY when a stream is open */
int gyi_stdio_check(const gy_stdio *list, unsigned count);

/* Opens what there is to open. All that could keep our ends from becoming streams later is done here. @return 0, or a
 * negative error with nothing open. `step` says whose fault it was. */
int gyi_stdio_open(gy_loop *loop, gyi_stdio *stdio, const gy_process_opts *opts, int *step);

/* After the start: their ends are closed, and ours become streams. */
void gyi_stdio_adopt(gy_loop *loop, gyi_stdio *stdio, const gy_stdio *list);

/* After a failure: closes all of it. */
void gyi_stdio_close(gy_loop *loop, gyi_stdio *stdio);

#endif
