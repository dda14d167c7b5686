/* SPDX-License-Identifier: ISC */
/** @file dns.h
 *  Names: their addresses (gy_dns_lookup), the names of addresses (gy_dns_reverse), and connecting to a name
 *  (gy_dial), where the addresses race each other (Happy Eyeballs, RFC 8305).
 *
 *  The system's resolver may be silent for minutes and cannot be interrupted. So it works on the pool's lane for what
 *  is slow, on memory of the library: a request can be let go of at any moment (gy_dns_abandon, a time limit, or the
 *  time limit of gy_dial), and is the caller's again while a thread is still waiting for an answer that nobody wants.
 *  Such a thread counts as one of its lane until it comes back, and neither the loop nor the pool waits for it.
 *
 *  - Texts that are handed over are copied: they need only stay during the call.
 *  - Names are bytes. What is allowed in them, and whether one in another script is translated (IDN), is the resolver's
 *    affair; here a name must have no blanks, control characters, brackets or slashes, and be no longer than 253 bytes,
 *    the limit of the DNS (1,024 with characters beyond ASCII, whose translation has another length).
 *  - Memory comes from the allocator of the pool and is used on its threads. After something was let go of, that
 *    allocator must go on working until the resolver has come back, even beyond the end of the loop.
 *  - Everything is for the loop's thread, but what is said to run on a thread of the pool.
 */
#ifndef GYRE_DNS_H
#define GYRE_DNS_H

#include "gyre/pool.h"
#include "gyre/stream.h"
#include "gyre/timer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_dns gy_dns;
typedef struct gy_dial gy_dial;

/* ---- resolvers ----------------------------------------------------------------------------------------------- */

/** Kinds of internet addresses. */
typedef enum gy_dns_family {
    GY_DNS_ANY, /**< both */
    GY_DNS_V4,  /**< IPv4 only */
    GY_DNS_V6   /**< IPv6 only */
} gy_dns_family;

/** Flags of gy_dns_lookup() and gy_dns_reverse(). */
enum gy_dns_flag {
    GY_DNS_CANON        = 1,  /**< lookup: find the canonical name too */
    GY_DNS_NUMERIC_HOST = 2,  /**< lookup: take numeric addresses only. reverse: give the address as text */
    GY_DNS_CONFIGURED   = 4,  /**< lookup: only families that this machine has an address of itself */
    GY_DNS_DATAGRAM     = 8,  /**< services are those of udp */
    GY_DNS_NUMERIC_PORT = 16, /**< reverse: give the port as a number */
    GY_DNS_NAMED        = 32  /**< reverse: an address without a name is GY_ENONAME; else the address as text */
};

/** What a resolver is asked. The texts are valid during its call. */
typedef struct gy_dns_question {
    const char *host;     /**< the name whose addresses are wanted; NULL when `addr` is set */
    const char *service;  /**< the name of the port, or NULL: it is `port` */
    const char *addr;     /**< the address whose names are wanted: "192.0.2.1:80", "[2001:db8::1]:80" */
    uint16_t port;        /**< for the addresses */
    gy_dns_family family; /**< answers of another are left out */
    unsigned flags;       /**< of enum gy_dns_flag */
    void *user;           /**< `resolve_user` of the options */
} gy_dns_question;

/** Where a resolver puts what it finds. */
typedef struct gy_dns_answer gy_dns_answer;

/** A resolver that is used instead of the system's. Called ON A THREAD OF THE POOL, for several questions at the same
 *  time; it may block. After its request was let go of it may still be running, so what `user` points to must stay.
 *  (A resolver that works in the loop, with watchers of its own, needs none of this: see `addrs` of gy_dial_opts.)
 *  @return 0, or a negative error that is passed on. 0 without any address is GY_ENOADDRESS, for a reverse question
 *  without a name GY_ENONAME. */
typedef int gy_resolve_fn(const gy_dns_question *question, gy_dns_answer *answer);

/** Adds an address, "192.0.2.1:80"; port 0 stands for that of the question. The best ones come first.
 *  @return 0; GY_EADDRESS; -ENOMEM. */
GY_API int gy_dns_answer_add(gy_dns_answer *answer, const char *addr);

/** Sets the name: the canonical one, or the host's for a reverse question. It is copied. @return 0; -ENOMEM. */
GY_API int gy_dns_answer_name(gy_dns_answer *answer, const char *name);

