/* SPDX-License-Identifier: ISC */
/* Endpoints: addresses in 32 bytes, in the system's own form, so that they are handed to the kernel and taken from it
 * without being turned into anything.
 *
 * On a socket of IPv6 the kernel writes IPv4 addresses as ::ffff:a.b.c.d. That is undone for what is received and done
 * for what is sent, so that a peer has one address, whatever kind of socket it is talked to by. */
#include "net/udp.h"

#include <netinet/in.h>
#include <string.h>

#include "net/addr.h"

_Static_assert(sizeof(struct sockaddr_in6) <= GYI_DGRAM_NAME && sizeof(struct sockaddr_in) <= GYI_DGRAM_NAME &&
                   GYI_DGRAM_NAME == sizeof((gy_endpoint *)0)->priv.raw,
               "both families fit");

static const unsigned char endpoint_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void gyi_endpoint_from(gy_endpoint *out, const gyi_sockaddr *addr) {
    memset(out, 0, sizeof *out);
    if (addr->len > sizeof out->priv.raw) return;
    out->priv.len = addr->len;
    memcpy(out->priv.raw, &addr->addr, addr->len);
}

void gyi_endpoint_to(const gy_endpoint *e, gyi_sockaddr *out) {
    memset(out, 0, sizeof *out);
    if (e->priv.len > sizeof e->priv.raw) return;
    out->len = e->priv.len;
    memcpy(&out->addr, e->priv.raw, e->priv.len);
}

int gyi_endpoint_family(const gy_endpoint *e) {
    struct sockaddr head;
    size_t least = offsetof(struct sockaddr, sa_data);
    if (e->priv.len < least) return 0;
    memcpy(&head, e->priv.raw, sizeof head);
    if (head.sa_family == AF_INET && e->priv.len >= sizeof(struct sockaddr_in)) return AF_INET;
    return head.sa_family == AF_INET6 && e->priv.len >= sizeof(struct sockaddr_in6) ? AF_INET6 : 0;
}

static struct sockaddr_in endpoint_in4(const gy_endpoint *e) {
    struct sockaddr_in in;
    memcpy(&in, e->priv.raw, sizeof in);
    return in;
}

static struct sockaddr_in6 endpoint_in6(const gy_endpoint *e) {
    struct sockaddr_in6 in;
    memcpy(&in, e->priv.raw, sizeof in);
    return in;
}

/* An address of either family with everything else empty, the length byte of the BSDs as gyi_addr_parse() leaves it. */
static void endpoint_set(gy_endpoint *out, int family, const void *host, in_port_t port) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = port};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = port};
    memset(out, 0, sizeof *out);
    if (family == AF_INET) {
        memcpy(&v4.sin_addr, host, 4);
        memcpy(out->priv.raw, &v4, sizeof v4);
        out->priv.len = sizeof v4;
    } else {
        memcpy(&v6.sin6_addr, host, 16);
        memcpy(out->priv.raw, &v6, sizeof v6);
        out->priv.len = sizeof v6;
    }
}

void gyi_endpoint_host(gy_endpoint *out, int family, const unsigned char *bytes) {
    endpoint_set(out, family, bytes, 0);
    gyi_endpoint_plain(out);
}

int gyi_endpoint_for(int family, const gy_endpoint *e, gy_endpoint *out) {
    int own = gyi_endpoint_family(e);
    if (!own) return -EINVAL;
    if (own == family) {
        *out = *e;
        return 0;
    }
    if (own == AF_INET6) return -EAFNOSUPPORT;
    struct sockaddr_in in = endpoint_in4(e);
    unsigned char host[16];
    memcpy(host, endpoint_prefix, 12);
    memcpy(host + 12, &in.sin_addr, 4);
    endpoint_set(out, AF_INET6, host, in.sin_port);
    return 0;
}

void gyi_endpoint_plain(gy_endpoint *e) {
    if (gyi_endpoint_family(e) != AF_INET6) return;
    struct sockaddr_in6 in = endpoint_in6(e);
    const unsigned char *host = (const unsigned char *)&in.sin6_addr;
    if (memcmp(host, endpoint_prefix, sizeof endpoint_prefix) == 0) endpoint_set(e, AF_INET, host + 12, in.sin6_port);
}

int gyi_endpoint_parse_host(const char *text, gyi_sockaddr *out) {
    char with[80];
    size_t len = strlen(text);
    bool bare = text[0] != '[' && strchr(text, ':');
    if (len > sizeof with - 5 || text[0] == '*') return GY_EADDRESS;
    char *p = with;
    if (bare) *p++ = '[';
    memcpy(p, text, len);
    p += len;
    if (bare) *p++ = ']';
    memcpy(p, ":0", 3);
    return gyi_addr_parse(with, out);
}

/* ---- public ------------------------------------------------------------------------------------------------------ */

int gy_endpoint_parse(gy_endpoint *out, const char *text) {
    gyi_sockaddr addr;
    if (!text) return GY_EADDRESS;
    int err = gyi_addr_parse(text, &addr);
    if (!err) gyi_endpoint_from(out, &addr);
    return err;
}

void gy_endpoint_text(const gy_endpoint *e, gy_addr *out) {
    gyi_sockaddr addr;
    gyi_endpoint_to(e, &addr);
    gyi_addr_format(&addr, out);
}

unsigned gy_endpoint_port(const gy_endpoint *e) {
    int family = gyi_endpoint_family(e);
    return family == AF_INET ? ntohs(endpoint_in4(e).sin_port) : family ? ntohs(endpoint_in6(e).sin6_port) : 0;
}

bool gy_endpoint_equal(const gy_endpoint *a, const gy_endpoint *b) {
    int family = gyi_endpoint_family(a);
    if (family != gyi_endpoint_family(b)) return false;
    if (family == AF_INET) {
        struct sockaddr_in x = endpoint_in4(a), y = endpoint_in4(b);
        return x.sin_port == y.sin_port && x.sin_addr.s_addr == y.sin_addr.s_addr;
    }
    if (family == 0) return true;
    struct sockaddr_in6 x = endpoint_in6(a), y = endpoint_in6(b);
    return x.sin6_port == y.sin6_port && x.sin6_scope_id == y.sin6_scope_id &&
           memcmp(&x.sin6_addr, &y.sin6_addr, sizeof x.sin6_addr) == 0;
}
