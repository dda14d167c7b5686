/* SPDX-License-Identifier: ISC */
/* Multicast: interfaces, groups, and how what is sent to groups leaves.
 *
 * Groups are joined by the calls of RFC 3678, which name the interface by its index for both families. OpenBSD has not
 * got them: there IPv4 names the interface by one of its addresses, and groups cannot be joined for one source. */
#include "sys/dgram.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#ifdef __linux__
enum { CAST_TWICE_IS_UNAVAILABLE = 1 };
#else
enum { CAST_TWICE_IS_UNAVAILABLE = 0 }; /* the BSDs say so too, but also of an interface without groups */
#endif

/* ---- interfaces -------------------------------------------------------------------------------------------------- */

/* The number that a text is; 0 when it is none. */
static unsigned cast_number(const char *text) {
    unsigned value = 0;
    for (; *text >= '0' && *text <= '9' && value < 100000000; text++) value = value * 10 + (unsigned)(*text - '0');
    return *text ? 0 : value;
}

static bool cast_has(const struct ifaddrs *i, const gyi_sockaddr *addr) {
    if (!i->ifa_addr || i->ifa_addr->sa_family != addr->addr.ss_family) return false;
    if (addr->addr.ss_family == AF_INET) {
        struct sockaddr_in a, b;
        memcpy(&a, i->ifa_addr, sizeof a);
        memcpy(&b, &addr->addr, sizeof b);
        return a.sin_addr.s_addr == b.sin_addr.s_addr;
    }
    struct sockaddr_in6 a, b;
    memcpy(&a, i->ifa_addr, sizeof a);
    memcpy(&b, &addr->addr, sizeof b);
    return memcmp(&a.sin6_addr, &b.sin6_addr, sizeof a.sin6_addr) == 0;
}

static void cast_take_v4(const struct ifaddrs *list, const char *name, gyi_dgram_port *out) {
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || strcmp(i->ifa_name, name) != 0) continue;
        struct sockaddr_in in;
        memcpy(&in, i->ifa_addr, sizeof in);
        memcpy(out->v4, &in.sin_addr, sizeof out->v4);
        return;
    }
}