/** Sets the name of the service for a reverse question. It is copied. @return 0; -ENOMEM. */
GY_API int gy_dns_answer_service(gy_dns_answer *answer, const char *service);

/* ---- requests ------------------------------------------------------------------------------------------------ */

/** The request is done; its results are in it, until gy_dns_release() or its next use. It is the caller's again and may
 *  be started anew or freed (after gy_dns_release()) in here. `err` is
 *  - GY_ENONAME, GY_ENOADDRESS, GY_ENOSERVICE: there is no such thing; GY_ETRYAGAIN: nobody could be asked for the
 *    moment; GY_ERESOLVER: the resolver failed otherwise;
 *  - -ETIMEDOUT after `timeout`, GY_ECANCELED after gy_dns_cancel() or gy_dns_abandon();
 *  - -ENOMEM, -EAGAIN when there was no memory or no thread, or what the system says. */
typedef void gy_dns_fn(gy_dns *req, int err);

/** A request. The caller's memory, valid as `{0}`; it must stay until the callback. */
struct gy_dns {
    void *user;           /**< the program's */
    gy_loop *loop;        /**< read only: where the callback is called. So are all that follow: */
    const gy_addr *addrs; /**< `count` of them, the best first, as gy_tcp_connect() takes them */
    unsigned count;       /**< of `addrs` */
    const char *name;     /**< the canonical name (GY_DNS_CANON); the host's name (gy_dns_reverse()); else NULL */
    const char *service;  /**< the service's name (gy_dns_reverse()); else NULL */
    /** @cond internal */
    struct {
        gy_dns_fn *fn;
        struct gyi_query *query;  /* the look-up while it is under way */
        struct gyi_query *result; /* the one whose results are shown */
        gy_timer limit;
        struct gyi_entry entry; /* listed while the outcome is known and not yet told */
        gy_addr one;            /* the answer when no look-up was needed */
        int32_t err;
        uint32_t state;
    } priv;
    /** @endcond */
};

/** What to look up. */
typedef struct gy_dns_opts {
    const char *host;       /**< a name or a numeric address, without brackets; never NULL */
    const char *service;    /**< "https" or "443"; NULL: `port` */
    uint16_t port;          /**< put into the addresses; may be 0 */
    gy_dns_family family;   /**< default GY_DNS_ANY */
    unsigned flags;         /**< of enum gy_dns_flag */
    gy_ns timeout;          /**< -ETIMEDOUT after this long; 0: as long as it takes */
    gy_pool *pool;          /**< where to do it, on its slow lane; NULL: on the loop's own */
    gy_resolve_fn *resolve; /**< NULL: the system's resolver */
    void *resolve_user;     /**< the `user` of its questions */
} gy_dns_opts;

/** Looks up the addresses of a name. A numeric address with a numeric port needs no thread and cannot fail; it too is
 *  answered from the loop.
 *  @return 0; -EINVAL without a function or a host, with both a service and a port, or for an unknown flag or family;
 *  GY_EADDRESS for a host that is empty or has characters that no name has; -ENAMETOOLONG; -EALREADY when the request
 *  is under way; -ENOMEM. */
GY_API int gy_dns_lookup(gy_loop *loop, gy_dns *req, gy_dns_opts opts, gy_dns_fn *fn);

/** Whose names to look up. */
typedef struct gy_dns_reverse_opts {
    const char *addr;       /**< "192.0.2.1:80", "[2001:db8::1]:443"; port 0 when only the host matters */
    unsigned flags;         /**< of enum gy_dns_flag */
    gy_ns timeout;          /**< as in gy_dns_opts, and so are all that follow */
    gy_pool *pool;          /**< where to do it */
    gy_resolve_fn *resolve; /**< who does it */
    void *resolve_user;     /**< for whom */
} gy_dns_reverse_opts;

/** Looks up the names of an address, into `name` and `service`. Names are never cut, however long they are.
 *  @return as gy_dns_lookup(). */
GY_API int gy_dns_reverse(gy_loop *loop, gy_dns *req, gy_dns_reverse_opts opts, gy_dns_fn *fn);

