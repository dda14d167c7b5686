/* SPDX-License-Identifier: ISC */
/** @file group.h
 *  Several loops, each on a thread of its own, that share the work of one program.
 *
 *  A loop belongs to one thread, and so does whatever runs on it; a group changes nothing about that. It starts the
 *  threads, opens listeners that share a port, carries tasks and connections from one loop to another, and ends all of
 *  it in order. Every loop has its own thread, also with a single one: the thread that makes the group stays free to
 *  wait for it, or to run a loop of its own.
 *
 *  The "sim" backend is of no use here: its time runs ahead of the other threads.
 */
#ifndef GYRE_GROUP_H
#define GYRE_GROUP_H

#include "gyre/async.h"
#include "gyre/loop.h"
#include "gyre/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A group. Opaque: made by gy_group_new(), freed by gy_group_free(). */
typedef struct gy_group gy_group;
typedef struct gy_gift gy_gift;

/** In place of an index: the loop with the least load (gy_group_load()). */
enum { GY_GROUP_ANY = -1 };

/** Called on the loop's thread before it runs. @return 0, or a negative error, which ends the whole group; what it has
 *  begun until then it must close itself. */
typedef int gy_group_start_fn(gy_group *group, gy_loop *loop, unsigned index);

/** Called once on the thread of each loop whose start has succeeded, when the group is stopping. Here the program
 *  closes what would keep the loop running: its own listeners, timers, idle connections. */
typedef void gy_group_stop_fn(gy_group *group, gy_loop *loop, unsigned index);

/** How a group is made. A zero field is the default. */
typedef struct gy_group_opts {
    unsigned count;           /**< loops; default: one per processor that the calling thread may run on (taskset,
                                   cpusets and containers make them fewer); at most 1,024 */
    bool pin;                 /**< keep each thread on one of these processors, in their order; with more loops than
                                   processors it begins anew. Good for machines that do nothing else. Linux */
    gy_loop_opts loop;        /**< for each loop; without an allocator of its own it has that of the group */
    gy_group_start_fn *start; /**< may be NULL */
    gy_group_stop_fn *stop;   /**< may be NULL */
    void *user;               /**< the program's, see gy_group_user() */
    gy_ns grace;              /**< how long loops may go on after gy_group_stop(); default 5 s; GY_FOREVER: as long as
                                   they have something to do */
    size_t stack;             /**< bytes of stack for each thread; 0: as the system has it */
    gy_alloc alloc;           /**< where memory comes from; all zero: malloc. Called from any thread */
} gy_group_opts;

/** Makes the loops, starts the threads, and waits until `start` has returned on each of them. When anything of it
 *  fails, all that had been started is stopped and freed. Any thread.
 *  @return 0; -ENOMEM; -EINVAL for an option out of range; -ENOTSUP for `pin` where threads cannot be kept on a
 *  processor (it is not ignored, as nothing would show that); what gy_loop_new(), starting a thread or `start` says. On
 *  failure `*out` is NULL. */
GY_API int gy_group_new(gy_group **out, gy_group_opts opts);

/** Has the group stop: each loop calls `stop`, closes the listeners that the group has opened on it, and runs until it
 *  has nothing left. What is pending on the streams of a loop that still runs after `grace` reports GY_ECANCELED, and a
 *  tenth of `grace` later, or 1 s if that is more, it is stopped. Any thread, not signal handlers. All
 *  calls but the first are ignored.
 *
 *  A gy_loop_stop() on a loop of the group, or a loop that cannot wait for events, stops the group too. */
GY_API void gy_group_stop(gy_group *group);

/** Waits until all threads have ended, which takes a gy_group_stop(). The loops are there until gy_group_free(). One
 *  thread at a time, and none of the group's. May be called again.
 *  @return 0; -EDEADLK from a thread of the group; or the first error of a loop's wait. */
GY_API int gy_group_join(gy_group *group);

/** Stops the group, waits for its threads, and frees it with its loops. No other thread may use the group meanwhile
 *  but the group's own. NULL is ignored.
 *  @return 0; -EDEADLK from a thread of the group; -EBUSY when a loop has streams, processes or pool jobs that were not
 *  done with within the grace, and then nothing is freed: as the threads have ended, the loops (gy_group_loop()) are
 *  the calling thread's, which may close what is left, run them, and call again. */
GY_API int gy_group_free(gy_group *group);

GY_API unsigned gy_group_count(const gy_group *group); /**< how many loops. Any thread */
GY_API void *gy_group_user(const gy_group *group);     /**< what the options said. Any thread */

