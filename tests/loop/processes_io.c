/* SPDX-License-Identifier: ISC */
/* The descriptors of a child: pipes, sockets, what is given and what overlaps; and gy_run. */
#include "processes.h"

#include <fcntl.h>
#include <stdlib.h>

/* clang-format off */
#define INHERIT {.kind = GY_STDIO_INHERIT}
#define IGNORE  {.kind = GY_STDIO_IGNORE}
/* clang-format on */

/* ---- much data --------------------------------------------------------------------------------------------------- */

enum { MUCH = 3000000 };

typedef struct echo {
    child c;
    size_t got;
    bool same, shut;
    char buf[20000];
    char *data;
} echo;

static void echo_read(gy_stream *s, int err, gy_buf got) {
    echo *e = GY_OF(s, echo, c.out);
    e->same = e->same && e->got + got.len <= MUCH && memcmp(got.base, e->data + e->got, got.len) == 0;
    e->got += got.len;
    if (!err) err = gy_stream_read(s, GY_BUF(e->buf), echo_read);
    e->c.eof = err == GY_EOF;
    if (err) gy_stream_close(s, NULL);
}

static void echo_shut(gy_write *w, int err) {
    echo *e = GY_OF(w, echo, c.write);
    e->shut = err == 0;
    gy_stream_close(&e->c.in, NULL);
}

static void echo_written(gy_write *w, int err) {
    if (err || gy_stream_shutdown(w->stream, w, echo_shut)) gy_stream_close(w->stream, NULL);
}

/* More than any pipe holds goes through cat, there and back, and the end of input follows. */
TEST_BACKENDS(process_io, much_goes_through_a_filter) {
    echo *e = calloc(1, sizeof *e);
    CHECK(e != NULL);
    e->data = malloc(MUCH);
    CHECK(e->data != NULL);
    for (int i = 0; i < MUCH; i++) e->data[i] = (char)(i * 31 + i / 251);
    e->same = true;
    gy_loop *loop = new_loop(backend);
    gy_process_opts opts = {.program = "cat",
                            LIST({GY_STDIO_IN, .stream = &e->c.in}, {GY_STDIO_OUT, .stream = &e->c.out})};
    CHECK_EQ(child_start(loop, &e->c, opts), 0);
    CHECK_EQ(gy_stream_write(&e->c.in, &e->c.write, (gy_buf){e->data, MUCH}, echo_written), 0);
    CHECK_EQ(gy_stream_read(&e->c.out, GY_BUF(e->buf), echo_read), 0);
    end_loop(loop);
    CHECK_EQ(e->got, MUCH);
    CHECK(e->same && e->shut && e->c.eof);
    CHECK_EQ(e->c.how.code, 0);
    free(e->data);
    free(e);
}

/* Who writes to a program that reads nothing is held up, and told when that program ends. */
static void broken(gy_write *w, int err) {
    child *c = GY_OF(w, child, write);
    c->err = err;
    gy_stream_close(w->stream, NULL);
}

TEST_BACKENDS(process_io, a_reader_that_ends_breaks_the_pipe) {
    gy_loop *loop = new_loop(backend);
    static char much[1 << 20];
    child c = {.eof = false};
    gy_stdio in[] = {{GY_STDIO_IN, .stream = &c.in}};
    gy_process_opts opts = {.program = "true", .stdio = in, .stdio_count = 1};
    CHECK_EQ(gy_process_spawn(loop, &c.process, opts), 0);
    CHECK_EQ(gy_stream_write(&c.in, &c.write, GY_BUF(much), broken), 0);
    end_loop(loop);
    CHECK_EQ(c.err, -EPIPE);
}

/* ---- other descriptors ------------------------------------------------------------------------------------------- */

TEST_BACKENDS(process_io, one_socket_for_both_ways) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){SHELL("read x <&5; echo \"got $x\" >&5"),
                                                     LIST(INHERIT, INHERIT, INHERIT, IGNORE, IGNORE,
                                                          {GY_STDIO_DUPLEX, .stream = &c.out})}), 0);
    CHECK_EQ(gy_stream_try_write(&c.out, (gy_buf){(char[]){"this\n"}, 5}), 5);
    CHECK_EQ(gy_stream_read(&c.out, (gy_buf){c.text, sizeof c.text - 1}, child_read), 0);
    end_loop(loop);
    CHECK_STR(c.text, "got this\n");
    CHECK_EQ(c.how.code, 0);
}

