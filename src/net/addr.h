/* SPDX-License-Identifier: ISC */
/* Addresses as text and back. */
#ifndef GYI_NET_ADDR_H
#define GYI_NET_ADDR_H

#include "gyre/stream.h"
#include "sys/sock.h"

/* Reads "host:port" with a numeric host: IPv4, IPv6 in brackets (with a numeric %scope), or "*" for any address, which
 * gives the IPv6 one. The port is decimal. @return 0 or GY_EADDRESS. */
int gyi_addr_parse(const char *text, gyi_sockaddr *out);

/* Any IPv4 address with the port of another address. */
void gyi_addr_any4(const gyi_sockaddr *like, gyi_sockaddr *out);

/* A path, or on Linux "@name". @return 0, -ENAMETOOLONG, or GY_EADDRESS for an empty one and
 * for an abstract name where there are none. */
int gyi_addr_local(const char *path, gyi_sockaddr *out);

/* Writes an address of any of these families as it would be read; "" when there is none to write. */
void gyi_addr_format(const gyi_sockaddr *addr, gy_addr *out);

#endif
