/* SPDX-License-Identifier: ISC */
/* Datagram sockets: what sock.h has not. Many datagrams go through one call where the system can; elsewhere the same
 * functions make one call for each, and mean the same.
 *
 * An address here is the system's own record, of at most GYI_DGRAM_NAME bytes: IPv4 or IPv6. */
#ifndef GYI_SYS_DGRAM_H
#define GYI_SYS_DGRAM_H

#include <sys/socket.h>
#include <sys/types.h>

#include "sys/sock.h"

enum {
    GYI_DGRAM_BATCH = 64,    /* datagrams per call */
    GYI_DGRAM_NAME = 28,     /* bytes of an address */
    GYI_DGRAM_CONTROL = 192, /* bytes for what comes along with a datagram */
    GYI_DGRAM_FROM = 64,     /* bytes for the address that it is to be sent from */
    GYI_DGRAM_CUT = 65000,   /* bytes that the kernel is given to cut at once; some less than an IP packet can hold */
    GYI_DGRAM_CUTS = 64      /* and segments; what Linux has taken since it cuts */
};

/* A datagram to be sent. */
typedef struct gyi_dgram_out {
    const void *to;     /* NULL: the peer of a connected socket */
    uint32_t to_len;
    uint32_t segment;   /* not 0: the kernel cuts it into datagrams of so many bytes; see gyi_dgram_cuts() */
    const gy_buf *bufs;
    uint32_t count;
    const void *from; /* the address to send from, as `to` is written; NULL: the system's choice */
} gyi_dgram_out;

/* A place for a datagram. `room` and `from` are kept; `from_len` is the room behind `from`, and then what was used. */
typedef struct gyi_dgram_in {
    gy_buf room;
    void *from;
    uint32_t from_len;
    bool truncated;
    size_t len; /* of the datagram; more than the room where the system tells that */
} gyi_dgram_in;

/* What can come along with a datagram; the bits are those of gy_udp_info. */
enum { GYI_DGRAM_LOCAL = 1, GYI_DGRAM_HOPS = 2, GYI_DGRAM_CLASS = 4, GYI_DGRAM_INFO = 7 };

typedef struct gyi_dgram_info {
    unsigned char local[16]; /* the address it was sent to */
    int family;              /* of `local`: AF_INET, AF_INET6, or 0 when it is not known */
    unsigned interface;
    unsigned segment; /* not 0: it is several datagrams of so many bytes, the last one of what is left */
    int16_t ttl, tos; /* -1: not known */
} gyi_dgram_info;

/* ---- dgram.c ---- */

/* A new datagram socket, close-on-exec and non-blocking. */
int gyi_dgram_open(gyi_sys *sys, int family);

/* Takes a connection back. */
int gyi_dgram_disconnect(gyi_sys *sys, int fd);

int gyi_dgram_set(gyi_sys *sys, int fd, int level, int option, const void *value, size_t len);

/* What setting an option of IPv4 on a socket of IPv6 has to say: 0 when the socket merely does not carry IPv4. */
static inline int gyi_dgram_other(int err) {
    return err == -EINVAL || err == -ENOPROTOOPT || err == -ENOTSUP || err == -EOPNOTSUPP ? 0 : err;
}

/* Lets several sockets have one port, with senders spread over them where the system does that. */
int gyi_dgram_share_port(gyi_sys *sys, int fd);

/* Whether a datagram may wait to be received. */
bool gyi_dgram_waits(gyi_sys *sys, int fd);

/* ---- dgram_linux.c, dgram_posix.c ---- */

/* Sends up to GYI_DGRAM_BATCH datagrams in order. @return how many were taken, at least 1; or the error of the first.
 * -EAGAIN: there is no room. */
int gyi_dgram_send(gyi_sys *sys, int fd, const gyi_dgram_out *out, unsigned count);

/* Receives up to GYI_DGRAM_BATCH datagrams; `info` is NULL or as many. @return how many, at least 1; fewer than asked
 * for means that there are no more. Or the error of the first; -EAGAIN: there is none. When an error comes behind the
 * first datagram, and the system will not tell it again, it is left in `*err`, which is 0 otherwise. */
int gyi_dgram_recv(gyi_sys *sys, int fd, gyi_dgram_in *in, gyi_dgram_info *info, unsigned count, int *err);

/* Asks for errors to be kept, each with the datagram that it is about. -ENOTSUP where there is no such thing. */
int gyi_dgram_keep_errors(gyi_sys *sys, int fd, int family);

/* Whether that was asked for, on a socket of unknown past. */
bool gyi_dgram_keeps_errors(gyi_sys *sys, int fd, int family);

/* Takes the next of them, but none of this machine's own: `in` is the datagram that came back and where it was to go,
 * `*what` the error. @return 0; -EAGAIN when there is none; -errno. */
int gyi_dgram_take_error(gyi_sys *sys, int fd, gyi_dgram_in *in, int *what);

/* 0 when the kernel cuts datagrams into segments on this socket, negative when it does not. */
int gyi_dgram_cuts(gyi_sys *sys, int fd);

/* Whether the kernel may hand over what one sender has sent in a row as one, see gyi_dgram_info.segment. -ENOTSUP where
 * it never does. */
int gyi_dgram_join(gyi_sys *sys, int fd, int on);

/* Whether it does, on a socket of unknown past. */
bool gyi_dgram_joins(gyi_sys *sys, int fd);

/* ---- dgraminfo.c ---- */

/* Asks for what is to come along. `family` is the socket's. */
int gyi_dgram_ask(gyi_sys *sys, int fd, int family, unsigned info);

/* Reads what came along with a message. */
void gyi_dgram_read_info(struct msghdr *msg, gyi_dgram_info *out);

/* Writes the address to send from (its port is not looked at) as a control message. `to` holds GYI_DGRAM_FROM zeroed
 * bytes. @return how many were used */
size_t gyi_dgram_write_from(const void *from, void *to);

int gyi_dgram_set_ttl(gyi_sys *sys, int fd, int family, int value);
int gyi_dgram_set_tos(gyi_sys *sys, int fd, int family, int value);
int gyi_dgram_set_whole(gyi_sys *sys, int fd, int family, int value); /* never to be cut up */

/* ---- dgramcast.c ---- */

/* An interface, and an IPv4 address of it (zeros when it has none). `index` 0: the system's choice. */
typedef struct gyi_dgram_port {
    unsigned index;
    unsigned char v4[4];
} gyi_dgram_port;

/* Finds an interface by its name, its number as text, or (`addr` not NULL) one of its addresses. 0 or -ENODEV. */
int gyi_dgram_find_port(gyi_sys *sys, const char *name, const gyi_sockaddr *addr, gyi_dgram_port *out);

typedef enum gyi_dgram_member { GYI_DGRAM_JOIN, GYI_DGRAM_LEAVE } gyi_dgram_member;

/* Joins or leaves a group; `source` is NULL or of the same family. */
int gyi_dgram_group(gyi_sys *sys, int fd, gyi_dgram_member how, const gyi_sockaddr *group, const gyi_sockaddr *source,
                    const gyi_dgram_port *port);

/* For what is sent to groups. */
int gyi_dgram_cast_by(gyi_sys *sys, int fd, int family, const gyi_dgram_port *port);
int gyi_dgram_cast_ttl(gyi_sys *sys, int fd, int family, int value);
int gyi_dgram_cast_loop(gyi_sys *sys, int fd, int family, int value);

#endif