/** Cancels a look-up that no thread has begun; the callback is called with GY_ECANCELED, from the loop.
 *  @return 0; -EBUSY when it is at work, or done and about to report; -EALREADY when the request is idle. */
GY_API int gy_dns_cancel(gy_dns *req);

/** Lets go of a look-up in whatever state it is: the callback is called with GY_ECANCELED, from the loop, at once; a
 *  resolver that is at work goes on without anybody waiting for it.
 *  @return 0; -EALREADY when the request is idle. */
GY_API int gy_dns_abandon(gy_dns *req);

/** Frees the memory of a request's results, if there is any; the next use of the request does so too. May be called
 *  after the loop and the pool are gone. A request that is under way is left alone. */
GY_API void gy_dns_release(gy_dns *req);

/* ---- connecting to a name ------------------------------------------------------------------------------------ */

/** The stream is open and connected; or `err` says why not, and the stream is as it was. `err` is that of looking up
 *  the name (gy_dns_fn), -ETIMEDOUT, GY_ECANCELED, or when all addresses have failed, the error of the one that says
 *  most: a lack of descriptors or memory here, before what a host has answered, before silence, before a lack of
 *  routes or of the address family; among equals the first. */
typedef void gy_dial_fn(gy_dial *dial, int err);

/** A connection to a name on its way. The caller's memory, valid as `{0}`; it must stay until the callback. */
struct gy_dial {
    void *user;        /**< the program's */
    gy_loop *loop;     /**< read only: where the callback is called. So are all that follow: */
    gy_stream *stream; /**< what is to be connected */
    unsigned tried;    /**< how many addresses were tried; set when the callback is called */
    /** @cond internal */
    struct {
        gy_dial_fn *fn;
        gy_dns dns;
        struct gyi_race *race; /* once the addresses are known */
        gy_timer limit;
        struct gyi_entry entry; /* listed: to begin with the race, or to tell `err` */
        gy_addr from;
        gy_ns delay;
        int32_t err;
        uint32_t most;
        uint32_t state;
    } priv;
    /** @endcond */
};

/** Whom to connect to, and how. A zero field is the default. */
typedef struct gy_dial_opts {
    const char *host;       /**< with a port, "example.org:443", "example.org:https", "[2001:db8::1]:443"; or without
                                 one when `port` is set: "example.org", "2001:db8::1" */
    uint16_t port;          /**< 0: it is in `host` */
    const gy_addr *addrs;   /**< instead of `host`: addresses that are known already, the best first; copied */
    unsigned count;         /**< of `addrs` */
    const char *from;       /**< a local address to connect from, "192.0.2.1:0"; only its family is tried then */
    gy_dns_family family;   /**< default GY_DNS_ANY */
    gy_ns timeout;          /**< for everything, the look-up included; 0: as long as it takes */
    gy_ns delay;            /**< the head start of an address before the next one; default 250 ms */
    unsigned most;          /**< attempts that may be under way at once; default 8 */
    gy_pool *pool;          /**< as in gy_dns_opts, and so are the others */
    gy_resolve_fn *resolve; /**< who looks up the name */
    void *resolve_user;     /**< for whom */
    gy_dial_fn *fn;         /**< called once; never NULL */
} gy_dial_opts;

/** Looks up a name and connects `stream`, which is closed and must not be opened by anybody else meanwhile, over tcp to
 *  the first of its addresses that answers. They are tried alternating between the families, beginning with the one
 *  that the resolver puts first; each begins when the one before has had `delay`, or has failed. The other attempts are
 *  ended as soon as one succeeds.
 *  @return 0; -EINVAL without a function, without host and addresses or with both, for a negative time or an unknown
 *  family; GY_EADDRESS for a host that cannot be one or has no port, or an address that is none; GY_ENOADDRESS when no
 *  address of `addrs` is of the family; -ENAMETOOLONG; -EALREADY when the dial is under way or the stream is open;
 *  -ENOMEM. */
GY_API int gy_dial_start(gy_loop *loop, gy_dial *dial, gy_stream *stream, gy_dial_opts opts);

/** Ends it, whatever it is about: all attempts are closed at once, and the callback is called with GY_ECANCELED, from
 *  the loop.
 *  @return 0; -EALREADY when it is idle. */
GY_API int gy_dial_cancel(gy_dial *dial);

#ifdef __cplusplus
}
#endif
#endif
