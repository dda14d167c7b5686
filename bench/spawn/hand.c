/* SPDX-License-Identifier: ISC */
/* By hand: posix_spawn() and waitpid(), without any loop. */
#include "spawn/workload.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

const char contender[] = "hand";

void contender_open(void)
{
}

void contender_spawn(void)
{
    char program[] = SPAWN_PROGRAM;
    char *args[] = {program, NULL};
    int status;
    pid_t pid;

    bench_must(posix_spawn(&pid, program, NULL, NULL, args, environ) == 0, "start the program");
    bench_must(waitpid(pid, &status, 0) == pid && status == 0, "run the program");
}
