/* SPDX-License-Identifier: ISC */
/* The handle of a child process: what is asked for is checked, put into the words of the floor below, and started.
 *
 * Everything that can fail comes before the start: afterwards there is a process, and no way to take that back. */
#include "process/process.h"

#include <string.h>

enum { PROCESS_FLAGS = 255, PROCESS_GROUPS = 65536 };

_Static_assert(sizeof(gy_process_limit) == sizeof(gyi_spawn_limit) &&
                   offsetof(gy_process_limit, hard) == offsetof(gyi_spawn_limit, hard) &&
                   offsetof(gy_process_limit, soft) == offsetof(gyi_spawn_limit, soft),
               "limits are handed down as they are");

static const char *const process_steps[GYI_SPAWN_STEPS] = {
    [GYI_SPAWN_SETUP] = "setup",   [GYI_SPAWN_FORK] = "fork",     [GYI_SPAWN_SESSION] = "session",
    [GYI_SPAWN_GROUP] = "group",   [GYI_SPAWN_STDIO] = "stdio",   [GYI_SPAWN_LIMITS] = "limits",
    [GYI_SPAWN_USER] = "user",     [GYI_SPAWN_PARENT] = "parent", [GYI_SPAWN_DIRECTORY] = "directory",
    [GYI_SPAWN_EXEC] = "exec"};

static int process_check(const gy_process *p, const gy_process_opts *o) {
    unsigned both = GY_PROCESS_DETACHED | GY_PROCESS_GROUP;
    if (!o->program || (o->argv && !o->argv[0])) return -EINVAL;
    if ((o->flags & ~(unsigned)PROCESS_FLAGS) || (o->flags & both) == both) return -EINVAL;
    if (o->group < 0 || (o->group && !(o->flags & GY_PROCESS_GROUP))) return -EINVAL;
    if (o->umask > 0777 || o->timeout < 0 || o->grace < 0) return -EINVAL;
    if (o->group_count > PROCESS_GROUPS || (o->group_count && !o->groups)) return -EINVAL;
    if (o->limit_count && !o->limits) return -EINVAL;
    return p->priv.child ? -EALREADY : gyi_stdio_check(o->stdio, o->stdio_count);
}

/* The PATH among the variables of an environment. */
static const char *process_path(const char *const *envp) {
    for (; *envp; envp++)
        if (strncmp(*envp, "PATH=", 5) == 0) return *envp + 5;
    return "/bin:/usr/bin";
}

static unsigned process_flags(unsigned flags) {
    static const struct {
        unsigned from, to;
    } pairs[] = {{GY_PROCESS_UID, GYI_SPAWN_SETUID},       {GY_PROCESS_GID, GYI_SPAWN_SETGID},
                 {GY_PROCESS_UMASK, GYI_SPAWN_SETUMASK},   {GY_PROCESS_DETACHED, GYI_SPAWN_SETSID},
                 {GY_PROCESS_GROUP, GYI_SPAWN_SETPGID},    {GY_PROCESS_WITH_PARENT, GYI_SPAWN_WITH_PARENT}};
    unsigned out = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) out |= flags & pairs[i].from ? pairs[i].to : 0;
    return out;
}

/* Puts the options into the words of the floor below, and starts. @return as gyi_spawn_program() */
static int process_start(gy_loop *loop, gyi_stdio *stdio, const gy_process_opts *o, int *step) {
    const char *alone[] = {o->program, NULL};
    bool search = !(o->flags & GY_PROCESS_NO_SEARCH) && *o->program && !strchr(o->program, '/');
    gyi_spawn spawn;
    spawn.program = o->program;
    spawn.argv = o->argv ? o->argv : alone;
    spawn.envp = o->envp ? o->envp : gyi_spawn_environ();
    spawn.path = search ? process_path(spawn.envp) : NULL;
    spawn.directory = o->directory;
    spawn.source = stdio->source;
    spawn.count = stdio->count;
    spawn.flags = process_flags(o->flags);
    spawn.uid = o->uid;
    spawn.gid = o->gid;
    spawn.groups = o->groups;
    spawn.group_count = o->group_count;
    spawn.group = o->group;
    spawn.umask = o->umask;
    spawn.limits = (const gyi_spawn_limit *)(const void *)o->limits;
    spawn.limit_count = o->limit_count;
    int pid = gyi_spawn_program(&loop->sys, &spawn);
    *step = spawn.step;
    return pid;
}

/* From the options to a running child. @return its pid, or a negative error with nothing open */
static int process_begin(gy_loop *loop, const gy_process_opts *o, gyi_child **out, gyi_stdio *stdio, int *step) {
    *step = GYI_SPAWN_SETUP;
    *out = gyi_alloc_zero(&loop->alloc, sizeof **out);
    if (!*out) return -ENOMEM;
    int err = gyi_stdio_open(loop, stdio, o, step), pid = 0;
    if (!err) {
        pid = process_start(loop, stdio, o, step);
        if (pid < 0) gyi_stdio_close(loop, stdio);
    }
    if (!err && pid > 0) return pid;
    gyi_free(&loop->alloc, *out);
    return err ? err : pid;
}

int gy_process_spawn(gy_loop *loop, gy_process *p, gy_process_opts opts) {
    gyi_stdio stdio;
    gyi_child *c = NULL;
    int step = GYI_SPAWN_SETUP, err = process_check(p, &opts);
    int pid = err ? err : process_begin(loop, &opts, &c, &stdio, &step);
    p->step = pid < 0 ? process_steps[step] : NULL;
    if (pid < 0) return pid;
    gyi_stdio_adopt(loop, &stdio, opts.stdio);
    p->loop = c->loop = loop;
    p->pid = c->pid = pid;
    p->priv.child = c;
    p->priv.fn = opts.fn;
    c->owner = p;
    if ((opts.flags & GY_PROCESS_DETACHED) || ((opts.flags & GY_PROCESS_GROUP) && !opts.group))
        c->flags |= GYI_CHILD_HEAD;
    gyi_child_begin(c, opts.timeout, opts.grace);
    if (!opts.fn) gy_process_forget(p);
    return 0;
}

int gy_process_kill(gy_process *p, int signo) {
    gyi_child *c = p->priv.child;
    if (!c) return -ESRCH;
    return signo < 0 ? -EINVAL : gyi_child_kill(&c->loop->sys, c->fd, c->pid, signo);
}

int gy_process_kill_group(gy_process *p, int signo) {
    gyi_child *c = p->priv.child;
    if (!c) return -ESRCH;
    if (signo < 0 || !(c->flags & GYI_CHILD_HEAD)) return -EINVAL;
    return gyi_child_kill_group(&c->loop->sys, c->pid, signo);
}

bool gy_process_running(const gy_process *p) { return p->priv.child; }

void gy_process_forget(gy_process *p) {
    if (p->priv.child) gyi_child_disown(p->priv.child);
}

void gy_process_ref(gy_process *p) {
    gyi_child *c = p->priv.child;
    if (!c || !(c->flags & GYI_CHILD_UNREF)) return;
    c->flags &= ~(unsigned)GYI_CHILD_UNREF;
    gyi_loop_ref(c->loop);
}

void gy_process_unref(gy_process *p) {
    gyi_child *c = p->priv.child;
    if (!c || (c->flags & GYI_CHILD_UNREF)) return;
    c->flags |= GYI_CHILD_UNREF;
    gyi_loop_unref(c->loop);
}
