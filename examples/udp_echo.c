/* SPDX-License-Identifier: ISC */
/* A UDP echo server: datagrams come in batches and go back in batches.
 *
 *     udp_echo [address]        then: nc -u 127.0.0.1 7000
 *
 * The datagrams lie in slots of one piece of memory, and are sent from there. Until all of a batch have left, nothing
 * new is received into it: two dozen bytes of state instead of a queue. What comes meanwhile waits in the kernel. */
#include <gyre/gyre.h>
#include <stdio.h>

enum { SLOTS = 64, SLOT = 2048 };

struct server {
    gy_udp udp;
    gy_signal interrupt, terminate;
    unsigned pending;
    gy_dgram answers[SLOTS];
    char slots[SLOTS * SLOT];
};

static void receive(struct server *s);

static void on_sent(gy_dgram *dgram, int err) {
    struct server *s = dgram->user;
    (void)err; /* an answer that cannot be sent is lost, as any datagram may be */
    if (--s->pending == 0 && gy_udp_is_open(&s->udp)) receive(s);
}

static void on_datagrams(gy_udp *udp, int err, const gy_udp_msg *msgs, unsigned count) {
    struct server *s = GY_OF(udp, struct server, udp);
    if (err) return; /* about something sent earlier; receiving goes on */
    for (unsigned i = 0; i < count; i++) {
        gy_dgram *answer = &s->answers[s->pending];
        answer->user = s;
        if (gy_udp_send(udp, answer, msgs[i].buf, &msgs[i].from, on_sent) == 0) s->pending++;
    }
    if (s->pending) gy_udp_recv_stop(udp);
}

static void receive(struct server *s) {
    gy_udp_recv_opts opts = {.into = GY_BUF(s->slots), .size = SLOT, .fn = on_datagrams};
    int err = gy_udp_recv_start(&s->udp, opts);
    if (err) fprintf(stderr, "udp_echo: %s\n", gy_error_text(err));
}

/* With the socket and the signals gone, nothing is left to do, and the loop ends. */
static void on_signal(gy_signal *signal, unsigned count) {
    struct server *s = signal->user;
    (void)count;
    gy_udp_close(&s->udp, NULL);
    gy_signal_stop(&s->interrupt);
    gy_signal_stop(&s->terminate);
}

static int start(gy_loop *loop, struct server *s, const char *addr) {
    gy_endpoint at;
    gy_addr text;
    int err = gy_udp_open(loop, &s->udp, (gy_udp_opts){.addr = addr});
    if (!err) err = gy_signal_start(loop, &s->interrupt, 2 /* SIGINT */, on_signal);
    if (!err) err = gy_signal_start(loop, &s->terminate, 15 /* SIGTERM */, on_signal);
    if (!err) err = gy_udp_local(&s->udp, &at);
    if (err) return err;
    receive(s);
    gy_endpoint_text(&at, &text);
    printf("echoing on %s\n", text.text);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv) {
    static struct server s;
    gy_loop *loop = NULL;
    s.interrupt.user = s.terminate.user = &s;
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (!err) err = start(loop, &s, argc > 1 ? argv[1] : "127.0.0.1:7000");
    if (!err) err = gy_loop_run(loop);
    if (!err) err = gy_loop_free(loop);
    if (err < 0) fprintf(stderr, "udp_echo: %s\n", gy_error_text(err));
    return err < 0;
}
