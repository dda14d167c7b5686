/* SPDX-License-Identifier: ISC */
/* Addresses: what is read and what is refused, the forms of RFC 5952, local names, and a comparison with the C library
 * over random addresses. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "harness.h"
#include "net/addr.h"

/* Reads a text and writes it again. The answer stays until the next call. */
static const char *addr_again(const char *text) {
    static gy_addr out;
    gyi_sockaddr addr;
    int err = gyi_addr_parse(text, &addr);
    if (err) CHECK_FAIL("\"%s\": %s", text, gy_error_name(err));
    gyi_addr_format(&addr, &out);
    return out.text;
}

TEST(addr, what_is_written_as_it_was_read) {
    static const char *const same[] = {
        "0.0.0.0:0", "127.0.0.1:7000", "255.255.255.255:65535", "1.20.255.9:80", "[::]:0", "[::1]:7000",
        "[2001:db8::1]:443", "[2001:db8:0:1:1:1:1:1]:1", "[1:2:3:4:5:6:7:8]:9", "[1::]:1", "[::8]:1",
        "[1:2:3:4:5:6::]:1", "[::3:4:5:6:7:8]:1", "[fe80::1%2]:1", "[fe80::1%999999999]:65535",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) CHECK_STR(addr_again(same[i]), same[i]);
}

