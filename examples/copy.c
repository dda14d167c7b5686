/* SPDX-License-Identifier: ISC */
/* Copies a file and shows how far it is.
 *
 * A pipeline from file to file: where the system can, the kernel copies, some megabytes at a time, and nothing passes
 * through the program. A timer looks at the pipeline's count. Without progress, gy_fs_copyfile() is all that is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <gyre/gyre.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    gy_file_stream from, to;
    gy_pipeline line;
    gy_timer show;
    int64_t size;
    int err;
} copy;

static void show(void) {
    long long done = (long long)copy.line.written_bytes;
    int percent = copy.size > 0 && done < copy.size ? (int)(done * 100 / copy.size) : 100;
    printf("%3d %%  %lld bytes\n", percent, done);
}

static void on_tick(gy_timer *timer) {
    (void)timer;
    show();
}

/* Both streams are closed by now, and with them the files. */
static void on_copied(gy_pipeline *line, int err) {
    (void)line;
    copy.err = err;
    gy_timer_stop(&copy.show);
}

/* The streams own the descriptors as soon as they are open. */
static int open_source(gy_loop *loop, const char *path) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    if (fstat(fd, &st) == 0) copy.size = st.st_size;
    int err = gy_file_stream_open(loop, &copy.from, (gy_file_stream_opts){.fd = fd, .ways = GY_FILE_READ});
    if (err) close(fd);
    return err;
}

static int open_target(gy_loop *loop, const char *path) {
    struct stat from, to;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666), err = fd < 0 ? -errno : 0;
    if (err) return err;
    if (fstat(gy_stream_fd(&copy.from.stream), &from) == 0 && fstat(fd, &to) == 0 && from.st_dev == to.st_dev &&
        from.st_ino == to.st_ino)
        err = -EINVAL; /* emptying it would empty the source */
    if (!err && ftruncate(fd, 0) && errno != EINVAL) err = -errno; /* EINVAL: a terminal, a pipe */
    if (!err) err = gy_file_stream_open(loop, &copy.to, (gy_file_stream_opts){.fd = fd, .ways = GY_FILE_WRITE});
    if (err) close(fd);
    return err;
}

static int start(gy_loop *loop, char **argv) {
    gy_pipeline_opts opts = {.from = &copy.from.stream, .to = &copy.to.stream, .end = true, .fn = on_copied};
    int err = open_source(loop, argv[1]);
    if (!err) err = open_target(loop, argv[2]);
    if (!err) err = gy_pipeline_start(loop, &copy.line, opts);
    if (!err) gy_timer_start(loop, &copy.show, (gy_timer_opts){.every = GY_MS(100), .fn = on_tick});
    return err;
}

int main(int argc, char **argv) {
    gy_loop *loop;
    if (argc != 3) {
        fprintf(stderr, "usage: copy FROM TO\n");
        return 2;
    }
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (err) return 1;
    err = start(loop, argv);
    if (err) {
        gy_stream_close(&copy.from.stream, NULL);
        gy_stream_close(&copy.to.stream, NULL);
    }
    gy_loop_run(loop);
    gy_loop_free(loop);
    if (!err) err = copy.err;
    if (err) fprintf(stderr, "copy: %s\n", gy_error_text(err));
    else show();
    return err != 0;
}
