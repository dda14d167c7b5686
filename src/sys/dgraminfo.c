/* SPDX-License-Identifier: ISC */
/* What stands in a datagram's head beside its addresses: asking for it, reading it from the control messages, and
 * setting it for what is sent. The systems agree on IPv6 and differ on IPv4, where the names below say how.
 *
 * A socket for IPv6 may carry IPv4 too, with IPv4's options; what it does not take of them is ignored, because it may
 * carry IPv6 only. */
#ifdef __APPLE__
#define __APPLE_USE_RFC_3542 1 /* without it, IPV6_PKTINFO is another */
#endif
#include "sys/dgram.h"

#include <netinet/in.h>
#include <string.h>

/* Linux answers with the name of the option that sets a value, the BSDs with that of the option that asked for it. */
#ifdef __linux__
enum { INFO_ASK_LOCAL = IP_PKTINFO, INFO_TTL = IP_TTL, INFO_TOS = IP_TOS };
#elif defined(IP_PKTINFO) && defined(IP_RECVPKTINFO)
enum { INFO_ASK_LOCAL = IP_RECVPKTINFO, INFO_TTL = IP_RECVTTL };
#elif defined(IP_PKTINFO)
enum { INFO_ASK_LOCAL = IP_PKTINFO, INFO_TTL = IP_RECVTTL };
#else
enum { INFO_ASK_LOCAL = IP_RECVDSTADDR, INFO_TTL = IP_RECVTTL };
#endif

#ifdef __linux__
enum { INFO_SEGMENT = 104 }; /* UDP_GRO, which older headers have not */
#else
enum { INFO_SEGMENT = -1 };
#endif

#ifdef IP_RECVTOS
enum { INFO_ASK_TOS = IP_RECVTOS };
#ifndef __linux__
enum { INFO_TOS = IP_RECVTOS };
#endif
#else
enum { INFO_ASK_TOS = -1, INFO_TOS = -1 }; /* NetBSD, OpenBSD: IPv6 only */
#endif

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static int info_ask4(gyi_sys *sys, int fd, unsigned info) {
    int err = 0;
    if (info & GYI_DGRAM_LOCAL) err = gyi_sock_set(sys, fd, IPPROTO_IP, INFO_ASK_LOCAL, 1);
    if (!err && (info & GYI_DGRAM_HOPS)) err = gyi_sock_set(sys, fd, IPPROTO_IP, IP_RECVTTL, 1);
    if (!err && (info & GYI_DGRAM_CLASS)) {
        if (INFO_ASK_TOS < 0) err = -ENOTSUP;
        else err = gyi_sock_set(sys, fd, IPPROTO_IP, INFO_ASK_TOS, 1);
    }
    return err;
}

static int info_ask6(gyi_sys *sys, int fd, unsigned info) {
    int err = 0;
    if (info & GYI_DGRAM_LOCAL) err = gyi_sock_set(sys, fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    if (!err && (info & GYI_DGRAM_HOPS)) err = gyi_sock_set(sys, fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    if (!err && (info & GYI_DGRAM_CLASS)) err = gyi_sock_set(sys, fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    return err;
}

int gyi_dgram_ask(gyi_sys *sys, int fd, int family, unsigned info) {
    if (family == AF_INET) return info_ask4(sys, fd, info);
    int err = info_ask6(sys, fd, info);
    return err ? err : gyi_dgram_other(info_ask4(sys, fd, info));
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void info_local(gyi_dgram_info *out, int family, const void *addr, unsigned interface) {
    out->family = family;
    memcpy(out->local, addr, family == AF_INET ? 4 : 16);
    out->interface = interface;
}

#ifdef IP_PKTINFO
static bool info_local4(const struct cmsghdr *c, gyi_dgram_info *out) {
    struct in_pktinfo p;
    if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO) return false;
    memcpy(&p, CMSG_DATA(c), sizeof p);
    info_local(out, AF_INET, &p.ipi_addr, (unsigned)p.ipi_ifindex);
    return true;
}
#else
static bool info_local4(const struct cmsghdr *c, gyi_dgram_info *out) {
    if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVDSTADDR) return false;
    info_local(out, AF_INET, CMSG_DATA(c), 0);
    return true;
}
#endif

static bool info_local6(const struct cmsghdr *c, gyi_dgram_info *out) {
    struct in6_pktinfo p;
    if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO) return false;
    memcpy(&p, CMSG_DATA(c), sizeof p);
    /* IPv4 on an IPv6 socket: the message of its own family says it better, wherever it stands. */
    if (out->family != AF_INET) info_local(out, AF_INET6, &p.ipi6_addr, (unsigned)p.ipi6_ifindex);
    return true;
}

/* A number that is one byte on some systems and an int on others. */
static int16_t info_number(const struct cmsghdr *c) {
    int value;
    if (c->cmsg_len < CMSG_LEN(sizeof value)) return *CMSG_DATA(c);
    memcpy(&value, CMSG_DATA(c), sizeof value);
    return (int16_t)(value & 255);
}

static unsigned info_whole(const struct cmsghdr *c) {
    int value = 0;
    if (c->cmsg_len >= CMSG_LEN(sizeof value)) memcpy(&value, CMSG_DATA(c), sizeof value);
    return value > 0 ? (unsigned)value : 0;
}

void gyi_dgram_read_info(struct msghdr *msg, gyi_dgram_info *out) {
    memset(out, 0, sizeof *out);
    out->ttl = out->tos = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (info_local4(c, out) || info_local6(c, out)) continue;
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == (int)INFO_SEGMENT) out->segment = info_whole(c);
        bool v4 = c->cmsg_level == IPPROTO_IP, v6 = c->cmsg_level == IPPROTO_IPV6;
        if ((v4 && c->cmsg_type == (int)INFO_TTL) || (v6 && c->cmsg_type == IPV6_HOPLIMIT)) out->ttl = info_number(c);
        if ((v4 && c->cmsg_type == (int)INFO_TOS) || (v6 && c->cmsg_type == IPV6_TCLASS)) out->tos = info_number(c);
    }
}

