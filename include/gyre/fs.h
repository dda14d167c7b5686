/* SPDX-License-Identifier: ISC */
/** @file fs.h
 *  Files and directories: each operation is done by a thread of a pool and reports to the loop.
 *
 *  A request (gy_fs) is the caller's memory. It carries an operation to the pool's I/O lane and its result back, and
 *  may then be used again. Operations that are under way at the same time are done in any order: who needs an order
 *  starts the second from the callback of the first.
 *
 *  - Whatever is handed over by pointer (paths, buffers, arrays of buffers, directories) must stay until the callback.
 *  - All functions are for the loop's thread. They return 0; -EINVAL for bad arguments (no function, no path, a
 *    negative descriptor or size, an unknown flag); -EALREADY when the request is under way; -ENOMEM when the own pool
 *    of the loop cannot be made. Everything else, a missing file as well as a lack of threads, comes to the callback.
 *  - Results that have no size known in advance (texts, directory entries, the contents of a file) are in memory that
 *    belongs to the request, until gy_fs_release() or the end of its next operation. It comes from the allocator of the
 *    pool, which is the loop's for the loop's own pool, and is called on the pool's threads: a loop with an allocator
 *    that is for one thread only needs a pool with another one.
 *  - Numbers that are offsets, sizes, times, owners or, where a file exists already, permission bits are taken at their
 *    word, 0 included: `.at = 0`, or no `.at`, is the beginning of the file. "Here", "now" and "as it is" have names.
 *  - Times are wall clock, nanoseconds since 1970; those outside of 1678 to 2261 are brought to the nearest limit.
 *  - Descriptors are close-on-exec. Strings are as the system has them: bytes, usually UTF-8, ending in 0.
 */
#ifndef GYRE_FS_H
#define GYRE_FS_H

#include "gyre/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_fs gy_fs;
typedef struct gy_fs_dir gy_fs_dir;

#define GY_FS_HERE (-1)                   /**< as an offset: where the descriptor stands, and move it */
#define GY_FS_NOW  INT64_MIN              /**< as a time to set: the present one */
#define GY_FS_KEEP (INT64_MIN + 1)        /**< as a time to set: leave it as it is */
#define GY_FS_NO_TIME INT64_MIN           /**< as a time that was read: not known */
#define GY_FS_SAME_ID ((uint32_t)4294967295u) /**< as an owner or a group to set: leave it as it is */

/** The operation is done, or `err` says why not; the results are in the request, which is the caller's again and may be
 *  started anew or freed in here. `err` is GY_ECANCELED after gy_fs_cancel(), -EAGAIN or -ENOMEM when there was no
 *  thread to do it, and else what the system says. */
typedef void gy_fs_fn(gy_fs *req, int err);

/** Kinds of files. */
typedef enum gy_fs_type {
    GY_FS_UNKNOWN, /**< in a directory entry: the file system does not tell; ask gy_fs_lstat() */
    GY_FS_FILE,
    GY_FS_DIR,
    GY_FS_LINK, /**< symbolic */
    GY_FS_FIFO,
    GY_FS_SOCKET,
    GY_FS_CHAR, /**< a character device */
    GY_FS_BLOCK /**< a block device */
} gy_fs_type;

/** What is known about a file. */
typedef struct gy_fs_info {
    gy_fs_type type;                   /**< what it is */
    uint32_t mode;                     /**< permission bits, 07777 at most */
    uint32_t uid;                      /**< owner */
    uint32_t gid;                      /**< group */
    uint64_t dev;                      /**< the device it is on */
    uint64_t ino;                      /**< its number there: together its identity */
    uint64_t nlink;                    /**< how many names it has */
    uint64_t rdev;                     /**< the device it stands for, for GY_FS_CHAR and GY_FS_BLOCK */
    int64_t size;                      /**< in bytes */
    int64_t blocks;                    /**< space taken, in units of 512 bytes */
    int64_t block_size;                /**< the best size for reading and writing, in bytes */
    gy_ns atime;                       /**< last read */
    gy_ns mtime;                       /**< last written */
    gy_ns ctime;                       /**< last changed in any way */
    gy_ns birth;                       /**< made; GY_FS_NO_TIME if not known */
} gy_fs_info;

