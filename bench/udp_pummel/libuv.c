/* SPDX-License-Identifier: ISC */
/* libuv: two uv_udp_t that were asked for UV_UDP_RECVMMSG, and answers with uv_udp_send, gy_udp_send's counterpart.
 * libuv's batches are of at most 20 slots of 64 KiB, which is why the buffer is that large.
 */
#include "udp_pummel/workload.h"

#include <uv.h>

const char contender[] = "libuv";

enum { SLOTS = 20, SLOT = 65536, REQS = 2 * PUMMEL_INFLIGHT_MOST };

struct side {
    uv_udp_t udp;
    struct sockaddr_in at;
    struct side *other;
    uv_udp_send_t *free; /* chained through `data` */
    uv_udp_send_t reqs[REQS];
    char *slots;
};

static uv_loop_t loop;
static struct side sides[2];

static void on_sent(uv_udp_send_t *req, int err)
{
    struct side *side = (struct side *)req->handle->data;

    bench_must(err == 0, "send a datagram");
    req->data = side->free;
    side->free = req;
}

static void side_throw(struct side *side)
{
    uv_udp_send_t *req = side->free;
    uv_buf_t buf = uv_buf_init(pummel_payload, PUMMEL_BYTES);

    bench_must(req != NULL, "find a free request");
    side->free = req->data;
    bench_must(uv_udp_send(req, &side->udp, &buf, 1, (const struct sockaddr *)&side->other->at, on_sent) == 0,
               "begin to send");
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    *buf = uv_buf_init(((struct side *)handle->data)->slots, SLOTS * SLOT);
}

static void on_received(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
    enum pummel_next next;

    (void)buf, (void)flags;
    if (!from)
        return; /* nothing more, or the buffer is given back */
    next = pummel_caught((size_t)n);
    if (next == PUMMEL_ANSWER)
        side_throw(udp->data);
    else if (next == PUMMEL_STOP)
        uv_stop(&loop);
}

void contender_open(unsigned inflight)
{
    (void)inflight;
    bench_must(uv_loop_init(&loop) == 0, "make a loop");
    for (int i = 0; i < 2; i++) {
        struct side *side = &sides[i];
        int len = sizeof side->at;
        side->other = &sides[1 - i];
        side->slots = bench_alloc(SLOTS, SLOT);
        for (int j = 0; j < REQS; j++) {
            side->reqs[j].data = side->free;
            side->free = &side->reqs[j];
        }
        bench_must(uv_udp_init_ex(&loop, &side->udp, AF_INET | UV_UDP_RECVMMSG) == 0, "make a socket");
        side->udp.data = side;
        uv_ip4_addr("127.0.0.1", 0, &side->at);
        bench_must(uv_udp_bind(&side->udp, (const struct sockaddr *)&side->at, 0) == 0, "bind a socket");
        bench_must(uv_udp_getsockname(&side->udp, (struct sockaddr *)&side->at, &len) == 0, "ask for the port");
        bench_must(uv_udp_recv_start(&side->udp, on_alloc, on_received) == 0, "begin to receive");
    }
}

void contender_throw(unsigned count)
{
    while (count-- > 0)
        side_throw(&sides[0]);
}

void contender_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}
