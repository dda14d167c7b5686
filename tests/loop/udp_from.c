/* SPDX-License-Identifier: ISC */
/* Sending from an address of one's choice: an answer that comes from where the question went to. */
#include "udp.h"

typedef struct host {
    gy_udp udp;
    gy_endpoint local; /* of the last question */
    gy_endpoint from;
    int count;
    char slots[1024];
} host;

static void host_note(gy_udp *udp, int err, const gy_udp_msg *msgs, unsigned count) {
    host *h = GY_OF(udp, host, udp);
    CHECK(err == 0 && count > 0);
    h->local = msgs[0].local;
    h->from = msgs[0].from;
    h->count += (int)count;
}

/* A socket of all addresses is asked at `asked`, and answers from there. */
static void from_where_it_was_asked(kit *k, const char *all, const char *asked, unsigned segment) {
    host h = {.count = 0};
    letter ask = {0}, answer = {0};
    gy_endpoint at, expected;
    char text[64], bytes[] = "hello";
    gy_buf buf = GY_BUF(bytes);
    post *a = post_open(k, strchr(asked, '[') ? "[::1]:0" : "127.0.0.1:0");
    CHECK_EQ(gy_udp_open(k->loop, &h.udp, (gy_udp_opts){.addr = all}), 0);
    gy_udp_recv_opts opts = {.into = GY_BUF(h.slots), .info = GY_UDP_LOCAL, .fn = host_note};
    CHECK_EQ(gy_udp_recv_start(&h.udp, opts), 0);
    post_receive(a);
    CHECK_EQ(gy_udp_local(&h.udp, &at), 0);
    snprintf(text, sizeof text, "%s:%u", asked, gy_endpoint_port(&at));
    CHECK_EQ(gy_endpoint_parse(&expected, text), 0);
    letter_send(a, &ask, "question", &expected);
    kit_until(k, &h.count, 1);
    gy_dgram_opts send = {.from = &buf, .count = 1, .to = &h.from, .local = &h.local, .segment = segment,
                          .fn = letter_done};
    CHECK_EQ(gy_udp_sendv(&h.udp, &answer.d, send), 0);
    kit_until(k, &answer.done, 1);
    CHECK_EQ(answer.err, 0);
    kit_until(k, &a->count, segment ? 2 : 1);
    CHECK(gy_endpoint_equal(&a->last.from, &expected));
    kit_until(k, &ask.done, 1);
    gy_udp_close(&h.udp, NULL);
    post_close(k, a);
}

#ifdef __linux__ /* where each address that begins with 127 is this machine's */
enum { FROM_ANY = 1 };
#else
enum { FROM_ANY = 0 };
#endif

TEST_BACKENDS(udp_from, an_answer_comes_from_where_the_question_went) {
    kit k;
    kit_open(&k, backend);
    const char *asked = FROM_ANY ? "127.0.0.77" : "127.0.0.1";
    from_where_it_was_asked(&k, "0.0.0.0:0", asked, 0);
    from_where_it_was_asked(&k, "0.0.0.0:0", asked, 3);
    if (kit_has(KIT_TCP6)) {
        from_where_it_was_asked(&k, "[::]:0", "[::1]", 0);
        if (FROM_ANY) from_where_it_was_asked(&k, "*:0", asked, 3);
    }
    kit_close(&k);
}

TEST_BACKENDS(udp_from, what_is_no_address_of_ours) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0");
    letter l = {0};
    gy_endpoint none = {{0}}, six, strange;
    char bytes[] = "x";
    gy_buf buf = GY_BUF(bytes);
    gy_dgram_opts opts = {.from = &buf, .count = 1, .to = &a->at, .local = &none, .fn = letter_done};
    CHECK_EQ(gy_udp_sendv(&a->udp, &l.d, opts), -EINVAL);
    CHECK_EQ(gy_endpoint_parse(&six, "[::1]:0"), 0);
    opts.local = &six;
    CHECK_EQ(gy_udp_sendv(&a->udp, &l.d, opts), -EAFNOSUPPORT);
    CHECK_EQ(gy_endpoint_parse(&strange, "192.0.2.1:0"), 0);
    opts.local = &strange;
    CHECK_EQ(gy_udp_sendv(&a->udp, &l.d, opts), 0);
    kit_until(&k, &l.done, 1);
    CHECK(l.err < 0);
    post_close(&k, a);
    kit_close(&k);
}