/* RFC 5952: no leading zeros, "::" for the longest run of at least two zero groups, the first of equals, lower case. */
TEST(addr, the_canonical_form) {
    static const char *const pairs[][2] = {
        {"[2001:0DB8::0001]:1", "[2001:db8::1]:1"},
        {"[2001:db8:0:0:0:0:2:1]:1", "[2001:db8::2:1]:1"},
        {"[2001:db8::1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1"},
        {"[2001:0:0:1:0:0:0:1]:1", "[2001:0:0:1::1]:1"},
        {"[2001:db8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1"},
        {"[0:0:0:0:0:0:0:0]:1", "[::]:1"},
        {"[1:0:0:0:0:0:0:0]:1", "[1::]:1"},
        {"[ABCD::EF]:1", "[abcd::ef]:1"},
        {"[::255.1.2.3]:1", "[::ff01:203]:1"},
        {"[1:2:3:4:5:6:1.2.3.4]:1", "[1:2:3:4:5:6:102:304]:1"},
        {"[1:2:3:4:5:6:7::]:1", "[1:2:3:4:5:6:7:0]:1"},
        {"[fe80::1%0]:1", "[fe80::1]:1"},
        {"*:7000", "[::]:7000"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) CHECK_STR(addr_again(pairs[i][0]), pairs[i][1]);
}

TEST(addr, malformed_texts_are_refused) {
    static const char *const bad[] = {
        "", ":", ":80", "80", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:+1",
        "127.0.0.1:65536", "127.0.0.1:99999", "127.0.0.1:100000", "127.0.0.1:080", "127.0.0.1:00", "127.0.0.1:80 ",
        "127.0.0.1: 80", " 127.0.0.1:80", "127.0.0.1 :80", "127.0.0.1:80x", "127.0.0.1:80:80", "127.0.0.1:8\n",
        "127.0.0:80", "127.0.0.1.1:80", "127.0.0.:80", ".0.0.1:80", "127..0.1:80", "256.0.0.1:80", "127.0.0.999:80",
        "01.2.3.4:80", "1.2.3.00:80", "1.2.3.0x1:80", "1.2.3.4444:80", "a.b.c.d:80", "1,2,3,4:80",
        "::1:80", "[::1]", "[::1]:", "[::1]80", "[::1:80", "[]:80", "[:]:80", "[:1]:80", "[1:]:80", "[:::]:80",
        "[1::2::3]:80", "[::1::]:80", "[1:2:3:4:5:6:7]:80", "[1:2:3:4:5:6:7:8:9]:80", "[1:2:3:4:5:6:7:8:]:80",
        "[1:2:3:4:5:6:7:8::]:80", "[::1:2:3:4:5:6:7:8]:80", "[1:2:3:4:5:6:7::8]:80x", "[12345::]:80", "[g::]:80",
        "[::1 ]:80", "[ ::1]:80", "[::1.2.3]:80", "[::1.2.3.4.5]:80", "[::256.2.3.4]:80", "[1.2.3.4]:80",
        "[1:2:3:4:5:6:7:1.2.3.4]:80", "[1.2.3.4::]:80", "[::1%]:80", "[::1%lo]:80", "[::1%-1]:80", "[::1%01]:80",
        "[::1%1000000000]:80", "[::1%1:80", "[::1]]:80", "[[::1]]:80", "*", "*:", "**:80", "*.*:80", "* :80", "*:65536",
        "[*]:80",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gyi_sockaddr out;
        int err = gyi_addr_parse(bad[i], &out);
        if (err != GY_EADDRESS) CHECK_FAIL("\"%s\": %d", bad[i], err);
    }
}

TEST(addr, the_port_and_the_scope_arrive) {
    gyi_sockaddr addr;
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    CHECK_EQ(gyi_addr_parse("[fe80::a%17]:8080", &addr), 0);
    CHECK_EQ(addr.len, sizeof six);
    memcpy(&six, &addr.addr, sizeof six);
    CHECK_EQ(six.sin6_family, AF_INET6);
    CHECK_EQ(ntohs(six.sin6_port), 8080);
    CHECK_EQ(six.sin6_scope_id, 17);
    CHECK_EQ(six.sin6_addr.s6_addr[0], 0xfe);
    CHECK_EQ(six.sin6_addr.s6_addr[15], 0x0a);
    gyi_addr_any4(&addr, &addr); /* in place */
    CHECK_EQ(addr.len, sizeof four);
    memcpy(&four, &addr.addr, sizeof four);
    CHECK_EQ(four.sin_family, AF_INET);
    CHECK_EQ(ntohs(four.sin_port), 8080);
    CHECK_EQ(four.sin_addr.s_addr, htonl(INADDR_ANY));
}

static uint32_t addr_random(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* What the C library writes is read as the same address, and what is written is read as the same by the C library. Its
 * own text may differ, because it writes some addresses with an IPv4 tail. */
TEST(addr, random_addresses_as_the_c_library_has_them) {
    uint64_t state = 20240601;
    for (int i = 0; i < 200000; i++) {
        struct in6_addr in, back;
        char text[INET6_ADDRSTRLEN + 16], plain[INET6_ADDRSTRLEN];
        unsigned zeros = addr_random(&state) % 4 ? addr_random(&state) : 0;
        for (int j = 0; j < 16; j++) {
            uint32_t byte = addr_random(&state) % 256 >> addr_random(&state) % 8;
            in.s6_addr[j] = (uint8_t)(zeros >> (j / 2) & 1 ? 0 : byte);
        }
        CHECK(inet_ntop(AF_INET6, &in, plain, sizeof plain) != NULL);
        unsigned port = addr_random(&state) % 65536;
        snprintf(text, sizeof text, "[%s]:%u", plain, port);
        const char *again = addr_again(text);
        if (!strchr(plain, '.')) CHECK_STR(again, text);
        const char *end = strchr(again, ']');
        CHECK(end != NULL);
        snprintf(plain, sizeof plain, "%.*s", (int)(end - again - 1), again + 1);
        CHECK_EQ(inet_pton(AF_INET6, plain, &back), 1);
        if (memcmp(&in, &back, sizeof in) != 0) CHECK_FAIL("%s became %s", text, again);
    }
}

/* Nothing that is cut out of or changed in a good address may be read beyond its end; the sanitizers watch. */
TEST(addr, mutated_texts) {
    static const char *const good[] = {"255.255.255.255:65535", "[1:2:3:4:5:6:77.88.99.1]:80", "[fe80::1%22]:1", "*:1"};
    static const char letters[] = "0123456789abcdef:.[]%* x";
    uint64_t state = 77;
    unsigned taken = 0;
    for (int i = 0; i < 200000; i++) {
        char text[40];
        gyi_sockaddr addr;
        gy_addr once, twice;
        snprintf(text, sizeof text, "%s", good[i % 4]);
        for (unsigned n = 1 + addr_random(&state) % 3; n; n--)
            text[addr_random(&state) % strlen(good[i % 4])] = letters[addr_random(&state) % (sizeof letters - 1)];
        if (gyi_addr_parse(text, &addr)) continue;
        taken++;
        gyi_addr_format(&addr, &once);
        CHECK_EQ(gyi_addr_parse(once.text, &addr), 0);
        gyi_addr_format(&addr, &twice);
        CHECK_STR(once.text, twice.text);
    }
    CHECK(taken > 1000); /* or the mutations say nothing */
}

TEST(addr, local_names) {
    gyi_sockaddr addr;
    gy_addr text;
    struct sockaddr_un un;
    char name[sizeof un.sun_path + 2];
    CHECK_EQ(gyi_addr_local("", &addr), GY_EADDRESS);
    CHECK_EQ(gyi_addr_local("/tmp/socket", &addr), 0);
    gyi_addr_format(&addr, &text);
    CHECK_STR(text.text, "/tmp/socket");
    memset(name, 'n', sizeof name);
    name[sizeof un.sun_path] = 0;
    CHECK_EQ(gyi_addr_local(name, &addr), -ENAMETOOLONG); /* there is no room for the final 0 */
    name[sizeof un.sun_path - 1] = 0;
    CHECK_EQ(gyi_addr_local(name, &addr), 0);
    gyi_addr_format(&addr, &text);
    CHECK_STR(text.text, name);
}

#ifdef __linux__
TEST(addr, abstract_names) {
    gyi_sockaddr addr;
    gy_addr text;
    struct sockaddr_un un;
    char name[sizeof un.sun_path + 2] = "@";
    CHECK_EQ(gyi_addr_local("@gyre", &addr), 0);
    memcpy(&un, &addr.addr, sizeof un);
    CHECK_EQ(un.sun_path[0], 0);
    CHECK_EQ(addr.len, offsetof(struct sockaddr_un, sun_path) + 5);
    gyi_addr_format(&addr, &text);
    CHECK_STR(text.text, "@gyre");
    memset(name + 1, 'n', sizeof name - 1);
    name[sizeof un.sun_path + 1] = 0;
    CHECK_EQ(gyi_addr_local(name, &addr), -ENAMETOOLONG);
    name[sizeof un.sun_path] = 0; /* the name needs no final 0 */
    CHECK_EQ(gyi_addr_local(name, &addr), 0);
    gyi_addr_format(&addr, &text);
    CHECK_STR(text.text, name);
}
#endif

TEST(addr, unnamed_and_unknown_addresses_are_empty) {
    gyi_sockaddr addr;
    gy_addr text;
    memset(&addr, 0, sizeof addr);
    gyi_addr_format(&addr, &text);
    CHECK_STR(text.text, "");
    addr.addr.ss_family = AF_UNIX;
    addr.len = offsetof(struct sockaddr_un, sun_path);
    gyi_addr_format(&addr, &text);
    CHECK_STR(text.text, "");
    addr.len = sizeof(struct sockaddr_un); /* as some systems have it */
    gyi_addr_format(&addr, &text);
    CHECK_STR(text.text, "");
    addr.addr.ss_family = AF_UNSPEC;
    gyi_addr_format(&addr, &text);
    CHECK_STR(text.text, "");
}
