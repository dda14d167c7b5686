/* SPDX-License-Identifier: ISC */
/* File operations as programs see them: every one on a real folder, each error in the callback, cancelling, crowds, and
 * failures of memory and system calls under way.
 *
 * Permissions are not tested by being refused: the tests may run as root, who is refused nothing. */
#include <pthread.h>

#include "../unit/files.h"
#include "gyre/pool.h"

typedef struct op {
    gy_fs req;
    int done, err;
} op;

static void op_done(gy_fs *req, int err) {
    op *o = GY_OF(req, op, req);
    o->done++;
    o->err = err;
}

static gy_loop *files_loop(const char *backend) {
    gy_loop *loop;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    return loop;
}

/* Starts an operation on `o`, runs the loop, and gives what the callback was told. */
#define DO(start, ...) (o.done = 0, CHECK_STARTS(start(loop, &o.req, __VA_ARGS__, op_done)), o.err)
#define CHECK_STARTS(started) files_finish(loop, &o, (started))

static void files_finish(gy_loop *loop, op *o, int started) {
    CHECK_EQ(started, 0);
    CHECK_EQ(o->done, 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(o->done, 1);
}

TEST_BACKENDS(files, descriptors) {
    folder f;
    op o = {.done = 0};
    char page[8] = "", more[8] = "";
    gy_loop *loop = files_loop(backend);
    folder_make(&f);
    const char *path = folder_path(&f, "a");
    CHECK_EQ(DO(gy_fs_open, ((gy_fs_open_opts){.path = path, .flags = O_RDWR | O_CREAT})), 0);
    int fd = (int)o.req.result;
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    gy_buf parts[2] = {{(char[]){"abc"}, 3}, {(char[]){"def"}, 3}};
    CHECK_EQ(DO(gy_fs_write, ((gy_fs_write_opts){.fd = fd, .bufs = parts, .count = 2})), 0);
    CHECK_EQ(o.req.result, 6);
    CHECK_EQ(DO(gy_fs_write, ((gy_fs_write_opts){.fd = fd})), 0);
    CHECK_EQ(o.req.result, 0);
    CHECK_EQ(DO(gy_fs_read, ((gy_fs_read_opts){.fd = fd, .buf = {page, 4}, .at = GY_FS_HERE})), 0);
    CHECK_STR(page, "abcd");
    CHECK_EQ(DO(gy_fs_read, ((gy_fs_read_opts){.fd = fd, .buf = {more, 4}, .at = GY_FS_HERE})), 0);
    CHECK_EQ(o.req.result, 2);
    CHECK_STR(more, "ef");
    CHECK_EQ(DO(gy_fs_read, ((gy_fs_read_opts){.fd = fd, .buf = GY_BUF(page), .at = GY_FS_HERE})), 0);
    CHECK_EQ(o.req.result, 0);
    CHECK_EQ(DO(gy_fs_sync, fd), 0);
    CHECK_EQ(DO(gy_fs_datasync, fd), 0);
    CHECK_EQ(DO(gy_fs_truncate, ((gy_fs_truncate_opts){.fd = fd, .size = 4})), 0);
    CHECK_EQ(DO(gy_fs_truncate, ((gy_fs_truncate_opts){.path = path, .size = 3})), 0);
    CHECK(folder_has(&f, "a", "abc"));
    CHECK_EQ(DO(gy_fs_close, fd), 0);
    CHECK_EQ(DO(gy_fs_close, fd), -EBADF);
    CHECK_EQ(DO(gy_fs_read, ((gy_fs_read_opts){.fd = fd, .buf = GY_BUF(page)})), -EBADF);
    CHECK_EQ(DO(gy_fs_write, ((gy_fs_write_opts){.fd = fd, .buf = GY_BUF(page)})), -EBADF);
    CHECK_EQ(DO(gy_fs_sync, fd), -EBADF);
    CHECK_EQ(DO(gy_fs_datasync, fd), -EBADF);
    CHECK_EQ(DO(gy_fs_truncate, ((gy_fs_truncate_opts){.path = f.path, .size = 1})), -EISDIR);
    CHECK_EQ(DO(gy_fs_open, ((gy_fs_open_opts){.path = folder_path(&f, "none")})), -ENOENT);
    CHECK_EQ(DO(gy_fs_open, ((gy_fs_open_opts){.path = f.path, .flags = O_WRONLY})), -EISDIR);
    CHECK_EQ(gy_loop_free(loop), 0);
    folder_remove(&f);
}

TEST_BACKENDS(files, pipes_have_no_offsets) {
    op o = {.done = 0};
    char page[8] = "";
    int ends[2];
    gy_loop *loop = files_loop(backend);
    CHECK_EQ(pipe(ends), 0);
    gy_buf text = {(char[]){"abc"}, 3};
    CHECK_EQ(DO(gy_fs_write, ((gy_fs_write_opts){.fd = ends[1], .buf = text})), -ESPIPE);
    CHECK_EQ(DO(gy_fs_write, ((gy_fs_write_opts){.fd = ends[1], .buf = text, .at = GY_FS_HERE})), 0);
    CHECK_EQ(DO(gy_fs_read, ((gy_fs_read_opts){.fd = ends[0], .buf = GY_BUF(page)})), -ESPIPE);
    CHECK_EQ(DO(gy_fs_read, ((gy_fs_read_opts){.fd = ends[0], .buf = GY_BUF(page), .at = GY_FS_HERE})), 0);
    CHECK_STR(page, "abc");
    close(ends[0]);
    CHECK_EQ(DO(gy_fs_write, ((gy_fs_write_opts){.fd = ends[1], .buf = text, .at = GY_FS_HERE})), -EPIPE);
    close(ends[1]);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(files, information) {
    folder f;
    op o = {.done = 0};
    gy_loop *loop = files_loop(backend);
    folder_make(&f);
    const char *path = folder_put(&f, "a", "abc"), *link = folder_path(&f, "l"), *none = folder_path(&f, "none");
    int fd = open(path, O_RDWR);
    CHECK_EQ(symlink("a", link), 0);
    CHECK_EQ(DO(gy_fs_stat, link), 0);
    CHECK(o.req.info.type == GY_FS_FILE && o.req.info.size == 3 && o.req.info.mtime > GY_S(1000000000));
    CHECK_EQ(DO(gy_fs_lstat, link), 0);
    CHECK_EQ(o.req.info.type, GY_FS_LINK);
    CHECK_EQ(DO(gy_fs_fstat, fd), 0);
    CHECK_EQ(o.req.info.size, 3);
    CHECK_EQ(DO(gy_fs_stat, none), -ENOENT);
    CHECK_EQ(o.req.info.size, 0);
    CHECK_EQ(DO(gy_fs_stat, folder_path(&f, "a/b")), -ENOTDIR);
    CHECK_EQ(DO(gy_fs_statfs, path), 0);
    CHECK(o.req.space.block_size > 0 && o.req.space.name_max > 0);
    CHECK_EQ(DO(gy_fs_statfs, none), -ENOENT);
    CHECK_EQ(DO(gy_fs_access, ((gy_fs_mode_opts){.path = path, .mode = R_OK})), 0);
    CHECK_EQ(DO(gy_fs_access, ((gy_fs_mode_opts){.path = none})), -ENOENT);
    CHECK_EQ(DO(gy_fs_chmod, ((gy_fs_mode_opts){.path = path, .mode = 0600})), 0);
    CHECK_EQ(DO(gy_fs_fchmod, ((gy_fs_mode_opts){.fd = fd, .mode = 0604})), 0);
    CHECK_EQ(DO(gy_fs_chown, ((gy_fs_owner_opts){.path = link, .uid = getuid(), .gid = GY_FS_SAME_ID})), 0);
    CHECK_EQ(DO(gy_fs_lchown, ((gy_fs_owner_opts){.path = link, .uid = GY_FS_SAME_ID, .gid = getgid()})), 0);
    CHECK_EQ(DO(gy_fs_fchown, ((gy_fs_owner_opts){.fd = fd, .uid = getuid(), .gid = getgid()})), 0);
    CHECK_EQ(DO(gy_fs_utime, ((gy_fs_time_opts){.path = link, .mtime = GY_S(5)})), 0);
    CHECK_EQ(DO(gy_fs_futime, ((gy_fs_time_opts){.fd = fd, .atime = 7, .mtime = GY_FS_KEEP})), 0);
    CHECK_EQ(DO(gy_fs_lutime, ((gy_fs_time_opts){.path = link, .mtime = GY_S(9)})), 0);
    CHECK_EQ(DO(gy_fs_stat, path), 0);
    CHECK(o.req.info.mode == 0604 && o.req.info.mtime == GY_S(5) && o.req.info.atime == 7);
    CHECK_EQ(DO(gy_fs_lstat, link), 0);
    CHECK_EQ(o.req.info.mtime, GY_S(9));
    CHECK_EQ(DO(gy_fs_utime, ((gy_fs_time_opts){.path = none})), -ENOENT);
    CHECK_EQ(DO(gy_fs_chmod, ((gy_fs_mode_opts){.path = none})), -ENOENT);
    CHECK_EQ(DO(gy_fs_chown, ((gy_fs_owner_opts){.path = none})), -ENOENT);
    close(fd);
    CHECK_EQ(gy_loop_free(loop), 0);
    folder_remove(&f);
}

TEST_BACKENDS(files, names) {
    folder f;
    op o = {.done = 0};
    gy_loop *loop = files_loop(backend);
    folder_make(&f);
    const char *a = folder_put(&f, "a", "abc"), *b = folder_path(&f, "b"), *l = folder_path(&f, "l");
    CHECK_EQ(DO(gy_fs_link, ((gy_fs_pair_opts){a, b})), 0);
    CHECK_EQ(DO(gy_fs_link, ((gy_fs_pair_opts){a, b})), -EEXIST);
    CHECK_EQ(DO(gy_fs_symlink, ((gy_fs_pair_opts){"b", l})), 0);
    CHECK_EQ(DO(gy_fs_symlink, ((gy_fs_pair_opts){"b", l})), -EEXIST);
    CHECK_EQ(DO(gy_fs_readlink, l), 0);
    CHECK_STR(o.req.text, "b");
    CHECK_EQ(DO(gy_fs_readlink, a), -EINVAL);
    CHECK(o.req.text == NULL);
    CHECK_EQ(DO(gy_fs_realpath, l), 0);
    CHECK_STR(o.req.text, b);
    CHECK_EQ(DO(gy_fs_unlink, a), 0);
    CHECK_EQ(DO(gy_fs_unlink, a), -ENOENT);
    CHECK_EQ(DO(gy_fs_unlink, f.path), -EISDIR);
    CHECK_EQ(DO(gy_fs_realpath, a), -ENOENT);
    CHECK_EQ(DO(gy_fs_rename, ((gy_fs_pair_opts){b, a})), 0);
    CHECK_EQ(DO(gy_fs_rename, ((gy_fs_pair_opts){b, a})), -ENOENT);
    CHECK_EQ(DO(gy_fs_mkdir, ((gy_fs_mkdir_opts){.path = b})), 0);
    CHECK_EQ(DO(gy_fs_mkdir, ((gy_fs_mkdir_opts){.path = b})), -EEXIST);
    CHECK_EQ(DO(gy_fs_rmdir, f.path), -ENOTEMPTY);
    CHECK_EQ(DO(gy_fs_rmdir, a), -ENOTDIR);
    CHECK_EQ(DO(gy_fs_rmdir, b), 0);
    CHECK_EQ(DO(gy_fs_mkdtemp, folder_path(&f, "d-XXXXXX")), 0);
    CHECK_EQ(access(o.req.text, F_OK), 0);
    CHECK_EQ(DO(gy_fs_mkstemp, folder_path(&f, "f-XXXXXX")), 0);
    CHECK_EQ(access(o.req.text, F_OK), 0);
    CHECK_EQ(DO(gy_fs_close, (int)o.req.result), 0);
    CHECK_EQ(DO(gy_fs_mkdtemp, "no-template"), -EINVAL);
    CHECK_EQ(DO(gy_fs_mkstemp, folder_path(&f, "none/XXXXXX")), -ENOENT);
    gy_fs_release(&o.req);
    CHECK_EQ(gy_loop_free(loop), 0);
    folder_remove(&f);
}

static int files_visit(gy_fs *req, const gy_fs_step *step) {
    *(int *)req->user += step->info->type == GY_FS_FILE;
    return 0;
}

TEST_BACKENDS(files, directories_and_trees) {
    folder f;
    op o = {.done = 0};
    gy_fs_dir dir = {.user = NULL};
    int files = 0;
    char name[16];
    gy_loop *loop = files_loop(backend);
    folder_make(&f);
    folder_dir(&f, "out");
    folder_put(&f, "out/keep", "keep");
    const char *t = folder_dir(&f, "t");
    CHECK_EQ(symlink("../out", folder_path(&f, "t/link")), 0);
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "t/%d", i);
        folder_put(&f, name, "");
    }
    CHECK_EQ(DO(gy_fs_opendir, ((gy_fs_opendir_opts){.path = t, .dir = &dir})), 0);
    int entries = 0;
    do {
        CHECK_EQ(DO(gy_fs_readdir, ((gy_fs_readdir_opts){.dir = &dir, .most = 4})), 0);
        entries += (int)o.req.result;
    } while (o.req.result);
    CHECK_EQ(entries, 11);
    CHECK_EQ(DO(gy_fs_closedir, &dir), 0);
    CHECK_EQ(DO(gy_fs_opendir, ((gy_fs_opendir_opts){.path = folder_path(&f, "none"), .dir = &dir})), -ENOENT);
    o.req.user = &files;
    CHECK_EQ(DO(gy_fs_walk, ((gy_fs_walk_opts){.path = t, .visit = files_visit})), 0);
    CHECK(o.req.result == 12 && files == 10);
    CHECK_EQ(DO(gy_fs_remove_tree, t), 0);
    CHECK_EQ(o.req.result, 12);
    CHECK(!folder_there(&f, "t") && folder_has(&f, "out/keep", "keep"));
    CHECK_EQ(DO(gy_fs_remove_tree, t), -ENOENT);
    CHECK_EQ(gy_loop_free(loop), 0);
    folder_remove(&f);
}

