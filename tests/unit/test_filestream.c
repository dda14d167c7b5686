/* SPDX-License-Identifier: ISC */
/* Files as streams, in a folder of their own. */
#include "files.h"
#include "gyre/filestream.h"

typedef struct reel {
    gy_file_stream f;
    gy_loop *loop;
    folder dir;
    char order[32]; /* a letter for each report */
    char got[64];   /* all that was read */
    size_t len;
    int err, fds;
} reel;

static void reel_noted(reel *r, const char *letter, int err) {
    strcat(r->order, letter);
    if (err) r->err = err;
}

static void reel_read(gy_stream *s, int err, gy_buf got) {
    reel *r = s->user;
    reel_noted(r, "r", err);
    if (!err) r->len += got.len;
}

static void reel_wrote(gy_write *w, int err) { reel_noted(w->user, "w", err); }
static void reel_closed(gy_stream *s) { reel_noted(s->user, "x", 0); }

static void reel_open(reel *r, const char *backend, const char *text, gy_file_stream_opts opts) {
    memset(r, 0, sizeof *r);
    folder_make(&r->dir);
    r->fds = files_open();
    opts.fd = open(folder_put(&r->dir, "f", text), O_RDWR);
    CHECK(opts.fd >= 0);
    CHECK_EQ(gy_loop_new(&r->loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gy_file_stream_open(r->loop, &r->f, opts), 0);
    CHECK_EQ(gy_file_stream_open(r->loop, &r->f, opts), -EALREADY);
    r->f.stream.user = r;
}

static void reel_until(reel *r, size_t letters) {
    while (strlen(r->order) < letters) CHECK(gy_loop_step(r->loop, GY_STEP_WAIT) >= 0);
}

static void reel_end(reel *r) {
    gy_stream_close(&r->f.stream, reel_closed);
    CHECK_EQ(gy_loop_run(r->loop), 0);
    CHECK_EQ(r->order[strlen(r->order) - 1], 'x');
    CHECK_EQ(gy_loop_free(r->loop), 0);
    CHECK_EQ(files_open(), r->fds);
    folder_remove(&r->dir);
}

/* Reads once, at most `most` bytes. @return 0 or the error. */
static int reel_take(reel *r, size_t most) {
    r->err = 0;
    CHECK_EQ(gy_stream_read(&r->f.stream, (gy_buf){r->got + r->len, most}, reel_read), 0);
    reel_until(r, strlen(r->order) + 1);
    return r->err;
}

TEST_BACKENDS(filestream, reads_from_a_place_up_to_a_limit) {
    reel r;
    reel_open(&r, backend, "0123456789", (gy_file_stream_opts){.at = 2, .limit = 6, .ways = GY_FILE_READ});
    gy_write w = {.user = &r};
    CHECK_EQ(gy_stream_write(&r.f.stream, &w, GY_BUF(r.got), reel_wrote), -EBADF);
    CHECK_EQ(reel_take(&r, 4), 0);
    CHECK_EQ(reel_take(&r, 4), 0);
    CHECK_EQ(r.len, 6);
    CHECK_EQ(reel_take(&r, 4), GY_EOF);
    CHECK_EQ(memcmp(r.got, "234567", 6), 0);
    reel_end(&r);
}

TEST_BACKENDS(filestream, the_end_of_a_file_is_not_final) {
    reel r;
    reel_open(&r, backend, "ab", (gy_file_stream_opts){0});
    CHECK_EQ(reel_take(&r, 8), 0);
    CHECK_EQ(reel_take(&r, 8), GY_EOF);
    int fd = open(folder_path(&r.dir, "f"), O_WRONLY | O_APPEND);
    CHECK_EQ(write(fd, "cd", 2), 2);
    close(fd);
    CHECK_EQ(reel_take(&r, 8), 0);
    CHECK_EQ(r.len, 4);
    CHECK_EQ(memcmp(r.got, "abcd", 4), 0);
    reel_end(&r);
}

TEST_BACKENDS(filestream, writes_many_buffers_and_syncs) {
    reel r;
    gy_buf parts[40];
    char text[41] = "";
    gy_write w[2] = {{.user = &r}, {.user = &r}};
    reel_open(&r, backend, "", (gy_file_stream_opts){.sync = true, .ways = GY_FILE_WRITE});
    for (int i = 0; i < 40; i++) {
        text[i] = (char)('A' + i);
        parts[i] = (gy_buf){text + i, 1};
    }
    CHECK_EQ(gy_stream_read(&r.f.stream, GY_BUF(r.got), reel_read), -EBADF);
    CHECK_EQ(gy_stream_writev(&r.f.stream, &w[0], parts, 40, reel_wrote), 0);
    CHECK_EQ(gy_stream_shutdown(&r.f.stream, &w[1], reel_wrote), 0);
    CHECK_STR(r.order, "");
    reel_until(&r, 2);
    CHECK_EQ(r.err, 0);
    CHECK(folder_has(&r.dir, "f", text));
    reel_end(&r);
    CHECK_STR(r.order, "wwx");
}

TEST_BACKENDS(filestream, both_ways_have_places_of_their_own) {
    reel r;
    gy_write w = {.user = &r};
    char new[] = "xyz";
    reel_open(&r, backend, "abcdef", (gy_file_stream_opts){0});
    CHECK_EQ(reel_take(&r, 3), 0);
    CHECK_EQ(gy_stream_write(&r.f.stream, &w, (gy_buf){new, 3}, reel_wrote), 0);
    reel_until(&r, 2);
    CHECK(folder_has(&r.dir, "f", "xyzdef"));
    CHECK_EQ(reel_take(&r, 3), 0);
    CHECK_EQ(memcmp(r.got, "abcdef", 6), 0);
    reel_end(&r);
}

TEST_BACKENDS(filestream, here_is_where_the_descriptor_stands) {
    reel r;
    reel_open(&r, backend, "abcdef", (gy_file_stream_opts){.at = GY_FILE_HERE, .keep = true});
    int fd = gy_stream_fd(&r.f.stream);
    CHECK_EQ(lseek(fd, 4, SEEK_SET), 4);
    CHECK_EQ(reel_take(&r, 8), 0);
    CHECK_EQ(r.len, 2);
    CHECK_EQ(memcmp(r.got, "ef", 2), 0);
    r.fds++; /* it was to be kept */
    reel_end(&r);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
    close(fd);
}

TEST_BACKENDS(filestream, a_cancelled_read_leaves_the_place_as_it_was) {
    reel r;
    reel_open(&r, backend, "abcdef", (gy_file_stream_opts){0});
    CHECK_EQ(gy_stream_read(&r.f.stream, GY_BUF(r.got), reel_read), 0);
    CHECK(gy_loop_step(r.loop, GY_STEP_POLL) >= 0);
    gy_stream_cancel(&r.f.stream, GY_STREAM_READ, -ETIMEDOUT);
    if (!r.order[0]) reel_until(&r, 1);
    bool early = r.err == 0; /* the job was done before it could be cancelled */
    CHECK(early || r.err == -ETIMEDOUT);
    CHECK_EQ(r.len, early ? 6 : 0);
    CHECK_EQ(reel_take(&r, 8), early ? GY_EOF : 0);
    CHECK_EQ(r.len, 6);
    reel_end(&r);
}

TEST_BACKENDS(filestream, cancelled_writes_are_told_why) {
    reel r;
    gy_write w[3] = {{.user = &r}, {.user = &r}, {.user = &r}};
    char text[] = "text";
    reel_open(&r, backend, "", (gy_file_stream_opts){0});
    CHECK_EQ(gy_stream_write(&r.f.stream, &w[0], GY_BUF(text), reel_wrote), 0);
    CHECK_EQ(gy_stream_write(&r.f.stream, &w[1], GY_BUF(text), reel_wrote), 0);
    gy_stream_cancel(&r.f.stream, GY_STREAM_WRITE, -ETIMEDOUT);
    reel_until(&r, 2);
    CHECK_EQ(r.err, -ETIMEDOUT);
    CHECK_EQ(gy_stream_write(&r.f.stream, &w[2], GY_BUF(text), reel_wrote), 0);
    reel_end(&r);
    CHECK_STR(r.order, "wwwx");
}

TEST_BACKENDS(filestream, closing_waits_for_the_jobs) {
    reel r;
    gy_write w = {.user = &r};
    char text[] = "text";
    reel_open(&r, backend, "abc", (gy_file_stream_opts){0});
    CHECK_EQ(gy_stream_read(&r.f.stream, GY_BUF(r.got), reel_read), 0);
    CHECK_EQ(gy_stream_write(&r.f.stream, &w, GY_BUF(text), reel_wrote), 0);
    CHECK(gy_loop_step(r.loop, GY_STEP_POLL) >= 0);
    reel_end(&r);
    CHECK_EQ(strlen(r.order), 3);
}

TEST_BACKENDS(filestream, failures_of_the_kernel_are_reported) {
    reel r;
    gy_write w[2] = {{.user = &r}, {.user = &r}};
    reel_open(&r, backend, "abc", (gy_file_stream_opts){0});
    CHECK_EQ(dup2(open(r.dir.path, O_RDONLY), gy_stream_fd(&r.f.stream)), gy_stream_fd(&r.f.stream));
    r.fds++; /* the folder itself */
    CHECK_EQ(reel_take(&r, 4), -EISDIR);
    CHECK_EQ(gy_stream_write(&r.f.stream, &w[0], GY_BUF(r.got), reel_wrote), 0);
    reel_until(&r, 2);
    CHECK_EQ(r.err, -EBADF);
    CHECK_EQ(gy_stream_shutdown(&r.f.stream, &w[1], reel_wrote), 0);
    reel_end(&r);
    CHECK_STR(r.order, "rwwx");
}

/* Or the loop's thread would wait for the device, taking the one file for the other that was in memory. */
TEST_BACKENDS(filestream, opened_anew_it_knows_nothing_of_the_last_file) {
    reel r;
    reel_open(&r, backend, "abc", (gy_file_stream_opts){.ways = GY_FILE_READ});
    r.f.priv.cached = 1000;
    gy_stream_close(&r.f.stream, reel_closed);
    reel_until(&r, 1);
    int fd = open(folder_path(&r.dir, "f"), O_RDONLY);
    CHECK_EQ(gy_file_stream_open(r.loop, &r.f, (gy_file_stream_opts){.fd = fd}), 0);
    CHECK_EQ(r.f.priv.cached, 0);
    reel_end(&r);
}

TEST(filestream, bad_options_open_nothing) {
    gy_file_stream f = {0};
    gy_loop *loop;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){0}), 0);
    CHECK_EQ(gy_file_stream_open(loop, &f, (gy_file_stream_opts){.fd = -1}), -EBADF);
    CHECK_EQ(gy_file_stream_open(loop, &f, (gy_file_stream_opts){.ways = (gy_file_ways)3}), -EINVAL);
    CHECK_EQ(gy_file_stream_open(loop, &f, (gy_file_stream_opts){.at = -2}), -EINVAL);
    CHECK_EQ(gy_file_stream_open(loop, &f, (gy_file_stream_opts){.limit = -1}), -EINVAL);
    CHECK(!gy_stream_is_open(&f.stream));
    CHECK_EQ(gy_loop_free(loop), 0);
}
