/* SPDX-License-Identifier: ISC */
/* Who waits for a request.
 *
 * A handle's `user` points to the waiter while there is one, and the waiter has kept what was there before. One handle
 * can have several, a stream with a read and a close for instance; they form a chain and differ in their kind:
 *
 *     stream.user --> waiter: close --> waiter: read --> what the program had there
 *
 * The waiter lies in the memory of who waits: in the node of a promise (request.c) or in a coroutine (coro.c). It knows
 * neither, but a function to be called. */
#ifndef GYI_TASK_WAITER_H
#define GYI_TASK_WAITER_H

#include "gyre/request.h"

typedef struct gyi_waiter gyi_waiter;

/* Puts a waiter on a handle, in front. `settle` is set. */
static inline void gyi_waiter_add(gyi_waiter *waiter, const gy_request_kind *kind, void **user) {
    waiter->kind = kind;
    waiter->user = user;
    waiter->before = *user;
    *user = waiter;
}

/* Takes a waiter off its handle, wherever it is in the chain. */
void gyi_waiter_remove(gyi_waiter *waiter);

#endif
