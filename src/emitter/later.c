/* SPDX-License-Identifier: ISC */
/* Queued emits: a record of the caller's on the callback queue of a loop, and on a list of its emitter, so that closing
 * the emitter can take it off the queue again.
 *
 * A record is idle (`prev` is NULL) or queued, nothing else: it is idle before the first listener runs, so there is no
 * state to keep while they do. It does not own the payload, and nobody is told when an emission ends.
 *
 * It goes through the queue as an immediate does, behind the events of the turn. Were it put at the end of the queue
 * itself, a listener that queues its own event again would keep the queue from ending and the loop from polling. */
#include <errno.h>

#include "emitter/emitter.h"

static void later_link(gy_emission *emission, gy_emitter *emitter) {
    gy_emission *head = emitter->priv.emissions;
    emission->priv.next = head;
    emission->priv.prev = &emitter->priv.emissions;
    if (head) head->priv.prev = &emission->priv.next;
    emitter->priv.emissions = emission;
}

static void later_unlink(gy_emission *emission) {
    gy_emission *next = emission->priv.next;
    *emission->priv.prev = next;
    if (next) next->priv.prev = emission->priv.prev;
    emission->priv.next = NULL;
    emission->priv.prev = NULL;
}

/* The job is idle again, and so is the emission, before anybody is called. */
static void later_run(gy_job *job) {
    gy_emission *emission = GY_OF(job, gy_emission, priv.job);
    later_unlink(emission);
    (void)gy_emit(emission->emitter, emission->name, emission->payload);
}

static void later_drop(gy_emission *emission) {
    later_unlink(emission);
    (void)gy_job_cancel(&emission->priv.job);
}

int gy_emit_later(gy_loop *loop, gy_emitter *emitter, const char *name, gy_emission *emission, const void *payload) {
    if (!name) return -EINVAL;
    if (emission->priv.prev) {
        bool same =
            emission->priv.job.loop == loop && emission->emitter == emitter && gyi_event_same(emission->name, name);
        if (!same) return -EALREADY;
        emission->payload = payload;
        return 1;
    }
    emission->emitter = emitter;
    emission->name = name;
    emission->payload = payload;
    later_link(emission, emitter);
    gy_immediate(loop, &emission->priv.job, later_run);
    return 0;
}

bool gy_emission_cancel(gy_emission *emission) {
    if (!emission->priv.prev) return false;
    later_drop(emission);
    return true;
}

bool gy_emission_active(const gy_emission *emission) { return emission->priv.prev != NULL; }

void gyi_emissions_cancel(gy_emitter *emitter) {
    while (emitter->priv.emissions) later_drop(emitter->priv.emissions);
}
