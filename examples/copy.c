/* SPDX-License-Identifier: ISC */
/* Copies a file and shows how far it is.
 *
 * One request goes round: read a piece, write it at the same offset, read the next. The loop is free meanwhile, so a
 * timer shows the progress. Without progress, gy_fs_copyfile() is all that is needed. */
#include <fcntl.h>
#include <gyre/gyre.h>
#include <gyre/fs.h>
#include <stdio.h>
#include <unistd.h>

static struct {
    gy_fs req;
    gy_timer show;
    const char *to;
    int in, out, err;
    int64_t at;
    char piece[1 << 16];
} copy = {.in = -1, .out = -1};

static void next_piece(void);

static void stop(int err) {
    copy.err = err;
    gy_timer_stop(&copy.show);
}

static void on_written(gy_fs *req, int err) {
    copy.at += req->result;
    if (err) stop(err);
    else next_piece();
}

static void on_read(gy_fs *req, int err) {
    gy_fs_write_opts opts = {.fd = copy.out, .buf = {copy.piece, (size_t)req->result}, .at = copy.at};
    bool end = err || !req->result;
    if (!end) err = gy_fs_write(req->loop, req, opts, on_written);
    if (end || err) stop(err);
}

static void next_piece(void) {
    gy_fs_read_opts opts = {.fd = copy.in, .buf = GY_BUF(copy.piece), .at = copy.at};
    int err = gy_fs_read(copy.req.loop, &copy.req, opts, on_read);
    if (err) stop(err);
}

static void on_out(gy_fs *req, int err) {
    copy.out = err ? -1 : (int)req->result;
    if (err) stop(err);
    else next_piece();
}

static void on_in(gy_fs *req, int err) {
    gy_fs_open_opts opts = {.path = copy.to, .flags = O_WRONLY | O_CREAT | O_TRUNC};
    copy.in = err ? -1 : (int)req->result;
    if (!err) err = gy_fs_open(req->loop, req, opts, on_out);
    if (err) stop(err);
}

static void on_tick(gy_timer *timer) {
    (void)timer;
    printf("%lld bytes\n", (long long)copy.at);
}

int main(int argc, char **argv) {
    gy_loop *loop;
    if (argc != 3) {
        fprintf(stderr, "usage: copy FROM TO\n");
        return 2;
    }
    copy.to = argv[2];
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (!err) err = gy_fs_open(loop, &copy.req, (gy_fs_open_opts){.path = argv[1]}, on_in);
    if (!err) {
        gy_timer_start(loop, &copy.show, (gy_timer_opts){.every = GY_MS(100), .fn = on_tick});
        err = gy_loop_run(loop);
    }
    if (!err) err = copy.err;
    if (copy.in >= 0) close(copy.in);
    if (copy.out >= 0) close(copy.out);
    if (err) fprintf(stderr, "copy: %s\n", gy_error_text(err));
    else printf("%lld bytes, done\n", (long long)copy.at);
    gy_loop_free(loop);
    return err != 0;
}
