/* SPDX-License-Identifier: ISC */
/** @file request.h
 *  Any request of the library as a promise.
 *
 *      gy_promise *p = GY_PROMISE(loop, fs, &req, gy_fs_read(loop, &req, opts, gy_settle_fs));
 *
 *  starts a read as always, and `p` is fulfilled with the number of bytes or rejected with the error. The same form
 *  serves every kind of request; what differs is the word for the kind and the callback that goes with it:
 *
 *  | kind      | callback            | the handle     | fulfilled with               | a cancel token               |
 *  | --------- | ------------------- | -------------- | ---------------------------- | ---------------------------- |
 *  | `fs`      | gy_settle_fs()      | gy_fs          | `num`: gy_fs.result          | if it has not begun          |
 *  | `work`    | gy_settle_work()    | gy_work        | `ptr`: the gy_work           | if it has not begun          |
 *  | `timer`   | gy_settle_timer()   | gy_timer       | nothing                      | stops it                     |
 *  | `alarm`   | gy_settle_alarm()   | gy_alarm       | nothing                      | stops it                     |
 *  | `job`     | gy_settle_job()     | gy_job         | nothing                      | takes it off its queue       |
 *  | `signal`  | gy_settle_signal()  | gy_signal      | `num`: how often it came     | stops it                     |
 *  | `io`      | gy_settle_io()      | gy_io          | `num`: what it is ready for  | stops it                     |
 *  | `read`    | gy_settle_read()    | gy_stream      | `num`: bytes, at least 1     | ends the read                |
 *  | `end`     | gy_settle_end()     | gy_stream      | nothing, at the GY_EOF       | ends the reading             |
 *  | `connect` | gy_settle_connect() | gy_stream      | `ptr`: the gy_stream         | ends the attempt             |
 *  | `write`   | gy_settle_write()   | gy_write       | nothing                      | fails all that are queued    |
 *  | `close`   | gy_settle_close()   | gy_stream      | nothing                      | is not heard                 |
 *  | `shut`    | gy_settle_shut()    | gy_udp         | nothing, when it is closed   | is not heard                 |
 *  | `dgram`   | gy_settle_dgram()   | gy_dgram       | nothing                      | if it waits to be sent       |
 *  | `dns`     | gy_settle_dns()     | gy_dns         | `ptr`: the gy_dns            | lets go of it                |
 *  | `dial`    | gy_settle_dial()    | gy_dial        | `ptr`: gy_dial.stream        | ends it                      |
 *  | `exit`    | gy_settle_exit()    | gy_process     | `num`: the exit code, or     | kills it, which is then the  |
 *  |           |                     |                | minus the signal             | way it ended                 |
 *  | `run`     | gy_settle_run()     | gy_run         | `ptr`: the gy_run            | kills it                     |
 *  | `pipeline`| gy_settle_pipeline()| gy_pipeline    | `num`: bytes written         | stops it                     |
 *
 *  The end of a stream is the error GY_EOF of a read. Who waits for nothing else reads with the kind `end`, which goes
 *  on reading into the same buffer, and throws away what comes, until the peer has ended; one buffer does for any
 *  number of streams. A shutdown of the sending side is of the kind `write`; so an orderly goodbye is `write` (with
 *  gy_stream_shutdown()), `end`, `close`. The kinds `signal` and `io` stop their watcher when it has told of
 *  something once. Functions that return nothing, such as gy_timer_start(), stand in parentheses with a 0:
 *  `GY_PROMISE(loop, timer, &t, (gy_timer_start(loop, &t, opts), 0))`.
 *
 *  While it waits, `user` of the handle is the library's; afterwards it is what it was before. So several promises can
 *  wait for one stream (a read and the close), and functions that find their context by GY_OF() are not concerned. The
 *  handle and what it points to must stay until the promise is settled, as they must for a callback.
 *
 *  Coroutines await the same kinds without a promise: GY_AWAIT_REQUEST() in coro.h, and the kind `coro` is there.
 *
 *  Promises follow the rules of promise.h: they are held by the library until they are settled. Loop thread only.
 */
#ifndef GYRE_REQUEST_H
#define GYRE_REQUEST_H

#include "gyre/cancel.h"
#include "gyre/dns.h"
#include "gyre/fs.h"
#include "gyre/io.h"
#include "gyre/job.h"
#include "gyre/pipeline.h"
#include "gyre/pool.h"
#include "gyre/process.h"
#include "gyre/promise.h"
#include "gyre/signal.h"
#include "gyre/stream.h"
#include "gyre/timer.h"
#include "gyre/udp.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The promise of a request: `kind` is a word of the table above, `request` the address of the handle, and `start` the
 *  call that starts it, with the kind's callback; it is evaluated once, and not at all when there is no memory for the
 *  promise. When it answers with an error, the promise is rejected with that. `request` is evaluated more than once.
 *  NULL only when the loop never had a promise and there is no memory for the first one. */
#define GY_PROMISE(loop, kind, request, start) GY_PROMISE_UNTIL(NULL, loop, kind, request, start)

/** As GY_PROMISE(), with a cancel token, which may be NULL. When it is cancelled, so is the request, and the promise is
 *  rejected with GY_ECANCELED as soon as the request has let go of its memory. A request that can no longer be
 *  cancelled tells how it ended. If the token is cancelled already, `start` is not evaluated. */
