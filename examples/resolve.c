/* SPDX-License-Identifier: ISC */
/* Names: prints the addresses of the names that are given, all looked up at the same time, each as soon as it is known.
 *
 *   resolve [-r] NAME...        -r: also the name that each address is known by
 *
 * A look-up belongs to a thread of the pool while it is under way, so a name server that is slow delays only those who
 * asked it. */
#include <gyre/gyre.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const gy_ns patience = GY_S(10);
static bool reverse;

/* An address whose name is asked for. */
struct back {
    gy_dns dns;
    const char *host;
    gy_addr addr;
};

static void on_name(gy_dns *dns, int err) {
    struct back *b = GY_OF(dns, struct back, dns);
    printf("%s  %s  is %s\n", b->host, b->addr.text, err ? gy_error_text(err) : dns->name);
    gy_dns_release(dns);
    free(b);
}

static void ask_back(gy_loop *loop, const char *host, const gy_addr *addr) {
    struct back *b = calloc(1, sizeof *b);
    if (!b) return;
    b->host = host;
    b->addr = *addr;
    gy_dns_reverse_opts opts = {.addr = addr->text, .flags = GY_DNS_NAMED, .timeout = patience};
    if (gy_dns_reverse(loop, &b->dns, opts, on_name)) free(b);
}

static void on_addresses(gy_dns *dns, int err) {
    const char *host = dns->user;
    if (err) printf("%s  %s\n", host, gy_error_text(err));
    for (unsigned i = 0; i < dns->count; i++) {
        if (reverse) ask_back(dns->loop, host, &dns->addrs[i]);
        else printf("%s  %s\n", host, dns->addrs[i].text);
    }
    gy_dns_release(dns);
}

int main(int argc, char **argv) {
    gy_loop *loop;
    int first = 1;
    reverse = argc > 1 && strcmp(argv[1], "-r") == 0;
    if (reverse) first++;
    if (first == argc) {
        fprintf(stderr, "usage: resolve [-r] NAME...\n");
        return 2;
    }
    gy_dns *asks = calloc((size_t)argc, sizeof *asks);
    int err = asks ? gy_loop_new(&loop, (gy_loop_opts){0}) : -1;
    if (err) return 1;
    for (int i = first; i < argc; i++) {
        asks[i].user = argv[i];
        err = gy_dns_lookup(loop, &asks[i], (gy_dns_opts){.host = argv[i], .timeout = patience}, on_addresses);
        if (err) printf("%s  %s\n", argv[i], gy_error_text(err));
    }
    err = gy_loop_run(loop);
    if (err) fprintf(stderr, "resolve: %s\n", gy_error_text(err));
    gy_loop_free(loop);
    free(asks);
    return err != 0;
}
