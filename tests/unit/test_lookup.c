/* SPDX-License-Identifier: ISC */
/* The C library's resolver, as far as it needs no network: numeric addresses, and what its codes become. */
#include "sys/lookup.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "harness.h"
#include "refuse.h"

static gyi_sys sys;

TEST(lookup, codes_become_errors_that_tell_what_to_do) {
    CHECK_EQ(gyi_lookup_error(0, EIO), 0);
    CHECK_EQ(gyi_lookup_error(EAI_NONAME, EIO), GY_ENONAME);
    CHECK_EQ(gyi_lookup_error(EAI_SERVICE, EIO), GY_ENOSERVICE);
    CHECK_EQ(gyi_lookup_error(EAI_AGAIN, EIO), GY_ETRYAGAIN);
    CHECK_EQ(gyi_lookup_error(EAI_FAIL, EIO), GY_ERESOLVER);
    CHECK_EQ(gyi_lookup_error(EAI_MEMORY, EIO), -ENOMEM);
    CHECK_EQ(gyi_lookup_error(EAI_FAMILY, EIO), -EAFNOSUPPORT);
    CHECK_EQ(gyi_lookup_error(EAI_BADFLAGS, EIO), -EINVAL);
    CHECK_EQ(gyi_lookup_error(EAI_SYSTEM, EMFILE), -EMFILE);
    CHECK_EQ(gyi_lookup_error(EAI_SYSTEM, 0), GY_ERESOLVER);
    CHECK_EQ(gyi_lookup_error(-77777, EIO), GY_ERESOLVER);
    CHECK_EQ(gyi_lookup_error(77777, EIO), GY_ERESOLVER);
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
    CHECK_EQ(gyi_lookup_error(EAI_NODATA, 0), GY_ENOADDRESS);
#endif
}

TEST(lookup, each_address_comes_once_with_its_port) {
    struct addrinfo *list;
    gyi_sockaddr addr;
    struct sockaddr_in in;
    uint64_t before = sys.count[GYI_SYS_LOOKUP];
    CHECK_EQ(gyi_lookup_host(&sys, "127.0.0.1", "443", AF_UNSPEC, GYI_LOOKUP_CANON, &list), 0);
    CHECK_EQ(sys.count[GYI_SYS_LOOKUP], before + 1);
    CHECK_STR(gyi_lookup_canon(list), "127.0.0.1");
    const struct addrinfo *rest = list;
    CHECK(gyi_lookup_next(&rest, &addr));
    memcpy(&in, &addr.addr, sizeof in);
    CHECK_EQ(in.sin_family, AF_INET);
    CHECK_EQ(ntohs(in.sin_port), 443);
    CHECK_EQ(ntohl(in.sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK(!gyi_lookup_next(&rest, &addr));
    gyi_lookup_free(list);
    gyi_lookup_free(NULL);
    CHECK(gyi_lookup_canon(NULL) == NULL);
}

TEST(lookup, what_is_no_address_and_what_is_another) {
    struct addrinfo *list;
    CHECK_EQ(gyi_lookup_host(&sys, "no.address", NULL, AF_UNSPEC, GYI_LOOKUP_NUMERIC_HOST, &list), GY_ENONAME);
    CHECK(list == NULL);
    CHECK(gyi_lookup_host(&sys, "127.0.0.1", NULL, AF_INET6, GYI_LOOKUP_NUMERIC_HOST, &list) < 0);
    CHECK(list == NULL);
}

TEST(lookup, a_name_that_does_not_fit_is_never_cut) {
    gyi_sockaddr addr = {.len = sizeof(struct sockaddr_in)};
    struct sockaddr_in in;
    char host[64], service[64];
    memset(&in, 0, sizeof in);
    in.sin_family = AF_INET;
    in.sin_port = htons(7000);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&addr.addr, &in, sizeof in);
    unsigned flags = GYI_LOOKUP_NUMERIC_HOST | GYI_LOOKUP_NUMERIC_PORT;
    for (size_t room = 1; room < 20; room++) {
        int err = gyi_lookup_names(&sys, &addr, flags, (gy_buf){host, room}, GY_BUF(service));
        CHECK_EQ(err, room > sizeof "127.0.0.1" ? 0 : -EOVERFLOW);
        if (err) continue;
        CHECK_STR(host, "127.0.0.1");
        CHECK_STR(service, "7000");
    }
    CHECK_EQ(gyi_lookup_names(&sys, &addr, flags, GY_BUF(host), (gy_buf){service, 5}), -EOVERFLOW);
    CHECK_EQ(gyi_lookup_names(&sys, &addr, flags, GY_BUF(host), (gy_buf){service, 6}), 0);
}

#if defined(GYI_FAULTS) && GYI_FAULTS
TEST(lookup, can_be_made_to_fail) {
    struct addrinfo *list;
    gyi_sockaddr addr = {.len = 0};
    char text[8];
    refuse(GYI_SYS_LOOKUP, -EIO);
    CHECK_EQ(gyi_lookup_host(&sys, "127.0.0.1", NULL, AF_UNSPEC, 0, &list), -EIO);
    CHECK(list == NULL);
    CHECK_EQ(gyi_lookup_names(&sys, &addr, 0, GY_BUF(text), GY_BUF(text)), -EIO);
    refuse_nothing();
}
#endif
