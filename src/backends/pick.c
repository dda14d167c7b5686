/* SPDX-License-Identifier: ISC */
/* Which backend: the one asked for, else the one that the environment names, else the best that was built. Where only
 * one was built, as for a small device, the environment is not asked. */
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"

const gyi_backend *const gyi_backends[] = {
#if defined(GYI_HAVE_EPOLL) && GYI_HAVE_EPOLL
    &gyi_backend_epoll,
#endif
#if defined(GYI_HAVE_KQUEUE) && GYI_HAVE_KQUEUE
    &gyi_backend_kqueue,
#endif
#if !defined(GYI_HAVE_POLL) || GYI_HAVE_POLL
    &gyi_backend_poll,
#endif
#if !defined(GYI_HAVE_SIM) || GYI_HAVE_SIM
    &gyi_backend_sim,
#endif
    NULL,
};

const gyi_backend *gyi_backend_find(const char *name) {
    if (!name && gyi_backends[1]) name = getenv("GYRE_BACKEND");
    if (!name || !*name) return gyi_backends[0];
    for (const gyi_backend *const *b = gyi_backends; *b; b++)
        if (strcmp((*b)->name, name) == 0) return *b;
    return NULL;
}
