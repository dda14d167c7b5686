/* SPDX-License-Identifier: ISC */
/* libevent's one handle, which serves for descriptors, timers and signals alike. */
#include "memory/workload.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/thread.h>

const char contender[] = "libevent";

void contender_sizes(void)
{
    bench_fact("io", sizeof(struct event));
    bench_fact("timer", sizeof(struct event));
    bench_fact("signal", sizeof(struct event));
}

void contender_open(void)
{
    bench_must(evthread_use_pthreads() == 0 && event_base_new() != NULL, "make a loop");
}
