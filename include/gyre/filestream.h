/* SPDX-License-Identifier: ISC */
/** @file filestream.h
 *  A file as a stream: reads and writes go on from one place to the next, and take the same callbacks as those of a
 *  socket.
 *
 *  The kernel does not say when a file is ready, so each read and write is a job for a thread of the pool, one of each
 *  at a time. In between the stream is as any other: queue, limit, cancelling, closing. What only sockets have answers
 *  -ENOTSUP, and gy_stream_try_read() and gy_stream_try_write() always -EAGAIN. For single reads and writes at
 *  places of one's choice see fs.h.
 */
#ifndef GYRE_FILESTREAM_H
#define GYRE_FILESTREAM_H

#include "gyre/pool.h"
#include "gyre/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Which ways a file stream goes. The other way answers -EBADF. */
typedef enum gy_file_ways {
    GY_FILE_BOTH, /**< reads and writes, each with a place of its own */
    GY_FILE_READ,
    GY_FILE_WRITE
} gy_file_ways;

enum {
    GY_FILE_HERE = -1,  /**< as an offset: where the descriptor stands, which is moved */
    GY_FILE_GATHER = 16 /**< how many buffers of queued writes go with one job */
};

/** A file as a stream: `stream` is for the functions of stream.h, which also close it. The caller's memory, valid as
 *  `{0}`; it must stay until the close callback. */
typedef struct gy_file_stream {
    gy_stream stream; /**< its `user` is the program's */
    /** @cond internal */
    struct {
        gy_work reading, writing; /* the job of each way */
        gy_buf into, from[GY_FILE_GATHER];
        gy_pool *pool;
        struct gyi_move *move; /* what reads into another stream */
        int64_t cached; /* up to this offset the file was in memory when the kernel was asked */
        gy_ns asked;
        int64_t read_at, write_at, left; /* offsets, or GY_FILE_HERE; bytes that may still be read */
        int64_t got, put;                /* what the jobs have answered */
        uint32_t count;                  /* of `from` */
        bool keep, sync;
    } priv;
    /** @endcond */
} gy_file_stream;

/** How a file becomes a stream. */
typedef struct gy_file_stream_opts {
    int fd;            /**< opened by the caller, blocking as files are */
    gy_file_ways ways; /**< default: both */
    int64_t at;        /**< where to begin: an offset, default 0; or GY_FILE_HERE, for what has no offsets and for the
                            position that somebody else has left. With that a read that was cancelled too late may have
                            moved the position, and its bytes are lost */
    int64_t limit;     /**< read so many bytes at most, then GY_EOF; 0: to the end of the file */
    bool keep;         /**< `fd` stays open when the stream is closed. Otherwise the loop's thread closes it, which on
                            some network file systems waits: keep it then, and close it with gy_fs_close() */
    bool sync;         /**< gy_stream_shutdown() reports when the data written is on the device */
    gy_pool *pool;     /**< whose threads read and write (GY_LANE_IO); NULL: those of the loop's own pool */
} gy_file_stream_opts;

/** Opens a stream of a file. The stream owns the descriptor from then on, unless `keep` is set. A file that is at its
 *  end reads GY_EOF, and may be read again when it has grown.
 *  @return 0; -EBADF for a negative descriptor; -EINVAL for an option out of range; -EALREADY when it is open. On
 *  failure the descriptor stays the caller's. */
GY_API int gy_file_stream_open(gy_loop *loop, gy_file_stream *file, gy_file_stream_opts opts);

#ifdef __cplusplus
}
#endif
#endif
