/* SPDX-License-Identifier: ISC */
/* By hand: epoll_pwait2(), whose timeout is in nanoseconds, until the clock says that the time is over. */
#include "lateness/workload.h"

#include <sys/epoll.h>
#include <time.h>

const char contender[] = "hand";

void contender_run(int64_t delay)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event;

    bench_must(epoll >= 0, "make a loop");
    do {
        int64_t left = delay, due;

        lateness_start();
        due = bench_wall() + delay;
        while (left > 0) {
            struct timespec ts = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};

            bench_must(epoll_pwait2(epoll, &event, 1, &ts, NULL) == 0, "wait");
            left = due - bench_wall();
        }
    } while (!lateness_fired());
}