TEST_BACKENDS(files, whole_files) {
    folder f;
    op o = {.done = 0};
    int ends[2];
    gy_loop *loop = files_loop(backend);
    folder_make(&f);
    const char *a = folder_path(&f, "a"), *b = folder_path(&f, "b");
    gy_buf text = {(char[]){"hello"}, 5};
    CHECK_EQ(DO(gy_fs_write_file, ((gy_fs_write_file_opts){.path = a, .data = text})), 0);
    CHECK_EQ(DO(gy_fs_copyfile, ((gy_fs_copyfile_opts){.from = a, .to = b})), 0);
    CHECK_EQ(DO(gy_fs_copyfile, ((gy_fs_copyfile_opts){a, b, GY_FS_COPY_EXCLUSIVE})), -EEXIST);
    CHECK_EQ(DO(gy_fs_read_file, ((gy_fs_read_file_opts){.path = b})), 0);
    CHECK_STR(o.req.data.base, "hello");
    CHECK_EQ(DO(gy_fs_read_file, ((gy_fs_read_file_opts){.path = f.path})), -EISDIR);
    CHECK(o.req.data.base == NULL);
    CHECK_EQ(pipe(ends), 0);
    int fd = open(a, O_RDONLY);
    CHECK_EQ(DO(gy_fs_sendfile, ((gy_fs_sendfile_opts){.from = fd, .to = ends[1], .at = 1, .len = 3})), 0);
    CHECK_EQ(o.req.result, 3);
    close(fd);
    close(ends[0]);
    close(ends[1]);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(folder_count(&f), 2);
    folder_remove(&f);
}