/* ---- the address to send from ------------------------------------------------------------------------------------ */

static size_t info_write(void *to, int level, int type, const void *value, size_t len) {
    struct cmsghdr *c = to;
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = (__typeof__(c->cmsg_len))CMSG_LEN(len);
    memcpy(CMSG_DATA(c), value, len);
    return CMSG_SPACE(len);
}

#if defined(__linux__) || defined(__APPLE__)
static size_t info_write4(void *to, const struct in_addr *addr) {
    struct in_pktinfo p;
    memset(&p, 0, sizeof p);
    p.ipi_spec_dst = *addr;
    return info_write(to, IPPROTO_IP, IP_PKTINFO, &p, sizeof p);
}
#elif defined(IP_SENDSRCADDR)
static size_t info_write4(void *to, const struct in_addr *addr) {
    return info_write(to, IPPROTO_IP, IP_SENDSRCADDR, addr, sizeof *addr);
}
#elif defined(IP_PKTINFO)
static size_t info_write4(void *to, const struct in_addr *addr) {
    struct in_pktinfo p;
    memset(&p, 0, sizeof p);
    p.ipi_addr = *addr;
    return info_write(to, IPPROTO_IP, IP_PKTINFO, &p, sizeof p);
}
#else
static size_t info_write4(void *to, const struct in_addr *addr) {
    return info_write(to, IPPROTO_IP, IP_RECVDSTADDR, addr, sizeof *addr);
}
#endif

size_t gyi_dgram_write_from(const void *from, void *to) {
    struct sockaddr head;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct in6_pktinfo p;
    memcpy(&head, from, sizeof head);
    if (head.sa_family == AF_INET) {
        memcpy(&v4, from, sizeof v4);
        return info_write4(to, &v4.sin_addr);
    }
    memcpy(&v6, from, sizeof v6);
    memset(&p, 0, sizeof p);
    p.ipi6_addr = v6.sin6_addr;
    p.ipi6_ifindex = (__typeof__(p.ipi6_ifindex))v6.sin6_scope_id;
    return info_write(to, IPPROTO_IPV6, IPV6_PKTINFO, &p, sizeof p);
}

/* ---- setting ----------------------------------------------------------------------------------------------------- */

/* One value that has a name for each family. */
static int info_set(gyi_sys *sys, int fd, int family, int v4, int v6, int value) {
    if (family == AF_INET) return gyi_sock_set(sys, fd, IPPROTO_IP, v4, value);
    int err = gyi_sock_set(sys, fd, IPPROTO_IPV6, v6, value);
    return err ? err : gyi_dgram_other(gyi_sock_set(sys, fd, IPPROTO_IP, v4, value));
}

int gyi_dgram_set_ttl(gyi_sys *sys, int fd, int family, int value) {
    return info_set(sys, fd, family, IP_TTL, IPV6_UNICAST_HOPS, value);
}

int gyi_dgram_set_tos(gyi_sys *sys, int fd, int family, int value) {
    return info_set(sys, fd, family, IP_TOS, IPV6_TCLASS, value);
}

#if defined(IP_MTU_DISCOVER)
int gyi_dgram_set_whole(gyi_sys *sys, int fd, int family, int value) {
    int how = value ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT; /* IPv6 has the same numbers */
    return info_set(sys, fd, family, IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, how);
}
#elif defined(IP_DONTFRAG)
int gyi_dgram_set_whole(gyi_sys *sys, int fd, int family, int value) {
    return info_set(sys, fd, family, IP_DONTFRAG, IPV6_DONTFRAG, value);
}
#else
int gyi_dgram_set_whole(gyi_sys *sys, int fd, int family, int value) {
    if (family == AF_INET) return -ENOTSUP;
    return gyi_sock_set(sys, fd, IPPROTO_IPV6, IPV6_DONTFRAG, value);
}
#endif
