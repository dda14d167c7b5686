/* SPDX-License-Identifier: ISC */
/* Makes the file and keeps the requests under way until `--size` of them are done. See workload.h. */
#include "files/workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *files_path;
int files_fd;

static void (*start)(unsigned index);
static unsigned under_way;
static uint64_t left;

void files_done(unsigned index, int64_t result)
{
    bench_must(result == FILES_READ, "hear of all of the file");
    if (left == 0)
        return;
    left--;
    start(index);
}

/* Where TMPDIR says, or in /tmp. */
static void file_make(char *path, size_t size)
{
    static const char content[FILES_READ] = "bench";
    const char *folder = getenv("TMPDIR");

    snprintf(path, size, "%s/gyre-bench-XXXXXX", folder ? folder : "/tmp");
    files_fd = mkstemp(path);
    bench_must(files_fd >= 0 && write(files_fd, content, sizeof content) == FILES_READ, "make the file");
    files_path = path;
}

/* Does `count` operations, the ends included. */
static void rounds(uint64_t count)
{
    left = count - under_way;
    for (unsigned i = 0; i < under_way; i++)
        start(i);
    contender_run();
    bench_must(left == 0, "get an answer for each request");
}

int main(int argc, char **argv)
{
    struct bench_watch watch;
    const char *variant;
    char path[4096];
    uint64_t size;

    bench_init(argc, argv);
    variant = bench_arg_text("variant", "fs_stat");
    start = strcmp(variant, "fs_stat") == 0 ? contender_stat : contender_read;
    under_way = (unsigned)bench_arg("under-way", 16);
    size = bench_arg("size", 100000);
    bench_must(size >= under_way, "do at least as many as are under way");
    file_make(path, sizeof path);
    contender_open(under_way);
    rounds(under_way); /* starts the threads */
    bench_start(&watch);
    rounds(size);
    bench_stop(&watch);
    unlink(path);
    bench_begin(variant);
    bench_fact("under_way", under_way);
    bench_per_op(&watch, size);
    bench_end();
    return 0;
}
