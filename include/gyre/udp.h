/* SPDX-License-Identifier: ISC */
/** @file udp.h
 *  Datagrams over udp: send, receive in batches, connect, multicast, close.
 *
 *  Sending is a request in the caller's memory, as a write of a stream is, and many requests leave in one system call.
 *  Receiving goes on until it is stopped: the caller gives a piece of memory that is cut into slots, and is told of all
 *  datagrams that one system call has brought. Addresses are parsed once (gy_endpoint) and written out only when
 *  somebody wants to read them.
 *
 *  Udp promises nothing: what was sent without an error may still be lost, doubled or overtaken. A send that reports 0
 *  was taken by the kernel, no more. Everything here is for the loop's thread.
 */
#ifndef GYRE_UDP_H
#define GYRE_UDP_H

#include "gyre/loop.h"
#include "gyre/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_udp gy_udp;
typedef struct gy_dgram gy_dgram;

/* ---- addresses ----------------------------------------------------------------------------------------------- */

/** An address that was read or received: host and port, IPv4 or IPv6. A plain value: copy it, keep it, compare it with
 *  gy_endpoint_equal() (not byte by byte). `{0}` is no address. */
typedef struct gy_endpoint {
    /** @cond internal */
    struct {
        uint32_t len;    /* 0: none */
        uint32_t raw[7]; /* the system's own form */
    } priv;
    /** @endcond */
} gy_endpoint;

/** Reads "127.0.0.1:7000", "[::1]:7000", "[fe80::1%2]:7000" or "*:7000".
 *  @return 0, or GY_EADDRESS with `out` as it was. Any thread. */
GY_API int gy_endpoint_parse(gy_endpoint *out, const char *text);

/** Writes an address as it would be read; "" for none. Any thread. */
GY_API void gy_endpoint_text(const gy_endpoint *endpoint, gy_addr *out);

/** Whether host, scope and port are the same. Any thread. */
GY_API bool gy_endpoint_equal(const gy_endpoint *a, const gy_endpoint *b);

/** The port, 0 for none. Any thread. */
GY_API unsigned gy_endpoint_port(const gy_endpoint *endpoint);

/* ---- callbacks ----------------------------------------------------------------------------------------------- */

/** A datagram has been handed to the kernel, or `err` says why not: GY_ECANCELED, -EMSGSIZE, -ENETUNREACH, ... An
 *  error concerns this datagram only. Datagrams report in the order in which they were sent. */
typedef void gy_dgram_fn(gy_dgram *dgram, int err);

/** What is known of a datagram beyond its bytes. */
enum gy_udp_flags {
    GY_UDP_TRUNCATED = 1, /**< it was longer than the slot: the rest is lost, see `length` */
    GY_UDP_RETURNED  = 2  /**< with an error: it is one of ours, which came back (gy_udp_opts.path_errors) */
};

/** A datagram that came. */
typedef struct gy_udp_msg {
    gy_buf buf;          /**< its bytes, in the slot; `len` 0 is an empty datagram */
    gy_endpoint from;    /**< the sender; an IPv4 one is told as such on IPv6 sockets too */
    size_t length;       /**< how long it was, where the system tells (Linux); else as `buf.len` */
    unsigned flags;      /**< gy_udp_flags */
    unsigned interface;  /**< with GY_UDP_LOCAL: the index of the interface that it came by; 0: not known */
    gy_endpoint local;   /**< with GY_UDP_LOCAL: the address that it was sent to, with port 0 */
    int16_t ttl;         /**< with GY_UDP_HOPS: what was left of its hops; -1: not known */
    int16_t tos;         /**< with GY_UDP_CLASS: the byte with the traffic class, of which the lowest two bits are those
                              of congestion notification; -1: not known */
} gy_udp_msg;

/** Datagrams have come: `count` of them, oldest first, of which `msgs` and their bytes are valid until the callback
 *  returns or, after gy_udp_recv_stop() inside it, the bytes as long as the caller keeps them.
 *  Or `err` is negative. Receiving goes on after that unless it is stopped: most errors are the network's answer to
 *  something sent earlier (-ECONNREFUSED on a connected socket). With `path_errors` such an error comes with one
 *  message: `from` is the destination concerned and `buf` what had been sent; otherwise `count` is 0. */
typedef void gy_udp_recv_fn(gy_udp *udp, int err, const gy_udp_msg *msgs, unsigned count);

