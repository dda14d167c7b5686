/* SPDX-License-Identifier: ISC */
/* The consumer's half of the inbox: taking the stack and turning it round. */
#include "base/inbox.h"

unsigned gyi_inbox_take(gyi_inbox *inbox, gyi_entry *list) {
    gyi_entry *e = atomic_exchange_explicit(&inbox->top, NULL, memory_order_acquire);
    if (!e) return 0;
    /* The stack has the newest first: putting each one before the last that was put makes it the oldest first. */
    gyi_entry *before = list, *tail = list->prev;
    unsigned count = 0;
    while (e != (gyi_entry *)(void *)inbox) {
        gyi_entry *older = e->next;
        e->next = before;
        before->prev = e;
        before = e;
        e = older;
        count++;
    }
    tail->next = before;
    before->prev = tail;
    return count;
}
