/* SPDX-License-Identifier: ISC */
/* Ties: what has to end with an emitter, or with listeners of it, and is known to the emitter for that reason only.
 *
 * A queued emission is tied, and so is whoever waits for an event above this floor: a fiber, a promise. The emitter
 * does not know what they are; it tells them that it is being closed, or that gy_off_all() has been at work, which a
 * listener of their own cannot notice.
 *
 * When the emitter is being closed, nothing may be called that belongs to the program, since the memory may go as soon
 * as that is done. After gy_off_all() it may: who has lost one of two listeners takes the other one off, and handlers
 * of "removeListener" hear of it and do what they like. So the walk begins again after everybody who says so. */
#include "emitter/emitter.h"

void gyi_tie_to(gy_emitter *emitter, gyi_tie *tie, bool (*told)(gyi_tie *, int how)) {
    gyi_tie *head = emitter->priv.ties;
    tie->told = told;
    tie->next = head;
    tie->prev = &emitter->priv.ties;
    if (head) head->prev = &tie->next;
    emitter->priv.ties = tie;
}

void gyi_untie(gyi_tie *tie) {
    if (!tie->prev) return;
    *tie->prev = tie->next;
    if (tie->next) tie->next->prev = tie->prev;
    tie->next = NULL;
    tie->prev = NULL;
}

void gyi_ties_cut(gy_emitter *emitter) {
    while (emitter->priv.ties) {
        gyi_tie *tie = emitter->priv.ties;
        gyi_untie(tie);
        (void)tie->told(tie, GYI_TIE_CLOSED);
    }
}

void gyi_ties_tell(gy_emitter *emitter) {
    gyi_emit guard;
    gyi_emit_push(&guard, emitter, NULL);
    for (gyi_tie *tie = emitter->priv.ties, *next; tie; tie = next) {
        next = tie->next;
        if (!tie->told(tie, GYI_TIE_OFF)) continue;
        if (!guard.emitter) return;
        next = emitter->priv.ties;
    }
    (void)gyi_emit_pop(&guard);
}