TEST_BACKENDS(process_io, the_same_twice) {
    gy_loop *loop = new_loop(backend);
    child c = {.eof = false};
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){SHELL("echo out; echo err >&2; echo fourth >&3"),
                                                     LIST(IGNORE, {GY_STDIO_OUT, .stream = &c.out},
                                                          {GY_STDIO_SAME, .fd = 1}, {GY_STDIO_SAME, .fd = 2})}), 0);
    CHECK_EQ(gy_stream_read(&c.out, (gy_buf){c.text, sizeof c.text - 1}, child_read), 0);
    end_loop(loop);
    CHECK_STR(c.text, "out\nerr\nfourth\n");
}

/* What is not open here cannot be inherited; a pipe that is made for the child must not pass for it either. */
TEST(process_io, only_what_is_open_can_be_inherited) {
    gy_loop *loop = new_loop("sim");
    child c = {.eof = false};
    gy_stdio list[GY_STDIO_MOST] = {[1] = {GY_STDIO_OUT, .stream = &c.out}};
    int next = dup(0);
    CHECK(next > 2 && next < GY_STDIO_MOST);
    close(next);
    for (int i = 3; i < next; i++) list[i].kind = GY_STDIO_IGNORE;
    gy_process_opts opts = {TRUE, .stdio = list, .stdio_count = (unsigned)next + 1};
    CHECK_EQ(child_start(loop, &c, opts), -EBADF);
    CHECK_STR(c.process.step, "stdio");
    CHECK(!gy_stream_is_open(&c.out));
    CHECK_EQ(gy_loop_free(loop), 0);
}

/* A file with one line that says which it is, at a number that is chosen. */
static void open_at(int fd, const char *text) {
    char path[] = "/tmp/gyre-process-XXXXXX";
    int made = mkstemp(path);
    CHECK(made >= 0);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(write(made, text, strlen(text)), (long long)strlen(text));
    CHECK_EQ(lseek(made, 0, SEEK_SET), 0);
    if (made == fd) return;
    CHECK_EQ(dup2(made, fd), fd);
    close(made);
}

/* On Linux a file that is opened by /dev/fd begins anew. Elsewhere 44 is where 43 has come to: its end. */
#ifdef __linux__
#define OVERLAPPED "two\nzero\none\nthree\nthree\nend\n"
#else
#define OVERLAPPED "two\nzero\none\nthree\nend\n"
#endif

/* 40, 41 and 42 change places in a circle, 43 stays (it is close-on-exec here), and 44 is a second one of it. The
 * numbers are such that neither the loop nor who runs the tests has them. */
TEST(process_io, numbers_that_overlap) {
    const char *const text[] = {"zero\n", "one\n", "two\n", "three\n"};
    gy_loop *loop = new_loop("sim");
    gy_stdio list[45] = {{0}};
    child c = {.eof = false};
    for (int i = 0; i < 4; i++) open_at(70 + i, text[i]);
    for (int i = 0; i < 4; i++) CHECK_EQ(dup2(70 + i, 40 + i), 40 + i);
    CHECK_EQ(fcntl(43, F_SETFD, FD_CLOEXEC), 0);
    for (int i = 0; i < 40; i++) list[i].kind = GY_STDIO_IGNORE;
    list[1] = (gy_stdio){GY_STDIO_OUT, .stream = &c.out};
    for (int i = 0; i < 3; i++) list[40 + i] = (gy_stdio){GY_STDIO_FD, .fd = 40 + (i + 2) % 3};
    list[43] = (gy_stdio){GY_STDIO_FD, .fd = 43};
    list[44] = (gy_stdio){GY_STDIO_FD, .fd = 73};
    /* Some shells know only numbers of one digit. */
    const char *const argv[] = {"sh", "-c", "cd /dev/fd/ && cat 40 41 42 43 44; echo end", NULL};
    gy_process_opts opts = {.program = "sh", .argv = argv, .stdio = list, .stdio_count = 45};
    CHECK_EQ(child_start(loop, &c, opts), 0);
    CHECK_EQ(gy_stream_read(&c.out, (gy_buf){c.text, sizeof c.text - 1}, child_read), 0);
    end_loop(loop);
    CHECK_STR(c.text, OVERLAPPED);
    for (int i = 0; i < 4; i++) CHECK(fcntl(70 + i, F_GETFD) >= 0); /* ours are ours still */
    for (int i = 0; i < 4; i++) CHECK(fcntl(40 + i, F_GETFD) >= 0);
}