/** The room on a file system. */
typedef struct gy_fs_space {
    uint64_t block_size;   /**< bytes in one of the blocks below */
    uint64_t blocks;       /**< all */
    uint64_t free;         /**< for the superuser */
    uint64_t available;    /**< for everybody */
    uint64_t files;        /**< how many files there may be; 0: no limit is known */
    uint64_t files_free;   /**< of these, not used */
    uint64_t name_max;     /**< bytes in the longest name */
} gy_fs_space;

/** An entry of a directory; never "." or "..". */
typedef struct gy_fs_entry {
    const char *name; /**< without the folder; valid until the next batch */
    uint64_t ino;     /**< its number on the device */
    gy_fs_type type;  /**< as far as the directory tells, else GY_FS_UNKNOWN */
} gy_fs_entry;

/** What gy_fs_walk() shows for each file. */
typedef struct gy_fs_step {
    const char *path;       /**< the path that was given, "/" and the way from there; valid during the call */
    const char *name;       /**< the last part of it */
    const gy_fs_info *info; /**< as gy_fs_lstat() gives it */
    unsigned depth;         /**< 0 for the path that was given */
    bool leaving;           /**< a directory, after everything in it (GY_FS_WALK_LEAVE) */
} gy_fs_step;

/** Called for each file of a walk ON A THREAD OF THE POOL: it must not touch the loop.
 *  @return 0 to go on; 1 to leave out what is in this directory; a negative error to end the walk with it. */
typedef int gy_fs_visit_fn(gy_fs *req, const gy_fs_step *step);

/** @cond internal */
/* What an operation is about: each uses the fields it needs. It goes from one thread to another and fits a cache line:
 * what no operation uses together shares its place. */
struct gyi_fs_in {
    const char *path;
    union {
        const char *to;
        gy_fs_dir *dir;
        gy_fs_visit_fn *visit;
        const gy_buf *bufs;
    };
    gy_buf buf;
    int64_t at, len; /* or two times */
    int32_t fd;
    union {
        int32_t other;
        uint32_t count;
    };
    union {
        uint32_t mode;
        uint32_t uid;
    };
    union {
        uint32_t flags;
        uint32_t gid;
    };
};

/* A block of memory and where it came from: kept together, as the pool may go first. */
struct gyi_fs_memory {
    gy_alloc alloc;
    void *block;
};
/** @endcond */

/** A request: one operation. The caller's memory, valid as `{0}`; it must stay until the callback. */
struct gy_fs {
    void *user;     /**< the program's */
    gy_pool *pool;  /**< the program's: where to do it; NULL: on the loop's own pool */
    gy_loop *loop;  /**< read only: where the callback is called. So are all that follow: */
    int64_t result; /**< a number of bytes or entries, or a descriptor; 0 for operations that give none */
    char *text;     /**< of readlink, realpath, mkdtemp, mkstemp; else NULL */
    gy_buf data;    /**< of gy_fs_read_file(); a byte of 0 that is not counted follows it */
    const gy_fs_entry *entries; /**< of gy_fs_readdir(): `result` of them */
    union {
        gy_fs_info info;   /**< of stat, lstat, fstat; GY_FS_UNKNOWN after an error */
        gy_fs_space space; /**< of statfs */
    };
    /** @cond internal */
    struct {
        gy_work work;
        int32_t err;
        uint32_t op;
        struct gyi_fs_in in;
        gy_fs_fn *fn;                /* from here on the loop's alone, but for results that take memory */
        struct gyi_fs_memory now;    /* what gy_fs_release() frees */
        struct gyi_fs_memory before; /* of the last operation, whose text may be a path of this one */
    } priv;
    /** @endcond */
};

