/* SPDX-License-Identifier: ISC */
/* The C library's resolver: names to addresses and back. Both calls may take minutes.
 *
 * lookup.c is the only file of the library that refers to getaddrinfo() and getnameinfo(), which in a static program
 * bring much along (and with glibc a linker's warning, because they load further libraries at run time): who uses no
 * names does not link it. */
#ifndef GYI_SYS_LOOKUP_H
#define GYI_SYS_LOOKUP_H

#include "sys/sock.h"

struct addrinfo;

enum { /* flags of both */
    GYI_LOOKUP_CANON        = 1,  /* ask for the canonical name too */
    GYI_LOOKUP_NUMERIC_HOST = 2,  /* only what needs no resolver */
    GYI_LOOKUP_CONFIGURED   = 4,  /* only families that this machine has an address of */
    GYI_LOOKUP_DATAGRAM     = 8,  /* services of udp instead of tcp */
    GYI_LOOKUP_NUMERIC_PORT = 16, /* the service as a number */
    GYI_LOOKUP_NAMED        = 32  /* an address without a name is an error */
};

/* The addresses of a name, in the order of preference (RFC 6724), each once. `service` may be NULL: port 0.
 * @return 0 with a list in `*out` that gyi_lookup_free() frees; GY_ENONAME ... or -errno, with `*out` NULL. */
int gyi_lookup_host(gyi_sys *sys, const char *host, const char *service, int family, unsigned flags,
                    struct addrinfo **out);

/* The next internet address of a list, which moves on; false at its end. */
bool gyi_lookup_next(const struct addrinfo **list, gyi_sockaddr *out);

/* The canonical name that came with a list, or NULL. */
const char *gyi_lookup_canon(const struct addrinfo *list);

/* NULL is ignored. */
void gyi_lookup_free(struct addrinfo *list);

/* The names of an address. -EOVERFLOW: one of them may not have fitted, which includes one that fits exactly. */
int gyi_lookup_names(gyi_sys *sys, const gyi_sockaddr *addr, unsigned flags, gy_buf host, gy_buf service);

/* A code of the resolver (EAI_...) in the words of this library; `system` is the errno that goes with EAI_SYSTEM. */
int gyi_lookup_error(int code, int system);

#endif
