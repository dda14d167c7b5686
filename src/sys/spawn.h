/* SPDX-License-Identifier: ISC */
/* Starting a program in a child process.
 *
 * gyi_spawn() (spawn.c) does what is the same everywhere: it keeps signals and cancellation away, has the platform make
 * a child, and finds out whether that came as far as the program. What the child does between its birth and the program
 * is spawn.c's too, as a list of steps, each of which is a few system calls. The platform's file (spawn_linux.c,
 * spawn_posix.c) makes the child, and has the steps for which systems differ.
 *
 * The child may share the parent's memory (and then the parent stands still) or be a copy. The code for both is one: it
 * allocates nothing, takes no locks, and writes to nothing but its stack and the gyi_spawn. Its system calls are not
 * counted and do not fail on purpose: they are another process's. */
#ifndef GYI_SYS_SPAWN_H
#define GYI_SYS_SPAWN_H

#include <sys/types.h>

#include "sys/sys.h"

/* Where a child fails, in the order of what it does; the first two are the parent's. */
typedef enum gyi_spawn_step {
    GYI_SPAWN_SETUP,
    GYI_SPAWN_FORK,
    GYI_SPAWN_SESSION,
    GYI_SPAWN_GROUP,
    GYI_SPAWN_STDIO,
    GYI_SPAWN_LIMITS,
    GYI_SPAWN_USER,
    GYI_SPAWN_PARENT,
    GYI_SPAWN_DIRECTORY,
    GYI_SPAWN_EXEC,
    GYI_SPAWN_STEPS
} gyi_spawn_step;

enum {
    GYI_SPAWN_SETSID = 1,      /* a new session */
    GYI_SPAWN_SETPGID = 2,     /* process group `group` */
    GYI_SPAWN_SETUID = 4,      /* `uid` */
    GYI_SPAWN_SETGID = 8,      /* `gid` */
    GYI_SPAWN_SETUMASK = 16,   /* `umask` */
    GYI_SPAWN_WITH_PARENT = 32, /* SIGKILL when the parent ends */
    GYI_SPAWN_COPY = 64        /* do not share memory even where that is possible */
};

enum { GYI_SPAWN_NULL = -1, /* instead of a descriptor: /dev/null */ GYI_SPAWN_NAME = 4096 };

typedef struct gyi_spawn_limit {
    int resource;
    uint64_t soft, hard; /* UINT64_MAX: none */
} gyi_spawn_limit;

typedef struct gyi_spawn {
    const char *program;
    const char *path;        /* where to search for it: directories with colons between; NULL: it is a path itself */
    const char *const *argv;
    const char *const *envp; /* NULL: that of this process */
    const char *directory;   /* NULL: as it is */
    int *source;             /* for each descriptor of the child: one of ours, or GYI_SPAWN_NULL; scratch later */
    int count;               /* of them, at least 3 */
    unsigned flags;
    uint32_t uid, gid;
    const uint32_t *groups;
    unsigned group_count;
    int group;
    unsigned umask;
    const gyi_spawn_limit *limits;
    unsigned limit_count;

    /* between parent and child */
    pid_t parent;
    int report;           /* the child's end of a pipe, closed by a successful exec */
    volatile bool shared; /* set by the child: seen by the parent if they share memory */
    volatile int step, err;
    char name[GYI_SPAWN_NAME]; /* of a candidate during the search */
} gyi_spawn;

/* Starts a program. @return its pid, or -errno with `step` set, and no child. */
int gyi_spawn_program(gyi_sys *sys, gyi_spawn *spawn);

/* Whether a number is that of an open descriptor. */
bool gyi_spawn_is_open(int fd);

/* What a child does. Does not return. */
_Noreturn void gyi_spawn_child(gyi_spawn *spawn);

/* ---- of the platform ---- */

/* Two connected descriptors, close-on-exec and blocking: a pipe of which [0] is read; something of which at least that
 * is true and that is best given to a child; and a local socket, for both ways. */
int gyi_spawn_pipe(gyi_sys *sys, int ends[2]);
int gyi_spawn_channel(gyi_sys *sys, int ends[2]);
int gyi_spawn_pair(gyi_sys *sys, int ends[2]);

/* The environment of this process. */
const char *const *gyi_spawn_environ(void);

/* Makes the child, with all signals blocked, and has it call gyi_spawn_child(). @return the pid or -errno. */
int gyi_spawn_start(gyi_spawn *spawn);

/* In the child. Changes groups, group and user, in this order, for good. @return 0 or -errno. */
int gyi_spawn_become(const gyi_spawn *spawn);

/* In the child. Has it killed when the parent ends. @return 0 or -errno. */
int gyi_spawn_with_parent(const gyi_spawn *spawn);

/* In the child. Closes all descriptors from `from` on, now or at the exec. */
void gyi_spawn_seal(int from);

#endif
