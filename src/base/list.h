/* SPDX-License-Identifier: ISC */
/* The intrusive list under the callback queue and every registry of the loop: a ring of gyi_entry whose head is an
 * entry that is never run. An entry knows whether it is on a list (`next` is NULL when it is not), so taking it off is
 * safe at any time and needs no list at hand. */
#ifndef GYI_BASE_LIST_H
#define GYI_BASE_LIST_H

#include <stdbool.h>

#include "gyre/base.h"

typedef struct gyi_entry gyi_entry;

static inline void gyi_list_init(gyi_entry *list) {
    list->next = list->prev = list;
    list->run = NULL;
}

static inline bool gyi_list_empty(const gyi_entry *list) { return list->next == list; }

static inline bool gyi_entry_listed(const gyi_entry *entry) { return entry->next != NULL; }

static inline void gyi_list_append(gyi_entry *list, gyi_entry *entry) {
    gyi_entry *last = list->prev;
    entry->next = list;
    entry->prev = last;
    last->next = entry;
    list->prev = entry;
}

/* Takes an entry off the list that it is on. */
static inline void gyi_list_remove(gyi_entry *entry) {
    gyi_entry *next = entry->next, *prev = entry->prev;
    prev->next = next;
    next->prev = prev;
    entry->next = NULL;
}

/* Takes the first entry of a list that is not empty. */
static inline gyi_entry *gyi_list_take(gyi_entry *list) {
    gyi_entry *entry = list->next, *next = entry->next;
    list->next = next;
    next->prev = list;
    entry->next = NULL;
    return entry;
}

/* Appends all of `from`, in order, and leaves it empty. */
static inline void gyi_list_splice(gyi_entry *list, gyi_entry *from) {
    if (gyi_list_empty(from)) return;
    gyi_entry *first = from->next, *last = from->prev;
    first->prev = list->prev;
    list->prev->next = first;
    last->next = list;
    list->prev = last;
    gyi_list_init(from);
}

/* Whether the ring is whole: every neighbour agrees and the head is met again. For tests. */
static inline bool gyi_list_check(const gyi_entry *list) {
    const gyi_entry *e = list;
    do {
        if (!e->next || e->next->prev != e) return false;
        e = e->next;
    } while (e != list);
    return true;
}

#endif