/** Cancels an operation that has not begun; the callback is called with GY_ECANCELED, from the loop, and nothing was
 *  done: a close that was cancelled has to be started again.
 *  @return 0; -EBUSY when it is being done, or is done and about to report; -EALREADY when the request is idle. */
GY_API int gy_fs_cancel(gy_fs *req);

/** Frees the memory of a request's results (`text`, `data`, `entries`), if there is any; the next operation of the
 *  request does so too, when it is done, so that its path may be the last one's text. May be called after the loop
 *  and the pool are gone. A request that is under way is left alone. */
GY_API void gy_fs_release(gy_fs *req);

/* ---- open files ---------------------------------------------------------------------------------------------- */

/** How to open. */
typedef struct gy_fs_open_opts {
    const char *path; /**< never NULL; must stay until the callback */
    int flags;     /**< of <fcntl.h>: O_RDONLY (which is 0), O_WRONLY, O_RDWR, O_CREAT ...; O_CLOEXEC is added */
    unsigned mode; /**< permission bits of a new file, less those of the umask; 0 means 0666 */
} gy_fs_open_opts;

/** Opens a file. `result` is the descriptor, which is the caller's to close. */
GY_API int gy_fs_open(gy_loop *loop, gy_fs *req, gy_fs_open_opts opts, gy_fs_fn *fn);

/** Closes a descriptor. Its number is free afterwards whatever `err` says, but for GY_ECANCELED and when no thread
 *  could be had. */
GY_API int gy_fs_close(gy_loop *loop, gy_fs *req, int fd, gy_fs_fn *fn);

/** What to read or write, and where. */
typedef struct gy_fs_read_opts {
    int fd;             /**< open for it */
    gy_buf buf;         /**< one buffer; or */
    const gy_buf *bufs; /**< several, used one after the other when `count` is not 0 */
    unsigned count;     /**< of `bufs` */
    int64_t at;         /**< the offset, in bytes from the beginning of the file; the default is 0, the beginning. The
                             descriptor's position is neither used nor moved. GY_FS_HERE: read or write at that
                             position, and move it; the only choice for pipes, sockets and terminals */
} gy_fs_read_opts;

typedef gy_fs_read_opts gy_fs_write_opts; /**< as for reading; the buffers are not changed */

/** Reads once. `result` is the number of bytes, which may be less than was asked for, and 0 only at the end of the
 *  file. Buffers without any room at all are -EINVAL. */
GY_API int gy_fs_read(gy_loop *loop, gy_fs *req, gy_fs_read_opts opts, gy_fs_fn *fn);

/** Writes everything, in several steps if need be. `result` is the number of bytes written, after an error too. */
GY_API int gy_fs_write(gy_loop *loop, gy_fs *req, gy_fs_write_opts opts, gy_fs_fn *fn);

/** Has the device keep what was written, as far as the system can tell (macOS: F_FULLFSYNC). */
GY_API int gy_fs_sync(gy_loop *loop, gy_fs *req, int fd, gy_fs_fn *fn);

/** As gy_fs_sync(), without what is not needed to read the data back, such as times. */
GY_API int gy_fs_datasync(gy_loop *loop, gy_fs *req, int fd, gy_fs_fn *fn);

/** What to cut off, or to extend with zeroes. */
typedef struct gy_fs_truncate_opts {
    const char *path; /**< NULL: `fd` */
    int fd;           /**< open for writing */
    int64_t size; /**< in bytes */
} gy_fs_truncate_opts;

GY_API int gy_fs_truncate(gy_loop *loop, gy_fs *req, gy_fs_truncate_opts opts, gy_fs_fn *fn); /**< sets the size */

/** What to send. */
typedef struct gy_fs_sendfile_opts {
    int from;   /**< a file */
    int to;     /**< any descriptor that can be written; one that is non-blocking may take a part only */
    int64_t at; /**< offset in `from` */
    int64_t len; /**< bytes at the most; what lies behind the end of the file is not missed */
} gy_fs_sendfile_opts;