int gyi_dgram_find_port(gyi_sys *sys, const char *name, const gyi_sockaddr *addr, gyi_dgram_port *out) {
    char found[IF_NAMESIZE] = "";
    struct ifaddrs *list;
    int err = gyi_sys_enter(sys, GYI_SYS_NAME);
    if (err) return err;
    if (getifaddrs(&list)) return -errno;
    memset(out, 0, sizeof *out);
    out->index = addr ? 0 : if_nametoindex(name);
    if (!addr && !out->index) out->index = cast_number(name);
    for (const struct ifaddrs *i = list; addr && i && !out->index; i = i->ifa_next)
        if (cast_has(i, addr)) out->index = if_nametoindex(i->ifa_name);
    bool exists = out->index && if_indextoname(out->index, found);
    if (exists) cast_take_v4(list, found, out);
    freeifaddrs(list);
    return exists ? 0 : -ENODEV;
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

#ifdef MCAST_JOIN_GROUP

static bool cast_is_group(const gyi_sockaddr *addr) {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memcpy(&v4, &addr->addr, sizeof v4);
    memcpy(&v6, &addr->addr, sizeof v6);
    if (addr->addr.ss_family == AF_INET) return IN_MULTICAST(ntohl(v4.sin_addr.s_addr));
    return IN6_IS_ADDR_MULTICAST(&v6.sin6_addr);
}

/* Of a group with one source, Linux says "not available" for what is joined already, and "invalid" for what is not
 * joined. In the words that are used for all sources: */
static int cast_source_error(gyi_dgram_member how, const gyi_sockaddr *group, int err) {
    if (CAST_TWICE_IS_UNAVAILABLE && how == GYI_DGRAM_JOIN && err == -EADDRNOTAVAIL) return -EADDRINUSE;
    return how == GYI_DGRAM_LEAVE && err == -EINVAL && cast_is_group(group) ? -EADDRNOTAVAIL : err;
}

int gyi_dgram_group(gyi_sys *sys, int fd, gyi_dgram_member how, const gyi_sockaddr *group, const gyi_sockaddr *source,
                    const gyi_dgram_port *port) {
    int level = group->addr.ss_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    if (source) {
        struct group_source_req r;
        memset(&r, 0, sizeof r);
        r.gsr_interface = port->index;
        memcpy(&r.gsr_group, &group->addr, group->len);
        memcpy(&r.gsr_source, &source->addr, source->len);
        int option = how == GYI_DGRAM_JOIN ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP;
        return cast_source_error(how, group, gyi_dgram_set(sys, fd, level, option, &r, sizeof r));
    }
    struct group_req r;
    memset(&r, 0, sizeof r);
    r.gr_interface = port->index;
    memcpy(&r.gr_group, &group->addr, group->len);
    return gyi_dgram_set(sys, fd, level, how == GYI_DGRAM_JOIN ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &r, sizeof r);
}

#else

int gyi_dgram_group(gyi_sys *sys, int fd, gyi_dgram_member how, const gyi_sockaddr *group, const gyi_sockaddr *source,
                    const gyi_dgram_port *port) {
    if (source) return -ENOTSUP;
    if (group->addr.ss_family == AF_INET) {
        struct ip_mreq r;
        struct sockaddr_in in;
        memcpy(&in, &group->addr, sizeof in);
        r.imr_multiaddr = in.sin_addr;
        memcpy(&r.imr_interface, port->v4, sizeof port->v4);
        int option = how == GYI_DGRAM_JOIN ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
        return gyi_dgram_set(sys, fd, IPPROTO_IP, option, &r, sizeof r);
    }
    struct ipv6_mreq r;
    struct sockaddr_in6 in;
    memcpy(&in, &group->addr, sizeof in);
    r.ipv6mr_multiaddr = in.sin6_addr;
    r.ipv6mr_interface = (__typeof__(r.ipv6mr_interface))port->index;
    int option = how == GYI_DGRAM_JOIN ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP;
    return gyi_dgram_set(sys, fd, IPPROTO_IPV6, option, &r, sizeof r);
}

#endif

/* ---- sending to groups ------------------------------------------------------------------------------------------- */

/* For IPv4 one byte is what every system takes. */
static int cast_set(gyi_sys *sys, int fd, int family, int v4, int v6, int value) {
    unsigned char byte = (unsigned char)value;
    if (family == AF_INET) return gyi_dgram_set(sys, fd, IPPROTO_IP, v4, &byte, sizeof byte);
    int err = gyi_sock_set(sys, fd, IPPROTO_IPV6, v6, value);
    return err ? err : gyi_dgram_other(gyi_dgram_set(sys, fd, IPPROTO_IP, v4, &byte, sizeof byte));
}

int gyi_dgram_cast_ttl(gyi_sys *sys, int fd, int family, int value) {
    return cast_set(sys, fd, family, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, value);
}

int gyi_dgram_cast_loop(gyi_sys *sys, int fd, int family, int value) {
    return cast_set(sys, fd, family, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, value);
}

int gyi_dgram_cast_by(gyi_sys *sys, int fd, int family, const gyi_dgram_port *port) {
    struct in_addr v4;
    memcpy(&v4, port->v4, sizeof v4);
    bool has = v4.s_addr != 0 || !port->index;
    if (family == AF_INET)
        return has ? gyi_dgram_set(sys, fd, IPPROTO_IP, IP_MULTICAST_IF, &v4, sizeof v4) : -EADDRNOTAVAIL;
    int err = gyi_sock_set(sys, fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)port->index);
    if (err || !has) return err;
    return gyi_dgram_other(gyi_dgram_set(sys, fd, IPPROTO_IP, IP_MULTICAST_IF, &v4, sizeof v4));
}
