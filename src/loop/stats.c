/* SPDX-License-Identifier: ISC */
/* Metrics: what is counted elsewhere, put together for reading. What can be derived is derived here, so that counting
 * costs the turn as little as possible. */
#include "loop/loop.h"

gy_ns gy_histogram_percentile(const gy_histogram *h, double percent) {
    uint64_t total = 0, seen = 0;
    for (int i = 0; i < 24; i++) total += h->bucket[i];
    if (!total) return 0;
    double want = (double)total * (percent < 0 ? 0 : percent > 100 ? 100 : percent) / 100;
    for (int i = 0; i < 23; i++) {
        seen += h->bucket[i];
        if (seen && (double)seen >= want) return (gy_ns)(UINT64_C(1024) << i);
    }
    return GY_FOREVER;
}

static unsigned stats_length(const gyi_entry *list) {
    unsigned n = 0;
    for (const gyi_entry *e = list->next; e != list; e = e->next) n++;
    return n;
}

void gy_loop_stats_get(const gy_loop *l, gy_loop_stats *out) {
    const gyi_stats *s = &l->stats;
    const gyi_queue *q = &l->queue;
    *out = (gy_loop_stats){
        .turns = s->turns,
        .io = s->io,
        .timers = s->timers,
        .posts = s->posts,
        .jobs = gyi_queue_jobs(q),
        .hooks = s->hooks,
        .signals = s->signals,
        .callbacks = s->io + s->timers + s->posts + s->hooks + s->signals + gyi_queue_jobs(q),
        .stale = s->stale,
        .waiting = s->waiting,
        .busy = s->busy,
        .lag = s->lag,
        .lateness = s->lateness,
        .queued = stats_length(&q->events) - gyi_entry_listed(&q->drain) - gyi_entry_listed(&q->halt),
        .queued_max = s->queued_max,
        .jobs_queued = stats_length(&q->ticks) + stats_length(&q->micros),
        .active = l->active,
        .timers_active = (unsigned)l->wheel.count,
        .waits = l->sys.count[GYI_SYS_WAIT],
        .changes = l->sys.count[GYI_SYS_CHANGE],
        .wakeups = atomic_load_explicit(&l->wakeups, memory_order_relaxed),
    };
    out->syscalls = out->wakeups;
    for (int i = 0; i < GYI_SYS_KINDS; i++) out->syscalls += l->sys.count[i];
}
