/* SPDX-License-Identifier: ISC */
/* Sets up the descriptors and takes the time. See workload.h for what the variants mean.
 *
 * `--size` counts operations: events for the dispatching variants, turns for idle_turns, watchers restarted for
 * restart_watcher. It is rounded down to whole rounds of the descriptors.
 */
#include "dispatch/workload.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void dispatch_relay(int from, int to)
{
    uint64_t token;

    if (read(from, &token, sizeof token) != sizeof token || write(to, &token, sizeof token) != sizeof token)
        bench_die("pass the token on");
}

int main(int argc, char **argv)
{
    struct dispatch setup = {0};
    struct bench_watch watch;
    const char *variant;
    bool busy, idle;
    uint64_t turns;

    bench_init(argc, argv);
    variant = bench_arg_text("variant", "dispatch");
    idle = !strcmp(variant, "idle_turns");
    setup.timeouts = !strcmp(variant, "dispatch_timeout");
    setup.relay = !strcmp(variant, "one_event");
    busy = setup.timeouts || setup.relay || !strcmp(variant, "dispatch");
    bench_must(busy || idle || !strcmp(variant, "restart_watcher"), "know this variant");
    setup.count = idle ? 1 : (size_t)bench_arg("count", 64);
    setup.fds = bench_alloc(setup.count, sizeof *setup.fds);
    turns = bench_arg("size", 100000) / setup.count; /* for one_event: rounds of the token */
    bench_must(turns > 0, "make at least one turn");
    bench_descriptors(setup.count + 32);
    for (size_t i = 0; i < setup.count; i++) {
        setup.fds[i] = eventfd(busy && !(setup.relay && i > 0), EFD_CLOEXEC | EFD_NONBLOCK);
        bench_must(setup.fds[i] >= 0, "open an eventfd");
    }
    contender_open(&setup);
    bench_start(&watch);
    if (busy)
        contender_run(turns * setup.count);
    else if (idle)
        contender_idle(turns);
    else
        contender_restart(turns);
    bench_stop(&watch);
    bench_begin(variant);
    bench_per_op(&watch, turns * setup.count);
    bench_end();
    return 0;
}