/* The whole list, each the neighbour of another, and all numbers in use by something of the parent. */
TEST(process_io, as_many_as_there_may_be) {
    gy_loop *loop = new_loop("sim");
    gy_stdio list[GY_STDIO_MOST] = {{0}};
    child c = {.eof = false};
    for (int i = 0; i < GY_STDIO_MOST + 10; i++) {
        if (fcntl(100 + i, F_GETFD) < 0) CHECK_EQ(dup2(2, 100 + i), 100 + i);
        if (fcntl(i, F_GETFD) < 0) CHECK_EQ(dup2(2, i), i);
    }
    for (int i = 3; i < GY_STDIO_MOST; i++) list[i] = (gy_stdio){GY_STDIO_FD, .fd = i % 2 ? i + 1 : 100 + i};
    list[0].kind = GY_STDIO_IGNORE;
    list[1] = (gy_stdio){GY_STDIO_OUT, .stream = &c.out};
    gy_process_opts opts = {SHELL("cd /proc/self/fd 2>/dev/null || cd /dev/fd; n=0; for f in *; do n=$((n+1)); done; "
                                  "[ $n -ge 64 ] && [ $n -le 66 ] && echo right"),
                            .stdio = list, .stdio_count = GY_STDIO_MOST};
    CHECK_EQ(child_start(loop, &c, opts), 0);
    CHECK_EQ(gy_stream_read(&c.out, (gy_buf){c.text, sizeof c.text - 1}, child_read), 0);
    end_loop(loop);
    CHECK_STR(c.text, "right\n");
}

/* A program that finds one of the first three closed would take its first file for it. */
TEST(process_io, closed_standard_descriptors_are_the_null_device) {
    gy_loop *loop = new_loop("sim");
    child c = {.eof = false};
    close(0);
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){SHELL("cat <&0; echo $?"),
                                                     LIST(INHERIT, {GY_STDIO_OUT, .stream = &c.out})}), 0);
    CHECK_EQ(gy_stream_read(&c.out, (gy_buf){c.text, sizeof c.text - 1}, child_read), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_STR(c.text, "0\n");
    memset(&c, 0, sizeof c);
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){SHELL("cat; echo $?"), .flags = GY_PROCESS_NO_STDIO,
                                                     LIST(INHERIT, {GY_STDIO_OUT, .stream = &c.out})}), 0);
    CHECK_EQ(gy_stream_read(&c.out, (gy_buf){c.text, sizeof c.text - 1}, child_read), 0);
    end_loop(loop);
    CHECK_STR(c.text, "0\n");
}

#ifdef __linux__

/* Sockets cannot be opened by name there; that is why these are pipes. */
TEST(process_io, standard_descriptors_can_be_opened_by_name) {
    gy_loop *loop = new_loop("epoll");
    child c = {.eof = false};
    CHECK_EQ(child_start(loop, &c, (gy_process_opts){SHELL("cat /dev/stdin > /dev/stdout"),
                                                     LIST({GY_STDIO_IN, .stream = &c.in},
                                                          {GY_STDIO_OUT, .stream = &c.out})}), 0);
    CHECK_EQ(gy_stream_try_write(&c.in, (gy_buf){(char[]){"by name\n"}, 8}), 8);
    gy_stream_close(&c.in, NULL);
    CHECK_EQ(gy_stream_read(&c.out, (gy_buf){c.text, sizeof c.text - 1}, child_read), 0);
    end_loop(loop);
    CHECK_STR(c.text, "by name\n");
}

#endif
