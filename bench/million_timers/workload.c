/* SPDX-License-Identifier: ISC */
/* Runs the phases and takes the processor time of each.
 *
 * Without `--phase` all are run: insert, restart, cancel, insert again, wait until the last one is due, expire. With
 * `--phase P` only what is needed to get to P is run, and P: so P's instructions are those of this run without those of
 * `--phase insert`, and those of insert without those of `--phase none`, which is how run.py counts them.
 */
#include "million_timers/workload.h"

#include <string.h>
#include <time.h>

size_t timers_left;

enum phase { NONE, INSERT, RESTART, CANCEL, EXPIRE, ALL };

static const char *const names[] = {"none", "insert", "restart", "cancel", "expire", "all"};

static enum phase phase_arg(void)
{
    const char *text = bench_arg_text("phase", "all");

    for (int i = 0; i <= ALL; i++) {
        if (!strcmp(text, names[i]))
            return (enum phase)i;
    }
    bench_die("know this phase");
}

static void fill(int64_t *due, size_t count, int64_t spread, uint64_t seed)
{
    for (size_t i = 0; i < count; i++)
        due[i] = 1000000 + (int64_t)(bench_random(&seed) % (uint64_t)spread);
}

static void sleep_until(int64_t then)
{
    struct timespec ts = {.tv_sec = then / 1000000000, .tv_nsec = then % 1000000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0)
        ;
}

static void report(enum phase phase, struct bench_watch *watch, size_t count)
{
    char name[32];

    bench_stop(watch);
    strcpy(name, names[phase]);
    bench_fact(strcat(name, "_ns"), (double)watch->cpu / (double)count);
}

static void expire(const int64_t *due, size_t count, int64_t spread)
{
    struct bench_watch watch;

    contender_insert(due, count);
    sleep_until(bench_wall() + spread + 20000000);
    timers_left = count;
    bench_start(&watch);
    contender_expire(count);
    report(EXPIRE, &watch, count);
    bench_must(timers_left == 0, "fire each timer exactly once");
}

int main(int argc, char **argv)
{
    struct bench_watch watch;
    int64_t spread, *due, *again;
    enum phase phase;
    size_t count;

    bench_init(argc, argv);
    count = (size_t)bench_arg("size", 1000000);
    spread = (int64_t)bench_arg("spread", 4000) * 1000000;
    phase = phase_arg();
    due = bench_alloc(count, sizeof *due);
    again = bench_alloc(count, sizeof *again);
    fill(due, count, spread, 1);
    fill(again, count, spread, 2);
    bench_begin("million_timers");
    bench_fact("ops", (double)count);
    contender_open(count);
    if (phase != NONE && phase != EXPIRE) {
        bench_start(&watch);
        contender_insert(due, count);
        report(INSERT, &watch, count);
    }
    if (phase == RESTART || phase == ALL) {
        bench_start(&watch);
        contender_restart(again, count);
        report(RESTART, &watch, count);
    }
    if (phase == CANCEL || phase == ALL) {
        bench_start(&watch);
        contender_cancel(count);
        report(CANCEL, &watch, count);
    }
    if (phase == EXPIRE || phase == ALL)
        expire(due, count, spread);
    bench_end();
    return 0;
}