/** Copies from a file to a descriptor inside the kernel, where it can. `result` is the number of bytes, after an error
 *  too. A peer that is gone is -EPIPE and no signal. */
GY_API int gy_fs_sendfile(gy_loop *loop, gy_fs *req, gy_fs_sendfile_opts opts, gy_fs_fn *fn);

/* ---- about files --------------------------------------------------------------------------------------------- */

GY_API int gy_fs_stat(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn);   /**< `info`; follows links */
GY_API int gy_fs_lstat(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn);  /**< `info`, of a link itself */
GY_API int gy_fs_fstat(gy_loop *loop, gy_fs *req, int fd, gy_fs_fn *fn);            /**< `info`, of an open file */
GY_API int gy_fs_statfs(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn); /**< `space`, of the file system */

/** Permission bits to set, or to ask about. */
typedef struct gy_fs_mode_opts {
    const char *path; /**< not for gy_fs_fchmod() */
    int fd;           /**< for gy_fs_fchmod() only */
    unsigned mode;    /**< 07777 at the most; for gy_fs_access() R_OK, W_OK, X_OK of <unistd.h>, 0: whether it exists */
} gy_fs_mode_opts;

GY_API int gy_fs_chmod(gy_loop *loop, gy_fs *req, gy_fs_mode_opts opts, gy_fs_fn *fn);  /**< follows links */
GY_API int gy_fs_fchmod(gy_loop *loop, gy_fs *req, gy_fs_mode_opts opts, gy_fs_fn *fn); /**< an open file */

/** Whether the process's real user may do that to a file: 0, -EACCES, -ENOENT ... It may be otherwise a moment
 *  later. */
GY_API int gy_fs_access(gy_loop *loop, gy_fs *req, gy_fs_mode_opts opts, gy_fs_fn *fn);

/** Owner and group to set. */
typedef struct gy_fs_owner_opts {
    const char *path;  /**< not for gy_fs_fchown() */
    int fd;            /**< for gy_fs_fchown() only */
    uint32_t uid;      /**< the owner: 0 is root; GY_FS_SAME_ID leaves it as it is */
    uint32_t gid;      /**< the group, likewise */
} gy_fs_owner_opts;

GY_API int gy_fs_chown(gy_loop *loop, gy_fs *req, gy_fs_owner_opts opts, gy_fs_fn *fn);  /**< follows links */
GY_API int gy_fs_fchown(gy_loop *loop, gy_fs *req, gy_fs_owner_opts opts, gy_fs_fn *fn); /**< an open file */
GY_API int gy_fs_lchown(gy_loop *loop, gy_fs *req, gy_fs_owner_opts opts, gy_fs_fn *fn); /**< a link itself */

/** Times to set. */
typedef struct gy_fs_time_opts {
    const char *path;   /**< not for gy_fs_futime() */
    int fd;             /**< for gy_fs_futime() only */
    gy_ns atime;        /**< last read, since 1970: 0 is the first of January; GY_FS_NOW, GY_FS_KEEP */
    gy_ns mtime;        /**< last written, likewise */
} gy_fs_time_opts;

GY_API int gy_fs_utime(gy_loop *loop, gy_fs *req, gy_fs_time_opts opts, gy_fs_fn *fn);  /**< follows links */
GY_API int gy_fs_futime(gy_loop *loop, gy_fs *req, gy_fs_time_opts opts, gy_fs_fn *fn); /**< an open file */
GY_API int gy_fs_lutime(gy_loop *loop, gy_fs *req, gy_fs_time_opts opts, gy_fs_fn *fn); /**< a link itself */

/* ---- names --------------------------------------------------------------------------------------------------- */

/** Two paths. */
typedef struct gy_fs_pair_opts {
    const char *from; /**< what there is; for gy_fs_symlink() what the link says */
    const char *to;   /**< the name it gets */
} gy_fs_pair_opts;

