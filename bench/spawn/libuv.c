/* SPDX-License-Identifier: ISC */
/* libuv: uv_spawn(), with the three descriptors inherited. */
#include "spawn/workload.h"

#include <uv.h>

const char contender[] = "libuv";

static uv_loop_t loop;
static uv_process_t process;

static void on_end(uv_process_t *p, int64_t status, int signo)
{
    bench_must(status == 0 && signo == 0, "run the program");
    uv_close((uv_handle_t *)p, NULL);
}

void contender_open(void)
{
    bench_must(uv_loop_init(&loop) == 0, "make a loop");
}

void contender_spawn(void)
{
    char program[] = SPAWN_PROGRAM;
    char *args[] = {program, NULL};
    uv_stdio_container_t stdio[3];
    uv_process_options_t options = {.file = program, .args = args, .stdio = stdio, .stdio_count = 3};

    for (int i = 0; i < 3; i++) {
        stdio[i].flags = UV_INHERIT_FD;
        stdio[i].data.fd = i;
    }
    options.exit_cb = on_end;
    bench_must(uv_spawn(&loop, &process, &options) == 0, "start the program");
    uv_run(&loop, UV_RUN_DEFAULT);
}
