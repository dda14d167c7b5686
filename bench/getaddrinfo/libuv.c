/* SPDX-License-Identifier: ISC */
/* libuv: uv_getaddrinfo() and uv_fs_stat(). Its resolver cannot be replaced, so what hangs is uv_queue_work(), of which
 * four jobs take all threads. To be fair: libuv lets look-ups by uv_getaddrinfo() have half of its threads only, so it
 * is not those that would stop the files, but other work that blocks. */
#include "getaddrinfo/workload.h"

#include <uv.h>

const char contender[] = "libuv";

static uv_loop_t loop;
static uv_getaddrinfo_t asks[LOOKUPS_AT_ONCE];
static uv_work_t hanging[LOOKUP_THREADS];
static uv_fs_t request;

static void on_lookup(uv_getaddrinfo_t *ask, int status, struct addrinfo *found)
{
    uv_freeaddrinfo(found);
    lookup_done((size_t)(ask - asks), status == 0);
}

static void on_hang(uv_work_t *work)
{
    (void)work;
    hang();
}

static void on_hung(uv_work_t *work, int status)
{
    (void)work, (void)status;
}

static void on_stat(uv_fs_t *req)
{
    bool found = req->result == 0;

    uv_fs_req_cleanup(req);
    stat_done(found);
}

void contender_open(void)
{
    bench_must(uv_loop_init(&loop) == 0, "make a loop");
}

void contender_lookup(size_t number, const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

    bench_must(uv_getaddrinfo(&loop, &asks[number], on_lookup, host, NULL, &hints) == 0, "look up a name");
}

void contender_hang(void)
{
    for (size_t i = 0; i < LOOKUP_THREADS; i++)
        bench_must(uv_queue_work(&loop, &hanging[i], on_hang, on_hung) == 0, "submit a job");
}

void contender_stat(void)
{
    bench_must(uv_fs_stat(&loop, &request, "/", on_stat) == 0, "stat");
}

void contender_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}

void contender_stop(void)
{
    uv_stop(&loop);
}
