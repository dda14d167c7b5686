/* SPDX-License-Identifier: ISC */
/* A chat whose room is an emitter.
 *
 *     room [address]        then, in several terminals: nc 127.0.0.1 7001
 *
 * Each guest is a stream that reads lines and a listener in the room. A line that arrives is emitted as "line"; every
 * guest hears it and writes it out. The room knows nothing of guests, and guests nothing of each other. A guest who
 * does not read is not waited for: while one write is on its way, further lines pass by. */
#include <gyre/gyre.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    const void *from;
    gy_buf text;
};
GY_EVENT(line, struct line);

struct guest {
    gy_stream stream;
    gy_write write;
    gy_listener hears;
    size_t filled, missed;
    bool writing;
    char in[1024], out[1024];
};

static gy_emitter room;
static gy_read_fn on_read;

static void on_close(gy_stream *stream) { free(GY_OF(stream, struct guest, stream)); }

static void leave(struct guest *g) {
    gy_off(&g->hears);
    gy_stream_close(&g->stream, on_close);
}

static void on_written(gy_write *write, int err) {
    struct guest *g = GY_OF(write, struct guest, write);
    g->writing = false;
    if (err && gy_stream_is_open(&g->stream)) leave(g);
}

static void on_line(gy_listener *listener, const struct line *line) {
    struct guest *g = GY_OF(listener, struct guest, hears);
    if (line->from == g) return;
    if (g->writing || line->text.len > sizeof g->out) {
        g->missed++;
        return;
    }
    memcpy(g->out, line->text.base, line->text.len);
    g->writing = gy_stream_write(&g->stream, &g->write, (gy_buf){g->out, line->text.len}, on_written) == 0;
}

static void read_on(struct guest *g) {
    gy_stream_read(&g->stream, (gy_buf){g->in + g->filled, sizeof g->in - g->filled}, on_read);
}

static void on_read(gy_stream *stream, int err, gy_buf got) {
    struct guest *g = GY_OF(stream, struct guest, stream);
    if (err) {
        leave(g);
        return;
    }
    g->filled += got.len;
    char *begin = g->in, *end = g->in + g->filled, *feed;
    while ((feed = memchr(begin, '\n', (size_t)(end - begin))) != NULL) {
        line_emit(&room, &(struct line){g, {begin, (size_t)(feed + 1 - begin)}});
        begin = feed + 1;
    }
    g->filled = (size_t)(end - begin);
    memmove(g->in, begin, g->filled);
    if (g->filled == sizeof g->in) g->filled = 0; /* nobody needs a line that long */
    read_on(g);
}

static void on_guest(gy_stream *server, int err) {
    struct guest *g = err ? NULL : calloc(1, sizeof *g);
    if (!g || gy_stream_accept(server, &g->stream)) {
        free(g);
        return;
    }
    line_on(&room, &g->hears, on_line);
    read_on(g);
}

int main(int argc, char **argv) {
    gy_loop *loop;
    gy_stream server = {0};
    gy_addr at;
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    const char *addr = argc > 1 ? argv[1] : "127.0.0.1:7001";
    if (!err) err = gy_tcp_listen(loop, &server, (gy_listen_opts){.addr = addr, .fn = on_guest});
    if (!err) err = gy_stream_local_addr(&server, &at);
    if (!err) {
        gy_emitter_set_max_listeners(&room, 0); /* a full room is no leak */
        printf("the room is open on %s\n", at.text);
        fflush(stdout);
        err = gy_loop_run(loop);
    }
    if (err) fprintf(stderr, "room: %s\n", gy_error_text(err));
    return err != 0;
}
