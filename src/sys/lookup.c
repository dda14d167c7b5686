/* SPDX-License-Identifier: ISC */
/* Names through the C library, and what its error codes mean.
 *
 * Systems share the codes only in part and do not agree on all of them: the table has each that there is. What says
 * that a name does not exist is told apart from what says that nobody could be asked just now, as programs do different
 * things about the two. */
#include "sys/lookup.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

typedef struct lookup_row {
    int code, err;
} lookup_row;

static const lookup_row lookup_rows[] = {
    {EAI_NONAME, GY_ENONAME},
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
    {EAI_NODATA, GY_ENOADDRESS},
#endif
#ifdef EAI_ADDRFAMILY
    {EAI_ADDRFAMILY, GY_ENOADDRESS},
#endif
    {EAI_SERVICE, GY_ENOSERVICE},
    {EAI_AGAIN, GY_ETRYAGAIN},
    {EAI_FAIL, GY_ERESOLVER},
    {EAI_MEMORY, -ENOMEM},
    {EAI_FAMILY, -EAFNOSUPPORT},
    {EAI_SOCKTYPE, -EPROTOTYPE},
    {EAI_BADFLAGS, -EINVAL},
#ifdef EAI_OVERFLOW
    {EAI_OVERFLOW, -EOVERFLOW},
#endif
};

int gyi_lookup_error(int code, int system) {
    if (code == 0) return 0;
    if (code == EAI_SYSTEM) return system > 0 ? -system : GY_ERESOLVER;
    for (size_t i = 0; i < sizeof lookup_rows / sizeof *lookup_rows; i++)
        if (lookup_rows[i].code == code) return lookup_rows[i].err;
    return GY_ERESOLVER;
}

/* ---- names to addresses ------------------------------------------------------------------------------------------ */

int gyi_lookup_host(gyi_sys *sys, const char *host, const char *service, int family, unsigned flags,
                    struct addrinfo **out) {
    *out = NULL;
    int err = gyi_sys_enter(sys, GYI_SYS_LOOKUP);
    if (err) return err;
    struct addrinfo hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = family;
    /* One kind of socket, or each address comes once for every kind. */
    hints.ai_socktype = flags & GYI_LOOKUP_DATAGRAM ? SOCK_DGRAM : SOCK_STREAM;
    if (flags & GYI_LOOKUP_CANON) hints.ai_flags |= AI_CANONNAME;
    if (flags & GYI_LOOKUP_NUMERIC_HOST) hints.ai_flags |= AI_NUMERICHOST;
    if (flags & GYI_LOOKUP_CONFIGURED) hints.ai_flags |= AI_ADDRCONFIG;
    errno = 0;
    int code = getaddrinfo(host, service, &hints, out);
    if (code) *out = NULL;
    return gyi_lookup_error(code, errno);
}

bool gyi_lookup_next(const struct addrinfo **list, gyi_sockaddr *out) {
    while (*list) {
        const struct addrinfo *one = *list;
        *list = one->ai_next;
        if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
        if (!one->ai_addr || one->ai_addrlen > sizeof out->addr) continue;
        memset(out, 0, sizeof *out);
        memcpy(&out->addr, one->ai_addr, one->ai_addrlen);
        out->len = one->ai_addrlen;
        return true;
    }
    return false;
}

const char *gyi_lookup_canon(const struct addrinfo *list) { return list ? list->ai_canonname : NULL; }

void gyi_lookup_free(struct addrinfo *list) {
    if (list) freeaddrinfo(list);
}

/* ---- addresses to names ------------------------------------------------------------------------------------------ */

/* Some resolvers cut a name to fit and say nothing. One that leaves a byte free was not cut. */
static bool lookup_fits(gy_buf name) { return memchr(name.base, 0, name.len) && strlen(name.base) + 1 < name.len; }

int gyi_lookup_names(gyi_sys *sys, const gyi_sockaddr *addr, unsigned flags, gy_buf host, gy_buf service) {
    int err = gyi_sys_enter(sys, GYI_SYS_LOOKUP);
    if (err) return err;
    int how = 0;
    if (flags & GYI_LOOKUP_NUMERIC_HOST) how |= NI_NUMERICHOST;
    if (flags & GYI_LOOKUP_NUMERIC_PORT) how |= NI_NUMERICSERV;
    if (flags & GYI_LOOKUP_NAMED) how |= NI_NAMEREQD;
    if (flags & GYI_LOOKUP_DATAGRAM) how |= NI_DGRAM;
    errno = 0;
    int code = getnameinfo((const struct sockaddr *)&addr->addr, addr->len, host.base, (socklen_t)host.len,
                           service.base, (socklen_t)service.len, how);
    err = gyi_lookup_error(code, errno);
    return err || (lookup_fits(host) && lookup_fits(service)) ? err : -EOVERFLOW;
}