GY_API int gy_fs_rename(gy_loop *loop, gy_fs *req, gy_fs_pair_opts opts, gy_fs_fn *fn); /**< replaces what is at `to` */
GY_API int gy_fs_link(gy_loop *loop, gy_fs *req, gy_fs_pair_opts opts, gy_fs_fn *fn);   /**< -EEXIST if `to` is there */
GY_API int gy_fs_symlink(gy_loop *loop, gy_fs *req, gy_fs_pair_opts opts, gy_fs_fn *fn); /**< likewise */
GY_API int gy_fs_unlink(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn);      /**< removes a name */

/** What a symbolic link says, of any length, is `text`, and its length `result`. */
GY_API int gy_fs_readlink(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn);

/** The absolute path without links, of any length, is `text`, and its length `result`. */
GY_API int gy_fs_realpath(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn);

/* ---- directories --------------------------------------------------------------------------------------------- */

/** How to make a directory. */
typedef struct gy_fs_mkdir_opts {
    const char *path; /**< never NULL; must stay until the callback */
    unsigned mode; /**< permission bits, less those of the umask; 0 means 0777 */
} gy_fs_mkdir_opts;

GY_API int gy_fs_mkdir(gy_loop *loop, gy_fs *req, gy_fs_mkdir_opts opts, gy_fs_fn *fn); /**< -EEXIST if it is there */
GY_API int gy_fs_rmdir(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn);      /**< -ENOTEMPTY if it is not */

/** Makes a directory for the user alone. `path` ends in XXXXXX; `text` is the name that was made of it. */
GY_API int gy_fs_mkdtemp(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn);

/** Makes a file for the user alone, as gy_fs_mkdtemp(). `result` is its descriptor, for reading and writing. */
GY_API int gy_fs_mkstemp(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn);

/** A directory being read. The caller's memory, valid as `{0}`; from gy_fs_opendir() to the callback of
 *  gy_fs_closedir() it must stay. One operation at a time: -EALREADY at once for a second one. */
struct gy_fs_dir {
    void *user; /**< the program's */
    /** @cond internal */
    struct {
        void *stream;        /* NULL: not open */
        const void *pending; /* an entry that the last batch had no room for */
        int32_t err;         /* what the next batch will report */
        bool busy;           /* the loop's: an operation has it */
    } priv;
    /** @endcond */
};

/** Which directory, and which handle for it. */
typedef struct gy_fs_opendir_opts {
    const char *path; /**< never NULL; must stay until the callback */
    gy_fs_dir *dir; /**< not open, else -EALREADY at once */
} gy_fs_opendir_opts;

GY_API int gy_fs_opendir(gy_loop *loop, gy_fs *req, gy_fs_opendir_opts opts, gy_fs_fn *fn); /**< opens `dir` */

/** Which entries. */
typedef struct gy_fs_readdir_opts {
    gy_fs_dir *dir; /**< open, else -EINVAL at once */
    unsigned most;  /**< entries in one batch at the most, up to 65,536; default 256 */
} gy_fs_readdir_opts;

/** Reads a batch of entries, in the order of the file system: `result` of them at `entries`; none are left when it is
 *  0. A batch may be smaller than `most` before that. */
GY_API int gy_fs_readdir(gy_loop *loop, gy_fs *req, gy_fs_readdir_opts opts, gy_fs_fn *fn);

/** Closes a directory that is open, else -EINVAL at once. */
GY_API int gy_fs_closedir(gy_loop *loop, gy_fs *req, gy_fs_dir *dir, gy_fs_fn *fn);

/* ---- whole files and trees ----------------------------------------------------------------------------------- */

/** Flags of gy_fs_copyfile(). */
enum gy_fs_copy {
    GY_FS_COPY_EXCLUSIVE = 1, /**< -EEXIST if `to` is there */
    GY_FS_COPY_CLONE = 2,     /**< shares the blocks with `from` where the file system can, else copies */
    GY_FS_COPY_FORCE = 4      /**< shares the blocks or fails: -ENOTSUP, -EXDEV ... */
};