/* ---- cancelling and crowds --------------------------------------------------------------------------------------- */

static pthread_mutex_t files_gate = PTHREAD_MUTEX_INITIALIZER;

static void files_wait(gy_work *work) {
    (void)work;
    pthread_mutex_lock(&files_gate);
    pthread_mutex_unlock(&files_gate);
}

/* The only thread of the lane is busy, so nothing else begins: what is cancelled then is not done. */
TEST_BACKENDS(files, cancelled_before_it_begins) {
    folder f;
    op first = {.done = 0}, second = {.done = 0};
    gy_work block = {.user = NULL};
    gy_pool *pool;
    gy_loop *loop = files_loop(backend);
    folder_make(&f);
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.threads = {1}}), 0);
    first.req.pool = second.req.pool = pool;
    pthread_mutex_lock(&files_gate);
    CHECK_EQ(gy_pool_submit(loop, &block, (gy_work_opts){.run = files_wait, .pool = pool}), 0);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    const char *path = folder_path(&f, "d");
    CHECK_EQ(gy_fs_mkdir(loop, &first.req, (gy_fs_mkdir_opts){.path = path}, op_done), 0);
    CHECK_EQ(gy_fs_cancel(&first.req), 0);
    CHECK_EQ(first.done, 0);
    CHECK_EQ(gy_fs_mkdir(loop, &second.req, (gy_fs_mkdir_opts){.path = path}, op_done), 0);
    CHECK_EQ(gy_loop_step(loop, GY_STEP_POLL), 1);
    CHECK_EQ(gy_fs_cancel(&second.req), 0);
    CHECK_EQ(gy_fs_cancel(&second.req), -EBUSY);
    pthread_mutex_unlock(&files_gate);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(first.done == 1 && first.err == GY_ECANCELED && second.done == 1 && second.err == GY_ECANCELED);
    CHECK_EQ(folder_count(&f), 0);
    CHECK_EQ(gy_fs_cancel(&second.req), -EALREADY);
    gy_pool_free(pool);
    CHECK_EQ(gy_loop_free(loop), 0);
    folder_remove(&f);
}