#define GY_PROMISE_UNTIL(token, loop, kind, request, start)                                                           \
    gy_request_end((loop), &(request)->user,                                                                          \
                   gy_request_begin((loop), &gy_kind_##kind, &(request)->user, (token)) ? (start) : GYI_NOT_BEGUN)

/* ---- the callbacks of the kinds ------------------------------------------------------------------------------ */
/* To be given to requests inside GY_PROMISE() or GY_AWAIT_REQUEST(), and to no other. */

GY_API void gy_settle_fs(gy_fs *req, int err);                      /**< for `fs` */
GY_API void gy_settle_work(gy_work *work, int err);                 /**< for `work` */
GY_API void gy_settle_timer(gy_timer *timer);                       /**< for `timer`, one that does not repeat */
GY_API void gy_settle_alarm(gy_alarm *alarm);                       /**< for `alarm`, one that does not repeat */
GY_API void gy_settle_job(gy_job *job);                             /**< for `job`: deferred, microtask or immediate */
GY_API void gy_settle_signal(gy_signal *signal, unsigned count);    /**< for `signal` */
GY_API void gy_settle_io(gy_io *io, int err, unsigned events);      /**< for `io` */
GY_API void gy_settle_read(gy_stream *stream, int err, gy_buf got); /**< for `read` */
GY_API void gy_settle_end(gy_stream *stream, int err, gy_buf got);  /**< for `end` */
GY_API void gy_settle_connect(gy_stream *stream, int err);          /**< for `connect` */
GY_API void gy_settle_write(gy_write *write, int err);              /**< for `write`: writing and shutdown */
GY_API void gy_settle_close(gy_stream *stream);                     /**< for `close`, of an open stream */

GY_API void gy_settle_dgram(gy_dgram *dgram, int err); /**< for `dgram` */
GY_API void gy_settle_shut(gy_udp *udp);               /**< for `shut`, of an open socket */
GY_API void gy_settle_dns(gy_dns *req, int err);       /**< for `dns`: look-ups and reverse ones */
GY_API void gy_settle_dial(gy_dial *dial, int err);    /**< for `dial` */
GY_API void gy_settle_run(gy_run *run, int err);       /**< for `run` */
GY_API void gy_settle_pipeline(gy_pipeline *pipeline, int err); /**< for `pipeline` */
GY_API void gy_settle_exit(gy_process *process, int err, gy_exit how); /**< for `exit` */

/** The callback for gy_listen_opts.fn when connections are taken by gy_promise_accept() alone. */
GY_API void gy_settle_accept(gy_stream *server, int err);

/** Fulfils, with `client` as `ptr`, when a connection has been taken from `server` into it; `server` was opened with
 *  gy_settle_accept() as its function. One at a time for each server: -EBUSY otherwise. An error of accepting rejects,
 *  and so does a cancelled token, which may be NULL, with GY_ECANCELED, and the end of the server, with GY_ECLOSED. */
GY_API gy_promise *gy_promise_accept(gy_stream *server, gy_stream *client, gy_cancel *token);

/* ---- kinds of your own --------------------------------------------------------------------------------------- */

/** A kind of request. It is known by its address. */
typedef struct gy_request_kind {
    void (*cancel)(void *request); /**< has the request report GY_ECANCELED, now or later, if that is still possible.
                                        NULL: it never is */
} gy_request_kind;

/** Settles the promise, or wakes the coroutine (coro.h), that waits for a request of this kind: what a kind's callback
 *  does. `user` is the address of the handle's `user`, which is its first field. There must be somebody who waits. */
GY_API void gy_request_settle(void **user, const gy_request_kind *kind, gy_value value);

/** @cond internal */
#define GYI_NOT_BEGUN 1

/* Who waits for a request, wherever that lies: in the node of a promise, or in a coroutine. */
struct gyi_waiter {
    const gy_request_kind *kind;
    void **user;  /* the handle's, which points here or to a waiter that came later */
    void *before; /* what it was */
    void (*settle)(struct gyi_waiter *, gy_value); /* it waits no more; the outcome becomes its own */
};
/** @endcond */

/** The first half of GY_PROMISE(). @return whether the request may be started. */
GY_API bool gy_request_begin(gy_loop *loop, const gy_request_kind *kind, void **user, gy_cancel *token);

/** The second half, with the answer of the start. */
GY_API gy_promise *gy_request_end(gy_loop *loop, void **user, int started);

GY_API extern const gy_request_kind gy_kind_fs;      /**< file operations */
GY_API extern const gy_request_kind gy_kind_work;    /**< jobs of a pool */
GY_API extern const gy_request_kind gy_kind_timer;   /**< timers */
GY_API extern const gy_request_kind gy_kind_alarm;   /**< alarms */
GY_API extern const gy_request_kind gy_kind_job;     /**< jobs of the queue */
GY_API extern const gy_request_kind gy_kind_signal;  /**< signals */
GY_API extern const gy_request_kind gy_kind_io;      /**< watchers, for one time */
GY_API extern const gy_request_kind gy_kind_read;    /**< reads of streams */
GY_API extern const gy_request_kind gy_kind_end;     /**< reading streams to their end */
GY_API extern const gy_request_kind gy_kind_connect; /**< connecting streams */
GY_API extern const gy_request_kind gy_kind_write;   /**< writes to streams */
GY_API extern const gy_request_kind gy_kind_close;   /**< closing streams */
GY_API extern const gy_request_kind gy_kind_dgram;   /**< sending datagrams */
GY_API extern const gy_request_kind gy_kind_shut;    /**< closing sockets for datagrams */
GY_API extern const gy_request_kind gy_kind_dns;     /**< looking up names */
GY_API extern const gy_request_kind gy_kind_dial;    /**< connecting to names */
GY_API extern const gy_request_kind gy_kind_exit;    /**< processes */
GY_API extern const gy_request_kind gy_kind_run;     /**< programs that are run */
GY_API extern const gy_request_kind gy_kind_pipeline; /**< pipelines */

#ifdef __cplusplus
}
#endif
#endif
