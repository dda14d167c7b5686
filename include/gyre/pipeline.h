/* SPDX-License-Identifier: ISC */
/** @file pipeline.h
 *  Everything from one stream to another, through steps that change it, at the pace of the slower of the two.
 *
 *  A pipeline has one buffer. It reads while there is room in it, and writes at the same time what is there; so a
 *  reader that is slow stops the source, and memory is bounded by one number. Whatever goes wrong at whichever place
 *  ends the whole, and there is one callback.
 *
 *  Without steps, where the system can (Linux), bytes need not pass through the process: from a file stream to a
 *  socket, a pipe or another file, and between sockets and pipes when one is a pipe, the kernel moves them by itself.
 *  That is tried first, needs no buffer, and can be told from the other way by its speed alone. Terminals, sockets that
 *  were handed over in blocking mode, and streams that receive descriptors are read and written as always.
 */
#ifndef GYRE_PIPELINE_H
#define GYRE_PIPELINE_H

#include <errno.h>

#include "gyre/job.h"
#include "gyre/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_pipeline gy_pipeline;
typedef struct gy_transform gy_transform;

/** What a step answers that needs more room than it was given, having taken nothing and written nothing. It is called
 *  again when there is all the room that there ever is; if it says so then, the pipeline ends with this error. */
enum { GY_TRANSFORM_ROOM = -ENOBUFS };

/** Takes bytes from `in` and fills `out`, on the loop's thread. `*taken`, which is 0, becomes the bytes taken;
 *  those that are not taken come again, possibly without any more behind them. So a step that waits for more takes what
 *  there is and keeps it. With an empty `in` the input is at its end: it is called again until it answers 0.
 *  @return the number of bytes written to `out`, 0 if there are none yet; GY_TRANSFORM_ROOM; or a negative error, which
 *  ends the pipeline. To take nothing and write nothing before the end means GY_TRANSFORM_ROOM, too. */
typedef int64_t gy_transform_fn(gy_transform *step, gy_buf in, gy_buf out, size_t *taken);

/** A step. The caller's memory; it must stay until the pipeline's callback, and is in one pipeline at a time. */
struct gy_transform {
    void *user; /**< the program's */
    gy_transform_fn *run; /**< what it does; never NULL */
};

/** The pipeline has ended: everything was moved (`err` 0), or `err` is the first thing that went wrong, GY_ECANCELED
 *  after gy_pipeline_stop(). Both streams are closed (see gy_pipeline_opts.keep), and all memory is the caller's again.
 */
typedef void gy_pipeline_fn(gy_pipeline *pipeline, int err);

/** @cond internal */
/* Where a read into another stream goes (src/net/direct.h). */
struct gyi_move {
    gy_stream *to;
    int64_t (*recv)(gy_stream *from, struct gyi_move *move); /* the call that a socket or pipe makes */
    uint64_t moved;                                          /* bytes */
};
/** @endcond */

/** A pipeline. The caller's memory, valid as `{0}`; it must stay until its callback. */
struct gy_pipeline {
    void *user;             /**< the program's */
    gy_loop *loop;          /**< read only: where it was started */
    uint64_t read_bytes;    /**< read only: from the source */
    uint64_t written_bytes; /**< read only: to the destination, by writes that are done */
    /** @cond internal */
    struct {
        gy_stream *from, *to;
        gy_transform *const *steps;
        gy_pipeline_fn *fn;
        struct gyi_ring *rings; /* one before each step, one behind the last; the block that is to be freed */
        struct gyi_move move;
        gy_write write;
        gy_job job;                /* tells that it has ended */
        void *from_user, *to_user; /* what the streams had there */
        size_t size;               /* of all rings, in bytes */
        size_t writing;            /* bytes */
        unsigned count, ended;     /* steps; those that have given their last byte */
        uint32_t state;
        int32_t err;
    } priv;
    /** @endcond */
};

/** What to move. */
typedef struct gy_pipeline_opts {
    gy_stream *from;            /**< open, without a read pending. Its `user` is the pipeline's until `fn` is called,
                                     which finds it as it was */
    gy_stream *to;              /**< open; may be the same as `from`. Its `user` is the pipeline's while it is closed */
    gy_transform *const *steps; /**< the first is next to the source; the array must stay, too */
    unsigned count;             /**< of `steps`; at most 64 */
    size_t high_water;          /**< bytes of buffer, shared evenly by the places before, between and behind the steps;
                                     default 64 KiB, at least 16 for each place. None is needed while the kernel moves
                                     the bytes */
    bool end;                   /**< when all is written, shut `to` down and wait for that */
    bool keep;                  /**< leave both streams open. A write that had to be cancelled breaks `to`. For two
                                     pipelines that cross on the same two streams */
    gy_pipeline_fn *fn;         /**< called once; never NULL */
} gy_pipeline_opts;

/** Starts to move. @return 0; -EINVAL for options that are missing or out of range; -EALREADY when it is running;
 *  -ENOMEM; GY_ECLOSED when `to` is not open; and what gy_stream_read() says. On failure the streams are as they were.
 *  Until the callback both streams are the pipeline's: who wants them closed sooner calls gy_pipeline_stop(). */
GY_API int gy_pipeline_start(gy_loop *loop, gy_pipeline *pipeline, gy_pipeline_opts opts);

/** Ends a pipeline early: its callback is told GY_ECANCELED. What is not running, or has ended already, is ignored. */
GY_API void gy_pipeline_stop(gy_pipeline *pipeline);

/** Has it read no more, after the read that is pending, until gy_pipeline_resume(). What was read is written. */
GY_API void gy_pipeline_pause(gy_pipeline *pipeline);

/** Has it go on. */
GY_API void gy_pipeline_resume(gy_pipeline *pipeline);

#ifdef __cplusplus
}
#endif
#endif