/** What to copy. */
typedef struct gy_fs_copyfile_opts {
    const char *from; /**< a regular file, else -EINVAL, or -EISDIR for a directory; links are followed */
    const char *to;   /**< a new file, which gets the permissions of `from`; or one whose contents are replaced. A
                           symbolic link to nothing is -ENOENT */
    unsigned flags;   /**< of enum gy_fs_copy */
} gy_fs_copyfile_opts;

/** Copies the contents of a file, inside the kernel where it can. `result` is the number of bytes, 0 for a clone. On
 *  failure a new `to` is removed; one that was there has lost its contents. A file that is
 *  copied to itself stays as it is. */
GY_API int gy_fs_copyfile(gy_loop *loop, gy_fs *req, gy_fs_copyfile_opts opts, gy_fs_fn *fn);

/** What to read. */
typedef struct gy_fs_read_file_opts {
    const char *path; /**< never NULL; must stay until the callback */
    size_t max; /**< bytes; a larger file is -EFBIG. 0: no limit but memory */
} gy_fs_read_file_opts;

/** Reads a file from beginning to end, also one whose size the system does not tell, into `data`, its length being
 *  `result`. A directory is -EISDIR; a FIFO is waited for. */
GY_API int gy_fs_read_file(gy_loop *loop, gy_fs *req, gy_fs_read_file_opts opts, gy_fs_fn *fn);

/** What to write. */
typedef struct gy_fs_write_file_opts {
    const char *path; /**< a symbolic link there is replaced, not followed */
    gy_buf data;      /**< may be empty */
    unsigned mode;   /**< permission bits; 0: those of the file that is replaced; of a new one 0666 less the umask */
    bool nosync;      /**< does not wait for the device: readers still see the old file or the new one, but after a loss
                           of power it may be neither */
} gy_fs_write_file_opts;

/** Replaces a file, or makes it, all at once: the data is written to a temporary file beside it, synchronised, given
 *  the name, and the directory is synchronised. Whoever opens the path finds the old contents or the new ones. On
 *  failure the old file is as it was and the temporary one is gone; only when the last step, the synchronising of the
 *  directory, is what failed, the new one is in place already. The owner is the process's. `result` is the number of
 *  bytes. */
GY_API int gy_fs_write_file(gy_loop *loop, gy_fs *req, gy_fs_write_file_opts opts, gy_fs_fn *fn);

/** Flags of gy_fs_walk(). */
enum gy_fs_walk_flag {
    GY_FS_WALK_LEAVE = 1 /**< visits directories a second time, after what is in them */
};

/** Where to walk. */
typedef struct gy_fs_walk_opts {
    const char *path; /**< never NULL; must stay until the callback */
    gy_fs_visit_fn *visit; /**< on a thread of the pool; never NULL */
    unsigned flags;        /**< of enum gy_fs_walk_flag */
} gy_fs_walk_opts;

/** Visits a file and, if it is a directory, everything below, directories before what is in them. Symbolic links are
 *  visited and not followed. What disappears meanwhile is left out; other errors end the walk. `result` is the number
 *  of visits. Each level takes a descriptor while the walk is below it. */
GY_API int gy_fs_walk(gy_loop *loop, gy_fs *req, gy_fs_walk_opts opts, gy_fs_fn *fn);

/** Removes a file, or a directory with all that is in it, at any depth. Symbolic links are removed and not followed,
 *  also when somebody puts one in the place of a directory meanwhile; the last part of `path` itself included, and must
 *  be no "." or "..": -EINVAL. Ends at the first error: what was removed by then stays removed. That something was gone
 *  already is no error, except `path` itself. -EACCES: a directory may not be read, and is not empty. -ESTALE: one was
 *  moved away while it was being emptied. `result` is the number of files and directories removed. */
GY_API int gy_fs_remove_tree(gy_loop *loop, gy_fs *req, const char *path, gy_fs_fn *fn);

#ifdef __cplusplus
}
#endif
#endif
