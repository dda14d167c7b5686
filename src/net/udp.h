/* SPDX-License-Identifier: ISC */
/* What the files of udp share.
 *
 *   closed -> open -> closing -> closed
 *
 * As with streams, the descriptor is registered once where the backend reports edges, and two flags hold what is known
 * of readiness; where it reports levels, interest follows need, and READABLE is not kept from one turn to the next.
 *
 * The socket's own entry (watch.entry) stands for readiness, for the end of this turn's callbacks (sends wait for it),
 * for the next turn (more to receive, more to send), and in the end for the close callback. A run of it makes at most
 * one call into user code: that of who receives. Datagrams that are done have entries of their own. */
#ifndef GYI_NET_UDP_H
#define GYI_NET_UDP_H

#include "gyre/udp.h"
#include "loop/loop.h"
#include "sys/dgram.h"

enum {
    /* What the watcher finds in `got` becomes state as it is: */
    GYI_UDP_READABLE = GY_READABLE,
    GYI_UDP_WRITABLE = GY_WRITABLE,
    GYI_UDP_TROUBLE  = GYI_TROUBLE,     /* there may be something in the queue of errors */
    GYI_UDP_REFUSED  = GYI_GOT_REFUSED, /* the kernel would not watch it: see watch.fd */
    GYI_UDP_GOT      = GYI_UDP_READABLE | GYI_UDP_WRITABLE | GYI_UDP_TROUBLE | GYI_UDP_REFUSED,

    GYI_UDP_OPEN      = 0x0100,
    GYI_UDP_CLOSING   = 0x0200,
    GYI_UDP_RECEIVING = 0x0400,
    GYI_UDP_CONNECTED = 0x0800,
    GYI_UDP_V6        = 0x1000,
    GYI_UDP_LEVEL     = 0x2000, /* the backend reports states, not changes */
    GYI_UDP_ERRORS    = 0x4000, /* there is a queue of errors */
    GYI_UDP_CUT_ASKED = 0x8000, /* whether the kernel cuts has been asked, and */
    GYI_UDP_CUTS      = 0x10000, /* it does */
    GYI_UDP_JOINS     = 0x20000, /* the kernel may hand over several datagrams as one */
    GYI_UDP_PARTING   = 0x40000  /* and shall do so no more, once those are received that it has joined already */
};

_Static_assert((int)GY_UDP_LOCAL == (int)GYI_DGRAM_LOCAL && (int)GY_UDP_HOPS == (int)GYI_DGRAM_HOPS &&
                   (int)GY_UDP_CLASS == (int)GYI_DGRAM_CLASS,
               "what is asked for is handed down as it is");

static inline bool gyi_udp_is(const gy_udp *u, unsigned state) { return u->priv.state & state; }

static inline bool gyi_udp_usable(const gy_udp *u) {
    return (u->priv.state & (GYI_UDP_OPEN | GYI_UDP_CLOSING)) == GYI_UDP_OPEN;
}

static inline int gyi_udp_family(const gy_udp *u) { return gyi_udp_is(u, GYI_UDP_V6) ? AF_INET6 : AF_INET; }

/* ---- udp.c ---- */

/* Where levels are reported: watches for what is needed now. */
void gyi_udp_interest(gy_udp *udp);

/* Has the socket's entry run at the end of this turn's callbacks, or in the next turn. */
void gyi_udp_push(gy_udp *udp);
void gyi_udp_push_later(gy_udp *udp);

/* ---- udpsend.c ---- */

/* Sends what is queued, as far as it goes, and as far as one turn is meant to. */
void gyi_udp_flush(gy_udp *udp);

/* Has all that is queued report `err`. */
void gyi_udp_fail(gy_udp *udp, int err);

/* ---- udprecv.c ---- */

/* Receives one batch, or takes one error. At most one call into user code, and that last. */
void gyi_udp_receive(gy_udp *udp);

/* Takes errors off their queue that nobody is there to hear. */
void gyi_udp_drop_errors(gy_udp *udp);

/* ---- udpaddr.c ---- */

/* Between the two forms of an address: ours, which is small, and that of sock.h, which holds any. */
void gyi_endpoint_from(gy_endpoint *out, const gyi_sockaddr *addr);
void gyi_endpoint_to(const gy_endpoint *endpoint, gyi_sockaddr *out);

/* The system's family of an address; 0 for none. */
int gyi_endpoint_family(const gy_endpoint *endpoint);

/* Writes an address as a socket of the given family takes it: IPv4 on one of IPv6 is written as IPv6 has it.
 * @return 0; -EAFNOSUPPORT for IPv6 on a socket of IPv4; -EINVAL for none. */
int gyi_endpoint_for(int family, const gy_endpoint *endpoint, gy_endpoint *out);

/* And back: an IPv4 address that is written as IPv6 has it becomes one of IPv4. */
void gyi_endpoint_plain(gy_endpoint *endpoint);

/* Makes an endpoint of an address' bytes, with port 0. */
void gyi_endpoint_host(gy_endpoint *out, int family, const unsigned char *bytes);

/* Reads a host without a port: "239.1.2.3", "ff02::1", "[ff02::1]". @return 0 or GY_EADDRESS. */
int gyi_endpoint_parse_host(const char *text, gyi_sockaddr *out);

#endif
