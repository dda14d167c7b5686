/* SPDX-License-Identifier: ISC */
/* Writes files, or the standard input, to the standard output: one pipeline after the other.
 *
 * Both ends are file streams at the place where the descriptor stands, which works for whatever they are. */
#include <fcntl.h>
#include <gyre/gyre.h>
#include <stdio.h>
#include <unistd.h>

static struct {
    gy_loop *loop;
    gy_file_stream in, out;
    gy_pipeline line;
    char **next;
    int err;
    int missing; /* files that could not be opened; the others are written all the same */
} cat;

static void next_file(void);

static void on_closed(gy_stream *in) {
    (void)in;
    next_file();
}

static void on_end(gy_pipeline *line, int err) {
    (void)line;
    cat.err = err;
    gy_stream_close(&cat.in.stream, on_closed);
}

static void move(int fd) {
    gy_file_stream_opts from = {.fd = fd, .ways = GY_FILE_READ, .at = GY_FILE_HERE, .keep = fd == STDIN_FILENO};
    gy_pipeline_opts opts = {.from = &cat.in.stream, .to = &cat.out.stream, .keep = true, .fn = on_end};
    cat.err = gy_file_stream_open(cat.loop, &cat.in, from);
    if (!cat.err) cat.err = gy_pipeline_start(cat.loop, &cat.line, opts);
    if (cat.err) gy_stream_close(&cat.in.stream, on_closed);
}

static void next_file(void) {
    while (!cat.err && *cat.next) {
        const char *path = *cat.next++;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            move(fd);
            return;
        }
        perror(path);
        cat.missing++;
    }
    gy_stream_close(&cat.out.stream, NULL);
}

int main(int argc, char **argv) {
    gy_file_stream_opts to = {.fd = STDOUT_FILENO, .ways = GY_FILE_WRITE, .at = GY_FILE_HERE, .keep = true};
    int err = gy_loop_new(&cat.loop, (gy_loop_opts){0});
    if (!err) err = gy_file_stream_open(cat.loop, &cat.out, to);
    if (err) return 1;
    cat.next = argv + 1;
    if (argc > 1) next_file();
    else move(STDIN_FILENO);
    gy_loop_run(cat.loop);
    gy_loop_free(cat.loop);
    if (cat.err) fprintf(stderr, "cat: %s\n", gy_error_name(cat.err));
    return cat.err || cat.missing;
}