/** The socket is closed and its memory is the caller's again. The last callback of a socket. */
typedef void gy_udp_close_fn(gy_udp *udp);

/** A socket. The caller's memory, valid as `{0}`; it must stay until the close callback. */
struct gy_udp {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it was opened */
    /** @cond internal */
    struct {
        struct gyi_watch watch; /* its entry carries readiness, the end of the turn, and the close */
        gy_udp_recv_fn *received;
        gy_udp_close_fn *closed;
        gy_dgram *first, *last; /* not yet sent */
        gy_buf into;            /* the slots */
        size_t size;            /* of one */
        size_t queued, limit;   /* bytes */
        uint32_t state;
        int32_t fd;
        int32_t err;     /* to be told to who receives */
        int32_t suspect; /* what the first of the queue has failed with, perhaps for another's sake */
        uint32_t turn;   /* in which something was sent at once */
        uint16_t slots, expect;
        uint8_t info; /* gy_udp_info that is wanted */
        uint8_t asked; /* and that the kernel was asked for */
    } priv;
    /** @endcond */
};

/** A datagram on its way. The caller's memory, valid as `{0}`; it must stay until its callback. */
struct gy_dgram {
    void *user;  /**< the program's */
    gy_udp *udp; /**< read only: where it was sent */
    /** @cond internal */
    struct {
        gy_dgram_fn *fn;
        struct gyi_entry entry; /* on the callback queue once done */
        gy_dgram *next;         /* on the socket's queue before */
        const gy_buf *bufs;     /* NULL: `own` is all there is */
        const void *local;      /* with `bufs` or a `segment`: the address to send from; NULL: any */
        gy_buf own;             /* what is left of it, when it leaves in segments */
        size_t length;
        gy_endpoint to;
        uint32_t count, segment;
        int32_t err;
        uint32_t plain; /* the kernel would not cut it */
    } priv;
    /** @endcond */
};

/* ---- opening and closing ------------------------------------------------------------------------------------- */

/** How to open a socket. A zero field is the default. */
typedef struct gy_udp_opts {
    const char *addr; /**< the local address: "127.0.0.1:7000", "[::1]:0", "*:7000" (every address, both families where
                           the system can). NULL: any free port of every address, or what suits `peer` */
    const char *peer; /**< the address to connect to, see gy_udp_connect(); NULL: none */
    bool reuseaddr;   /**< several sockets may have the address; who receives is up to the system. For multicast */
    bool reuseport;   /**< several sockets share the port, and the kernel spreads senders over them */
    bool v6only;      /**< do not take IPv4 on an IPv6 address */
    bool broadcast;   /**< may send to broadcast addresses */
    bool path_errors; /**< report what routers and hosts say about sent datagrams, with the destination concerned, also
                           when not connected; Linux */
    int send_buffer;  /**< bytes of the kernel's send buffer */
    int recv_buffer;  /**< bytes of the kernel's receive buffer */
} gy_udp_opts;

/** Opens a socket.
 *  @return 0; GY_EADDRESS; -EINVAL for a negative size; -EALREADY when it is open; -ENOTSUP for `path_errors` where the
 *  system has none; -EADDRINUSE and what else the kernel says. On failure it stays closed. */
GY_API int gy_udp_open(gy_loop *loop, gy_udp *udp, gy_udp_opts opts);

/** Makes a socket of a descriptor that the caller has. It belongs to the socket from then on and is set non-blocking.
 *  @return 0; -EBADF; -ENOTSOCK; -EPROTOTYPE when it is no datagram socket; -EAFNOSUPPORT when it is neither IPv4 nor
 *  IPv6; -EALREADY; -ENOMEM. On failure `fd` stays as is. */
GY_API int gy_udp_adopt(gy_loop *loop, gy_udp *udp, int fd);

/** Connects: datagrams without a destination go to `peer`, those of others are not received, and an error such as
 *  -ECONNREFUSED is told. NULL takes the connection back; on Linux, a port that was never asked for by `addr` goes with
 *  it. Udp sends nothing for this.
 *  @return 0; GY_ECLOSED; -EAFNOSUPPORT when the socket has not the family; -EBUSY while datagrams wait that could not
 *  be sent yet; or what the kernel says. */
GY_API int gy_udp_connect(gy_udp *udp, const gy_endpoint *peer);