/** The loop with an index below the count, otherwise NULL. Any thread, which does not make it that thread's loop. */
GY_API gy_loop *gy_group_loop(const gy_group *group, unsigned index);

GY_API gy_group *gy_group_of(const gy_loop *loop); /**< the group of a loop, NULL without. Any thread */
GY_API int gy_group_index(const gy_loop *loop);    /**< the loop's index in its group, -1 without one. Any thread */

/** The load of a loop: the tasks and connections on their way to it, and its open streams, listening ones included. A
 *  glance, which costs two loads from memory; it says nothing about how busy these are. Any thread. */
GY_API unsigned gy_group_load(const gy_group *group, unsigned index);

/* ---- listening on all loops ---------------------------------------------------------------------------------- */

/** Opens a listening tcp socket on each loop, all on the same address: with port 0, the first chooses and the others
 *  follow. `opts.fn` is called on the loop to which the connection came, with a stream whose `user` is the given one;
 *  it takes the connection with gy_stream_accept(), or gives it to another loop. gy_group_stop() closes the listeners.
 *  Which loop a connection comes to is the kernel's choice: Linux and FreeBSD spread them by a hash of the addresses;
 *  elsewhere (macOS, other BSDs) one listener may get all of them, and gy_group_give() is the way to spread them.
 *  It waits for the loops, so it is not for their threads; in `start`, use gy_tcp_listen() with `reuseport`.
 *  @param group running
 *  @param user for the streams
 *  @param bound NULL, or where the address goes that was chosen
 *  @param opts as for gy_tcp_listen(); `reuseport` is set
 *  @return as gy_tcp_listen(); -EDEADLK from a thread of the group; GY_ECLOSED when the group is stopping. On failure
 *  none of the listeners stays open. */
GY_API int gy_group_listen(gy_group *group, void *user, gy_addr *bound, gy_listen_opts opts);

/* ---- handing over -------------------------------------------------------------------------------------------- */

/** Has `fn(message)` run on the thread of a loop of the group; as gy_post(), and counted as load until it runs. Who is
 *  told 0 can rely on the call, also when the group is stopping. Any thread.
 *  @param group the group
 *  @param index of a loop, or GY_GROUP_ANY
 *  @param message the sender's memory, which must stay until the call
 *  @param fn what to run
 *  @return 0; -EINVAL without a function or for another index; -EALREADY when the message is on its way; GY_ECLOSED
 *  when that loop, or with GY_GROUP_ANY every loop, has ended. */
GY_API int gy_group_post(gy_group *group, int index, gy_message *message, gy_message_fn *fn);

/** Where the connection shall live: called on the receiving loop's thread, returns a stream that is not open, or NULL
 *  to refuse it. */
typedef gy_stream *gy_gift_place_fn(gy_gift *gift);

/** The end of a gift, called on the receiving loop's thread: the stream is open, with `err` 0; or the descriptor was
 *  closed, and `err` says why: -ENOMEM when no place was given (`stream` is NULL then), or what gy_stream_open() says.
 *  The memory of the gift is the program's again. */
typedef void gy_gift_fn(gy_gift *gift, gy_stream *stream, int err);

/** A connection on its way to another loop. The giver's memory, valid as `{0}`; it must stay until `fn` is called. */
struct gy_gift {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it goes */
    /** @cond internal */
    struct {
        gy_message message;
        gy_gift_place_fn *place;
        gy_gift_fn *fn;
        int32_t fd;
        uint32_t state; /* what is known of an accepted connection; 0: nothing */
    } priv;
    /** @endcond */
};

/** What to give. */
typedef struct gy_gift_opts {
    gy_stream *from;         /**< a listening stream of the calling thread's loop: the connection that waits there. In
                                  its callback this takes the place of gy_stream_accept() */
    int fd;                  /**< without `from`: a descriptor as for gy_stream_open(), which no stream has */
    gy_gift_place_fn *place; /**< never NULL */
    gy_gift_fn *fn;          /**< never NULL */
} gy_gift_opts;

/** Gives a connection to a loop of the group. Any thread; with `from`, that of its loop. An open stream cannot be given
 *  away: give the connection before it becomes one.
 *  @return as gy_group_post(); -EINVAL without one of the functions, or when `from` does not listen; -EBADF for a
 *  negative descriptor; -EAGAIN when nothing waits at `from`; what else accepting says. On failure the descriptor stays
 *  the caller's, and what waits at `from` stays there. */
GY_API int gy_group_give(gy_group *group, int index, gy_gift *gift, gy_gift_opts opts);

#ifdef __cplusplus
}
#endif
#endif
