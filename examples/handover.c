/* SPDX-License-Identifier: ISC */
/* A server whose connections are handed to worker processes.
 *
 *     handover [address] [workers]        then: nc 127.0.0.1 7002
 *
 * The parent accepts, and sends each connection's descriptor over a local socket to the next worker, which makes a
 * stream of it and greets. The parent's descriptor is closed when the write has reported: then the worker's is on its
 * way. */
#include <gyre/gyre.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORKERS = 8 };

/* ---- the parent -------------------------------------------------------------------------------------------------- */

static gy_stream workers[WORKERS];
static int worker_count = 2, next_worker;

struct handover {
    gy_stream client;
    gy_write write;
    int fd;
};

static void on_handed_closed(gy_stream *client) { free(GY_OF(client, struct handover, client)); }

static void on_handed(gy_write *write, int err) {
    if (err) fprintf(stderr, "handover: %s\n", gy_error_text(err));
    gy_stream_close(&GY_OF(write, struct handover, write)->client, on_handed_closed);
}

static void on_connection(gy_stream *server, int err) {
    static char byte[1];
    struct handover *h = err ? NULL : calloc(1, sizeof *h);
    if (!h || gy_stream_accept(server, &h->client)) {
        free(h);
        return;
    }
    h->fd = gy_stream_fd(&h->client);
    next_worker = (next_worker + 1) % worker_count;
    err = gy_stream_send_fds(&workers[next_worker], &h->write, GY_BUF(byte), &h->fd, 1, on_handed);
    if (err) on_handed(&h->write, err);
}

static int serve(gy_loop *loop, const char *address) {
    static gy_stream server;
    int err = gy_tcp_listen(loop, &server, (gy_listen_opts){.addr = address, .fn = on_connection});
    if (err) fprintf(stderr, "handover: %s: %s\n", address, gy_error_text(err));
    return err ? 1 : gy_loop_run(loop);
}

/* ---- a worker ---------------------------------------------------------------------------------------------------- */

struct guest {
    gy_stream stream;
    gy_write write;
    char text[64];
};

static gy_stream parent;
static char byte[1];

static void on_guest_closed(gy_stream *stream) { free(GY_OF(stream, struct guest, stream)); }

static void on_greeted(gy_write *write, int err) {
    (void)err;
    gy_stream_close(write->stream, on_guest_closed);
}

static void greet(gy_loop *loop, int fd) {
    struct guest *g = calloc(1, sizeof *g);
    if (!g || gy_stream_open(loop, &g->stream, fd)) {
        close(fd);
        free(g);
        return;
    }
    int len = snprintf(g->text, sizeof g->text, "you are with process %d\n", (int)getpid());
    if (gy_stream_write(&g->stream, &g->write, (gy_buf){g->text, (size_t)len}, on_greeted))
        gy_stream_close(&g->stream, on_guest_closed);
}

static void on_parent(gy_stream *from, int err, gy_buf got) {
    (void)got;
    for (int fd; !err && (fd = gy_stream_take_fd(from)) >= 0;) greet(from->loop, fd);
    if (err || gy_stream_read(from, GY_BUF(byte), on_parent)) gy_stream_close(from, NULL);
}

static int work(int fd) {
    gy_loop *loop;
    if (gy_loop_new(&loop, (gy_loop_opts){0}) || gy_stream_open(loop, &parent, fd)) return 1;
    if (gy_stream_receive_fds(&parent) || gy_stream_read(&parent, GY_BUF(byte), on_parent)) return 1;
    return gy_loop_run(loop);
}

int main(int argc, char **argv) {
    gy_loop *loop;
    if (argc > 2) worker_count = atoi(argv[2]);
    if (worker_count < 1 || worker_count > WORKERS) return 2;
    int ends[WORKERS][2];
    for (int i = 0; i < worker_count; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i])) return 1;
        if (fork() == 0) {
            for (int j = 0; j <= i; j++) close(ends[j][0]);
            return work(ends[i][1]);
        }
        close(ends[i][1]);
    }
    if (gy_loop_new(&loop, (gy_loop_opts){0})) return 1;
    for (int i = 0; i < worker_count; i++)
        if (gy_stream_open(loop, &workers[i], ends[i][0])) return 1;
    return serve(loop, argc > 1 ? argv[1] : "127.0.0.1:7002");
}
