/* SPDX-License-Identifier: ISC */
/* What gy_dial needs of requests for names. */
#ifndef GYI_NET_DNS_H
#define GYI_NET_DNS_H

#include "net/addr.h"
#include "net/query.h"

/* Ends a request without its callback and frees its results. Idle ones are only freed of their results. */
void gyi_dns_forget(gy_dns *req);

/* Whether a host of `len` bytes may be asked for: 0, GY_EADDRESS or -ENAMETOOLONG. */
int gyi_dns_check_host(const char *host, size_t len);

/* A port as a number. @return 0; -ERANGE beyond 65535; -EINVAL for what is no number. */
int gyi_dns_port(const char *text, uint16_t *out);

#endif