/* Each frees itself in its callback: what is touched afterwards, the sanitizers see. */
static int crowd_left, crowd_wrong;
static void crowd_done(gy_fs *req, int err) {
    crowd_left--;
    crowd_wrong += err || req->info.size != 3;
    memset(req, 0xa5, sizeof *req);
    free(req);
}

TEST_BACKENDS(files, a_thousand_at_once) {
    folder f;
    gy_loop *loop = files_loop(backend);
    folder_make(&f);
    const char *path = folder_put(&f, "a", "abc");
    for (crowd_left = 0; crowd_left < 1000; crowd_left++) {
        gy_fs *req = calloc(1, sizeof *req);
        CHECK_EQ(gy_fs_stat(loop, req, path, crowd_done), 0);
    }
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(crowd_left, 0);
    CHECK_EQ(crowd_wrong, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    folder_remove(&f);
}

/* ---- failures under way ------------------------------------------------------------------------------------------ */

static pthread_t files_thread;

/* Only calls of the operations count, on the threads of the pool: the wake-ups of the loop are tortured elsewhere. */
static int files_pool_fault(gyi_syscall kind) {
    return pthread_equal(files_thread, pthread_self()) || kind == GYI_SYS_WAKE ? 0 : files_fault(kind);
}

TEST_BACKENDS(files, every_call_may_fail) {
    folder f;
    op o = {.done = 0};
    int calls, nth = 0;
    gy_loop *loop = files_loop(backend);
    folder_make(&f);
    /* The hook is in place before there are threads that ask it, until they have gone. */
    files_thread = pthread_self();
    gyi_sys_fault = files_pool_fault;
    const char *a = folder_put(&f, "a", "old");
    gy_buf text = {(char[]){"new"}, 3};
    CHECK_EQ(DO(gy_fs_stat, a), 0);
    int before = files_open();
    do {
        files_calls = 0;
        files_fail_with = -EIO;
        files_fail_at = ++nth;
        int err = DO(gy_fs_write_file, ((gy_fs_write_file_opts){.path = a, .data = text}));
        calls = files_calls;
        files_fail_at = 0;
        CHECK(err == -EIO || err == 0);
        CHECK(folder_has(&f, "a", "new") || (err && folder_has(&f, "a", "old")));
        CHECK_EQ(files_open(), before);
        CHECK_EQ(folder_count(&f), 1);
    } while (calls >= nth);
    CHECK(nth > 8);
    CHECK_EQ(gy_loop_free(loop), 0);
    gyi_sys_fault = NULL;
    folder_remove(&f);
}

TEST_BACKENDS(files, memory_may_run_out) {
    folder f;
    files_memory m = {.left = 100};
    gy_pool *pool;
    op o = {.done = 0};
    gy_loop *loop = files_loop(backend);
    folder_make(&f);
    const char *a = folder_put(&f, "a", "abc");
    CHECK_EQ(gy_pool_new(&pool, (gy_pool_opts){.alloc = {files_alloc, files_free, &m}}), 0);
    o.req.pool = pool;
    CHECK_EQ(DO(gy_fs_stat, a), 0);
    int blocks = m.blocks;
    for (m.left = 0; o.err != -ENOMEM;) CHECK(DO(gy_fs_read_file, ((gy_fs_read_file_opts){.path = a})) <= 0);
    CHECK_EQ(DO(gy_fs_realpath, a), -ENOMEM);
    CHECK_EQ(DO(gy_fs_remove_tree, a), -ENOMEM);
    CHECK_EQ(m.blocks, blocks);
    m.left = 100;
    CHECK_EQ(DO(gy_fs_read_file, ((gy_fs_read_file_opts){.path = a})), 0);
    gy_pool_free(pool);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_STR(o.req.data.base, "abc");
    gy_fs_release(&o.req);
    CHECK_EQ(m.blocks, 0);
    folder_remove(&f);
}
