/* SPDX-License-Identifier: ISC */
/* Prints the sizes of a contender's handles and the number of its descriptors. The size of code is measured by
 * codesize.py.
 */
#include "memory/workload.h"

#include <fcntl.h>

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

int main(int argc, char **argv)
{
    int before = open_descriptors();

    bench_init(argc, argv);
    bench_begin("memory");
    contender_sizes();
    contender_open();
    bench_fact("descriptors", open_descriptors() - before);
    bench_end();
    return 0;
}
