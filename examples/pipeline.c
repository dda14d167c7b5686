/* SPDX-License-Identifier: ISC */
/* Numbers the lines of a file, or of the standard input, and writes them to the standard output.
 *
 * A step between two streams: a function that takes bytes, gives bytes, and says how many of each. It never sees the
 * whole, and must not mind where a piece ends. Here it needs to remember only whether a line has begun. A byte 0 is
 * taken as a sign that this is no text, and ends the pipeline with an error. */
#include <errno.h>
#include <fcntl.h>
#include <gyre/gyre.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NUMBER = 24 }; /* the most that a number takes */

typedef struct numbering {
    gy_transform step;
    long lines;
    bool inside; /* a line */
} numbering;

/* Takes bytes as long as there is room for one and for a number before it. */
static int64_t number_lines(gy_transform *step, gy_buf in, gy_buf out, size_t *taken) {
    numbering *n = GY_OF(step, numbering, step);
    const char *from = in.base;
    char *to = out.base;
    size_t put = 0, got = 0;
    if (in.len && out.len < NUMBER + 1) return GY_TRANSFORM_ROOM;
    while (got < in.len && out.len - put >= NUMBER + 1) {
        if (!from[got]) return -EILSEQ;
        if (!n->inside) put += (size_t)snprintf(to + put, NUMBER, "%6ld  ", ++n->lines);
        n->inside = from[got] != '\n';
        to[put++] = from[got++];
    }
    *taken = got;
    return (int64_t)put; /* with an empty input this is 0: there is nothing more to come */
}

static void on_end(gy_pipeline *line, int err) { *(int *)line->user = err; }

int main(int argc, char **argv) {
    gy_loop *loop;
    gy_file_stream in = {0}, out = {0};
    numbering numbers = {.step = {.run = number_lines}};
    gy_transform *steps[] = {&numbers.step};
    int result = 0;
    gy_pipeline line = {.user = &result};
    int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (fd < 0) {
        perror(argv[1]);
        return 1;
    }
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (err) return 1;
    /* Where the descriptors stand: that is right for files, pipes and terminals alike. */
    gy_file_stream_opts from = {.fd = fd, .ways = GY_FILE_READ, .at = GY_FILE_HERE, .keep = true};
    gy_file_stream_opts to = {.fd = STDOUT_FILENO, .ways = GY_FILE_WRITE, .at = GY_FILE_HERE, .keep = true};
    gy_pipeline_opts opts = {.from = &in.stream, .to = &out.stream, .steps = steps, .count = 1, .fn = on_end};
    err = gy_file_stream_open(loop, &in, from);
    if (!err) err = gy_file_stream_open(loop, &out, to);
    if (!err) err = gy_pipeline_start(loop, &line, opts);
    if (err) {
        gy_stream_close(&in.stream, NULL);
        gy_stream_close(&out.stream, NULL);
    }
    gy_loop_run(loop);
    gy_loop_free(loop);
    if (!err) err = result;
    const char *text = err == -EILSEQ ? "this is no text" : gy_error_text(err);
    if (err) fprintf(stderr, "pipeline: %s (after line %ld)\n", text, numbers.lines);
    return err != 0;
}
