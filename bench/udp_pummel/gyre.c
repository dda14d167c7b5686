/* SPDX-License-Identifier: ISC */
/* gyre: two gy_udp, and as many gy_dgram as there can be on their way.
 */
#include "common/gyre_loop.h"
#include "udp_pummel/workload.h"

#include "gyre/udp.h"

const char contender[] = "gyre";

enum { SLOTS = 64, SLOT = 128, DGRAMS = 2 * PUMMEL_INFLIGHT_MOST };

struct side {
    gy_udp udp;
    gy_endpoint at;
    struct side *other;
    gy_dgram *free; /* chained through `user` */
    gy_dgram dgrams[DGRAMS];
    char slots[SLOTS * SLOT];
};

static gy_loop *loop;
static struct side sides[2];

static void on_sent(gy_dgram *dgram, int err)
{
    struct side *side = GY_OF(dgram->udp, struct side, udp);

    bench_must(err == 0, "send a datagram");
    dgram->user = side->free;
    side->free = dgram;
}

static void side_throw(struct side *side)
{
    gy_dgram *dgram = side->free;

    bench_must(dgram != NULL, "find a free datagram");
    side->free = dgram->user;
    bench_must(gy_udp_send(&side->udp, dgram, GY_BUF(pummel_payload), &side->other->at, on_sent) == 0,
               "begin to send");
}

static void on_received(gy_udp *udp, int err, const gy_udp_msg *msgs, unsigned count)
{
    struct side *side = GY_OF(udp, struct side, udp);

    bench_must(err == 0, "receive");
    for (unsigned i = 0; i < count; i++) {
        enum pummel_next next = pummel_caught(msgs[i].buf.len);
        if (next == PUMMEL_ANSWER)
            side_throw(side);
        else if (next == PUMMEL_STOP)
            gy_loop_stop(loop);
    }
}

void contender_open(unsigned inflight)
{
    (void)inflight;
    loop = bench_loop();
    for (int i = 0; i < 2; i++) {
        struct side *side = &sides[i];
        gy_udp_recv_opts opts = {.into = GY_BUF(side->slots), .size = SLOT, .fn = on_received};
        side->other = &sides[1 - i];
        for (int j = 0; j < DGRAMS; j++) {
            side->dgrams[j].user = side->free;
            side->free = &side->dgrams[j];
        }
        bench_must(gy_udp_open(loop, &side->udp, (gy_udp_opts){.addr = "127.0.0.1:0"}) == 0, "open a socket");
        bench_must(gy_udp_local(&side->udp, &side->at) == 0, "ask for the port");
        bench_must(gy_udp_recv_start(&side->udp, opts) == 0, "begin to receive");
    }
}

void contender_throw(unsigned count)
{
    while (count-- > 0)
        side_throw(&sides[0]);
}

void contender_run(void)
{
    gy_loop_run(loop);
}
