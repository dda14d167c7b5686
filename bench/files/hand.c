/* SPDX-License-Identifier: ISC */
/* By hand: stat() and pread() on the threads of common/hand_pool.h. */
#include "common/hand_pool.h"
#include "files/workload.h"

#include <sys/stat.h>

const char contender[] = "hand";

struct request {
    struct hand_job job;
    unsigned index;
    int64_t result;
    char buf[FILES_READ];
};

static struct request *requests;

static void run_stat(struct hand_job *job)
{
    struct request *req = (struct request *)(void *)job;
    struct stat st;

    req->result = stat(files_path, &st) == 0 ? st.st_size : -1;
}

static void run_read(struct hand_job *job)
{
    struct request *req = (struct request *)(void *)job;

    req->result = pread(files_fd, req->buf, sizeof req->buf, 0);
}

static void on_done(struct hand_job *job)
{
    struct request *req = (struct request *)(void *)job;

    files_done(req->index, req->result);
}

void contender_open(unsigned under_way)
{
    requests = bench_alloc(under_way, sizeof *requests);
    for (unsigned i = 0; i < under_way; i++)
        requests[i].index = i;
    hand_pool_open(FILES_THREADS);
}

static void request_submit(unsigned index, void (*run)(struct hand_job *))
{
    requests[index].job.run = run;
    requests[index].job.done = on_done;
    hand_pool_submit(&requests[index].job);
}

void contender_stat(unsigned index)
{
    request_submit(index, run_stat);
}

void contender_read(unsigned index)
{
    request_submit(index, run_read);
}

void contender_run(void)
{
    hand_pool_run();
}