/** Closes. Datagrams that wait report GY_ECANCELED, receiving ends without a word, then `fn` (which may be NULL) is
 *  called at the end of the turn. Closing twice, or closing what is not open, is ignored. */
GY_API void gy_udp_close(gy_udp *udp, gy_udp_close_fn *fn);

GY_API bool gy_udp_is_open(const gy_udp *udp); /**< opened, and not closing */
GY_API int gy_udp_fd(const gy_udp *udp);       /**< the descriptor, which stays the socket's; -1 when closed */
GY_API void gy_udp_ref(gy_udp *udp);           /**< an open socket keeps the loop alive (the default) */
GY_API void gy_udp_unref(gy_udp *udp);         /**< an open socket does not keep the loop alive */

GY_API int gy_udp_local(const gy_udp *udp, gy_endpoint *out); /**< this side; 0, GY_ECLOSED or what the kernel says */
GY_API int gy_udp_peer(const gy_udp *udp, gy_endpoint *out);  /**< that side; as above; -ENOTCONN without one */

/* ---- sending ------------------------------------------------------------------------------------------------- */

/** Sends one datagram to `to`, or to the peer of a connected socket when `to` is NULL. The bytes must stay until `fn`
 *  is called; `to` is copied. The first datagram of a turn is tried at once; those that follow in the same turn, those
 *  of a callback that was told of several, and those for which the kernel has no room, are queued and leave together.
 *  @return 0; -EINVAL without a function or for a NULL buffer with a length; -EALREADY when `dgram` is on its way;
 *  -EDESTADDRREQ without a destination, -EISCONN with one on a connected socket; -EAFNOSUPPORT when the socket has not
 *  the family; GY_EBACKLOG beyond the limit (gy_udp_set_limit); GY_ECLOSED. */
GY_API int gy_udp_send(gy_udp *udp, gy_dgram *dgram, gy_buf from, const gy_endpoint *to, gy_dgram_fn *fn);

/** What to send, for gy_udp_sendv(). */
typedef struct gy_dgram_opts {
    const gy_buf *from;    /**< the pieces of the datagram, one after the other; the array and the bytes must stay */
    unsigned count;        /**< how many; at least 1, at most 1024 */
    const gy_endpoint *to; /**< the destination; copied */
    const char *addr;      /**< the destination as text, when `to` is NULL; both NULL: the peer */
    const gy_endpoint *local; /**< the address to send from, such as gy_udp_msg.local of what is answered; it must stay
                                until `fn` is called, and its port does not matter. NULL: the system's choice. One that
                                is no address of this machine is an error of the datagram: -EINVAL, -EADDRNOTAVAIL,
                                -ENETUNREACH */
    unsigned segment;      /**< not 0: one buffer is cut into datagrams of so many bytes, the last one of what is left;
                                by the kernel where it can, which is the cheapest way to send much to one peer. An error
                                ends it; what was sent before stays sent */
    gy_dgram_fn *fn;       /**< called once; never NULL */
} gy_dgram_opts;

/** Sends a datagram in pieces, or many in one. As gy_udp_send() otherwise; -EINVAL for segments of more than one
 *  buffer or no address in `local`, -EAFNOSUPPORT for one that the socket has not the family of, GY_EADDRESS. */
GY_API int gy_udp_sendv(gy_udp *udp, gy_dgram *dgram, gy_dgram_opts opts);

/** Sends one datagram now or not at all. @return its length; -EAGAIN when the kernel has no room or datagrams wait;
 *  what gy_udp_send() returns; or what the kernel says. */
GY_API int64_t gy_udp_try_send(gy_udp *udp, gy_buf from, const gy_endpoint *to);

/** Cancels a datagram that waits to be sent: it will not be, and its callback is called with GY_ECANCELED, from the
 *  loop and before those of datagrams that were sent earlier and wait still. Of one that leaves in segments, what has
 *  gone has gone. Costs a walk along what waits on the socket.
 *  @return 0; -EBUSY when the kernel has it, or it has failed, and it is about to report; -EALREADY when it is idle. */
GY_API int gy_dgram_cancel(gy_dgram *dgram);

GY_API size_t gy_udp_queued(const gy_udp *udp); /**< bytes of datagrams that wait to be sent */

/** Has gy_udp_send() answer GY_EBACKLOG instead of queueing when more than `bytes` would be queued; 0: no limit. A
 *  datagram is always taken when none is queued. */
GY_API void gy_udp_set_limit(gy_udp *udp, size_t bytes);

