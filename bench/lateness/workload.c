/* SPDX-License-Identifier: ISC */
/* Collects how late each timer was, in nanoseconds, and prints median, 99th percentile, worst, and how many were early.
 */
#include "lateness/workload.h"

#include <stdlib.h>

static int64_t delay, started;
static int64_t *late;
static size_t count, wanted;

void lateness_start(void)
{
    started = bench_wall();
}

bool lateness_fired(void)
{
    late[count++] = bench_wall() - started - delay;
    return count == wanted;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    size_t early = 0;

    bench_init(argc, argv);
    delay = (int64_t)bench_arg("every", 3000) * 1000;
    wanted = (size_t)(bench_arg("seconds", 2) * UINT64_C(1000000000) / (uint64_t)delay);
    late = bench_alloc(wanted, sizeof *late);
    contender_run(delay);
    qsort(late, wanted, sizeof *late, ascending);
    while (early < wanted && late[early] < 0)
        early++;
    bench_begin("lateness");
    bench_fact("ops", (double)wanted);
    bench_fact("median_us", (double)late[wanted / 2] / 1000);
    bench_fact("p99_us", (double)late[wanted * 99 / 100] / 1000);
    bench_fact("worst_us", (double)late[wanted - 1] / 1000);
    bench_fact("early", (double)early);
    bench_end();
    return 0;
}
