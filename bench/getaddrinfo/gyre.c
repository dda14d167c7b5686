/* SPDX-License-Identifier: ISC */
/* gyre: gy_dns_lookup() and gy_fs_stat() on the loop's own pool, which has a lane for each. */
#include "common/gyre_loop.h"
#include "getaddrinfo/workload.h"

#include "gyre/dns.h"
#include "gyre/fs.h"

const char contender[] = "gyre";

static gy_loop *loop;
static gy_dns asks[LOOKUPS_AT_ONCE], hanging[HANGING];
static gy_fs request;

static void on_lookup(gy_dns *ask, int err)
{
    gy_dns_release(ask);
    lookup_done((size_t)(ask - asks), err == 0);
}

static void on_hang(gy_dns *ask, int err)
{
    (void)ask, (void)err;
}

static int resolve(const gy_dns_question *question, gy_dns_answer *answer)
{
    (void)question, (void)answer;
    hang();
    return GY_ETRYAGAIN;
}

static void on_stat(gy_fs *req, int err)
{
    (void)req;
    stat_done(err == 0);
}

void contender_open(void)
{
    loop = bench_loop();
}

void contender_lookup(size_t number, const char *host)
{
    gy_dns_opts opts = {.host = host};

    bench_must(gy_dns_lookup(loop, &asks[number], opts, on_lookup) == 0, "look up a name");
}

void contender_hang(void)
{
    gy_dns_opts opts = {.host = "silent.invalid", .resolve = resolve};

    for (size_t i = 0; i < HANGING; i++)
        bench_must(gy_dns_lookup(loop, &hanging[i], opts, on_hang) == 0, "look up a name");
}

void contender_stat(void)
{
    bench_must(gy_fs_stat(loop, &request, "/", on_stat) == 0, "stat");
}

void contender_run(void)
{
    gy_loop_run(loop);
}

void contender_stop(void)
{
    gy_loop_stop(loop);
}
