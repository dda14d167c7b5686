/* SPDX-License-Identifier: ISC */
/* Options of udp sockets, and multicast groups. */
#include "net/udp.h"

#include <netinet/in.h>
#include <string.h>

static bool option_fits(gy_udp_opt option, int value) {
    switch (option) {
    case GY_UDP_TTL: return value >= 1 && value <= 255;
    case GY_UDP_TOS:
    case GY_UDP_MULTICAST_TTL: return value >= 0 && value <= 255;
    case GY_UDP_BROADCAST:
    case GY_UDP_DONT_FRAGMENT:
    case GY_UDP_MULTICAST_LOOP: return value == 0 || value == 1;
    case GY_UDP_SEND_BUFFER:
    case GY_UDP_RECV_BUFFER: return value > 0;
    }
    return false;
}

int gy_udp_set(gy_udp *u, gy_udp_opt option, int value) {
    if (!gyi_udp_usable(u)) return GY_ECLOSED;
    if (!option_fits(option, value)) return -EINVAL;
    gyi_sys *sys = &u->loop->sys;
    int fd = u->priv.fd, family = gyi_udp_family(u);
    switch (option) {
    case GY_UDP_TTL: return gyi_dgram_set_ttl(sys, fd, family, value);
    case GY_UDP_TOS: return gyi_dgram_set_tos(sys, fd, family, value);
    case GY_UDP_BROADCAST: return gyi_sock_set(sys, fd, SOL_SOCKET, SO_BROADCAST, value);
    case GY_UDP_DONT_FRAGMENT: return gyi_dgram_set_whole(sys, fd, family, value);
    case GY_UDP_MULTICAST_TTL: return gyi_dgram_cast_ttl(sys, fd, family, value);
    case GY_UDP_MULTICAST_LOOP: return gyi_dgram_cast_loop(sys, fd, family, value);
    case GY_UDP_SEND_BUFFER: return gyi_sock_set(sys, fd, SOL_SOCKET, SO_SNDBUF, value);
    case GY_UDP_RECV_BUFFER: return gyi_sock_set(sys, fd, SOL_SOCKET, SO_RCVBUF, value);
    }
    return -EINVAL;
}

/* ---- multicast --------------------------------------------------------------------------------------------------- */

/* An interface by name, number or address. */
static int option_port(gy_udp *u, const char *text, gyi_dgram_port *out) {
    gyi_sockaddr addr;
    memset(out, 0, sizeof *out);
    if (!text) return 0;
    bool is_addr = gyi_endpoint_parse_host(text, &addr) == 0;
    return gyi_dgram_find_port(&u->loop->sys, text, is_addr ? &addr : NULL, out);
}

static int option_member(gy_udp *u, gyi_dgram_member how, gy_udp_group g) {
    gyi_sockaddr group, source;
    gyi_dgram_port port;
    if (!gyi_udp_usable(u)) return GY_ECLOSED;
    if (!g.group) return -EINVAL;
    int err = gyi_endpoint_parse_host(g.group, &group);
    if (!err && g.source) err = gyi_endpoint_parse_host(g.source, &source);
    if (err) return err;
    if (g.source && source.addr.ss_family != group.addr.ss_family) return -EINVAL;
    if (group.addr.ss_family == AF_INET6 && !gyi_udp_is(u, GYI_UDP_V6)) return -EAFNOSUPPORT;
    err = option_port(u, g.interface, &port);
    if (err) return err;
    return gyi_dgram_group(&u->loop->sys, u->priv.fd, how, &group, g.source ? &source : NULL, &port);
}

int gy_udp_join(gy_udp *udp, gy_udp_group group) { return option_member(udp, GYI_DGRAM_JOIN, group); }

int gy_udp_leave(gy_udp *udp, gy_udp_group group) { return option_member(udp, GYI_DGRAM_LEAVE, group); }

int gy_udp_multicast_by(gy_udp *u, const char *interface) {
    gyi_dgram_port port;
    if (!gyi_udp_usable(u)) return GY_ECLOSED;
    int err = option_port(u, interface, &port);
    return err ? err : gyi_dgram_cast_by(&u->loop->sys, u->priv.fd, gyi_udp_family(u), &port);
}
