/* SPDX-License-Identifier: ISC */
/* Makes the pipes and moves the bytes (workload.h). `--size` is the number of reads in all.
 */
#include "pipes/workload.h"

#include <fcntl.h>
#include <unistd.h>

static int *readers, *writers;
static size_t pipes;
static uint64_t writes_left, reads_left;

static void put(size_t index)
{
    bench_must(write(writers[index], "x", 1) == 1, "write into a pipe");
    writes_left--;
}

bool pipes_ready(size_t index)
{
    char byte;

    if (read(readers[index], &byte, 1) != 1)
        return false;
    if (writes_left > 0)
        put(index + 1 < pipes ? index + 1 : 0);
    return --reads_left == 0;
}

int main(int argc, char **argv)
{
    struct bench_watch watch;
    uint64_t size;
    size_t active;

    bench_init(argc, argv);
    size = bench_arg("size", 200000);
    pipes = (size_t)bench_arg("pipes", 1000);
    active = (size_t)bench_arg("active", 100);
    bench_must(active > 0 && active <= pipes && size >= active, "make sense of the sizes");
    bench_descriptors(pipes * 2 + 64);
    readers = bench_alloc(pipes, sizeof *readers);
    writers = bench_alloc(pipes, sizeof *writers);
    for (size_t i = 0; i < pipes; i++) {
        int ends[2];
        bench_must(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0, "make a pipe");
        readers[i] = ends[0];
        writers[i] = ends[1];
    }
    contender_open(readers, pipes);
    writes_left = reads_left = size;
    bench_start(&watch);
    for (size_t i = 0; i < active; i++)
        put(i * (pipes / active));
    contender_run();
    bench_stop(&watch);
    bench_begin("pipes");
    bench_fact("pipes", (double)pipes);
    bench_fact("active", (double)active);
    bench_per_op(&watch, size);
    bench_end();
    return 0;
}