/* ---- receiving ----------------------------------------------------------------------------------------------- */

/** What else is to be told of each datagram. */
enum gy_udp_info {
    GY_UDP_LOCAL = 1, /**< the address that it was sent to, and the interface */
    GY_UDP_HOPS  = 2, /**< its ttl or hop limit */
    GY_UDP_CLASS = 4  /**< its type of service or traffic class */
};

/** How to receive. */
typedef struct gy_udp_recv_opts {
    gy_buf into;        /**< memory for datagrams; it must stay while receiving */
    size_t size;        /**< of a slot, that is, of the longest datagram that fits; 0: all of `into` is one slot.
                             At most 64 slots are used: one callback brings at most as many datagrams */
    unsigned info;      /**< gy_udp_info */
    bool join;          /**< the kernel may hand over several datagrams of one sender as one, where it can (Linux),
                             which is the cheapest way to receive much. They are told one by one as ever. All of them
                             share a slot, so `size` should be 65536: what is beyond is truncated. Then one callback
                             brings what at most two slots hold, as it may for a while when a socket that has received
                             so does so no more */
    gy_udp_recv_fn *fn; /**< never NULL */
} gy_udp_recv_opts;

/** Begins to receive. A socket takes at most one batch in a turn, so that a flood keeps nothing else waiting.
 *  @return 0; -EINVAL without a function, without memory for one slot, or for unknown info; -EALREADY; GY_ECLOSED;
 *  -ENOTSUP for info that the system has not; or why the kernel does not watch the socket. */
GY_API int gy_udp_recv_start(gy_udp *udp, gy_udp_recv_opts opts);

/** Stops receiving: the callback will not run again, and the memory is the caller's. What comes meanwhile waits in the
 *  kernel as far as its buffer goes. Nothing is lost when it is started again in the same callback. */
GY_API void gy_udp_recv_stop(gy_udp *udp);

/* ---- options and multicast ----------------------------------------------------------------------------------- */

/** Options of a socket. */
typedef enum gy_udp_opt {
    GY_UDP_TTL,            /**< hops of what is sent to one host, 1 to 255 */
    GY_UDP_TOS,            /**< the byte with the traffic class, 0 to 255 */
    GY_UDP_BROADCAST,      /**< 1: may send to broadcast addresses */
    GY_UDP_DONT_FRAGMENT,  /**< 1: too long a datagram is -EMSGSIZE instead of being cut up on its way */
    GY_UDP_MULTICAST_TTL,  /**< hops of what is sent to groups, 0 to 255; 1 by default: not beyond the local net */
    GY_UDP_MULTICAST_LOOP, /**< 0: what is sent to groups is not received on this machine */
    GY_UDP_SEND_BUFFER,    /**< bytes of the kernel's send buffer */
    GY_UDP_RECV_BUFFER     /**< bytes of the kernel's receive buffer: what fits between two turns */
} gy_udp_opt;

/** Sets an option of an open socket. @return 0; -EINVAL for a value out of range or an unknown option; -ENOTSUP where
 *  the system has it not; GY_ECLOSED; or what the kernel says. */
GY_API int gy_udp_set(gy_udp *udp, gy_udp_opt option, int value);

/** A membership in a multicast group. */
typedef struct gy_udp_group {
    const char *group;     /**< the group's address without a port: "239.1.2.3", "ff02::1234" */
    const char *source;    /**< take only what this host sends: an address without a port; NULL: everybody */
    const char *interface; /**< the interface by name, by index ("2") or by an address of it; NULL: the system's */
} gy_udp_group;

/** Joins a group. @return 0; GY_EADDRESS; -EINVAL for an address that is no group; -ENODEV when there is no such
 *  interface; -EADDRINUSE when it was joined already; GY_ECLOSED; or what the kernel says. */
GY_API int gy_udp_join(gy_udp *udp, gy_udp_group group);

/** Leaves a group, named as it was joined. As gy_udp_join(); -EADDRNOTAVAIL when it was not joined. Closing leaves. */
GY_API int gy_udp_leave(gy_udp *udp, gy_udp_group group);

/** Sets the interface by which multicast leaves: its name, index or an address of it; NULL: the system's choice.
 *  @return 0; -ENODEV; GY_ECLOSED; or what the kernel says. */
GY_API int gy_udp_multicast_by(gy_udp *udp, const char *interface);

#ifdef __cplusplus
}
#endif
#endif
