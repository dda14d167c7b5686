/* SPDX-License-Identifier: ISC */
/* Queued emits: a record of the caller's on the callback queue of a loop, and tied to its emitter, so that closing the
 * emitter can take it off the queue again.
 *
 * A record is idle (tied to no emitter) or queued, nothing else: it is idle before the first listener runs, so there is
 * no state to keep while they do. It does not own the payload, and nobody is told when an emission ends.
 *
 * It goes through the queue as an immediate does, behind the events of the turn. Were it put at the end of the queue
 * itself, a listener that queues its own event again would keep the queue from ending and the loop from polling. */
#include <errno.h>

#include "emitter/emitter.h"

/* Of the emitter's, only its end is of interest. */
static bool later_told(gyi_tie *tie, int how) {
    if (how == GYI_TIE_CLOSED) (void)gy_job_cancel(&GY_OF(tie, gy_emission, priv.tie)->priv.job);
    return false;
}

/* The job is idle again, and so is the emission, before anybody is called. */
static void later_run(gy_job *job) {
    gy_emission *emission = GY_OF(job, gy_emission, priv.job);
    gyi_untie(&emission->priv.tie);
    (void)gy_emit(emission->emitter, emission->name, emission->payload);
}

int gy_emit_later(gy_loop *loop, gy_emitter *emitter, const char *name, gy_emission *emission, const void *payload) {
    if (!name) return -EINVAL;
    if (gyi_tied(&emission->priv.tie)) {
        bool same =
            emission->priv.job.loop == loop && emission->emitter == emitter && gyi_event_same(emission->name, name);
        if (!same) return -EALREADY;
        emission->payload = payload;
        return 1;
    }
    emission->emitter = emitter;
    emission->name = name;
    emission->payload = payload;
    gyi_tie_to(emitter, &emission->priv.tie, later_told);
    gy_immediate(loop, &emission->priv.job, later_run);
    return 0;
}

bool gy_emission_cancel(gy_emission *emission) {
    if (!gyi_tied(&emission->priv.tie)) return false;
    gyi_untie(&emission->priv.tie);
    (void)gy_job_cancel(&emission->priv.job);
    return true;
}

bool gy_emission_active(const gy_emission *emission) { return gyi_tied(&emission->priv.tie); }

bool gyi_emission_check(const gy_emitter *emitter, const gyi_tie *tie) {
    if (tie->told != later_told) return true;
    const gy_emission *e = (const gy_emission *)(const void *)((const char *)tie - offsetof(gy_emission, priv.tie));
    return e->emitter == emitter && e->name && e->priv.job.priv.entry.next;
}
