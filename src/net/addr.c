/* SPDX-License-Identifier: ISC */
/* Addresses as text and back, by hand: what the C library has for it drags in stdio, reads less strictly, and differs
 * from system to system. IPv6 is written as RFC 5952 says. */
#include "net/addr.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#ifdef __linux__
enum { ADDR_ABSTRACT = 1 };
#else
enum { ADDR_ABSTRACT = 0 }; /* the system has no abstract names, and a file of such a name is not what was meant */
#endif

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Reads a number of at most `digits` digits and at most `most`; leading zeros are not one. NULL when there is none. */
static const char *addr_number(const char *p, int digits, unsigned base, unsigned long most, unsigned long *out) {
    unsigned long value = 0;
    int n = 0;
    for (;; p++, n++) {
        unsigned digit = (unsigned char)*p - (unsigned)'0', letter = ((unsigned char)*p | 32U) - (unsigned)'a';
        unsigned d = digit < 10 ? digit : letter < 6 ? letter + 10 : base;
        if (d >= base) break;
        if (n == digits || (n > 0 && value == 0 && base == 10)) return NULL;
        value = value * base + d;
    }
    *out = value;
    return n == 0 || value > most ? NULL : p;
}

static const char *addr_read4(const char *p, unsigned char out[4]) {
    for (int i = 0; i < 4; i++) {
        unsigned long byte;
        if (i > 0 && *p++ != '.') return NULL;
        p = addr_number(p, 3, 10, 255, &byte);
        if (!p) return NULL;
        out[i] = (unsigned char)byte;
    }
    return p;
}

/* Groups of four hexadecimal digits, of which "::" may stand once for as many zero groups as are missing, and of which
 * the last two may be written as an IPv4 address. */
static const char *addr_read6(const char *p, unsigned char out[16]) {
    unsigned char head[16] = {0};
    int n = 0, gap = -1;
    if (p[0] == ':' && p[1] != ':') return NULL;
    while (n < 16) {
        if (p[0] == ':' && p[1] == ':') {
            if (gap >= 0) return NULL;
            gap = n;
            p += 2;
            if (*p == ']' || *p == '%') break;
        } else if (n > 0 && *p == ':') {
            p++;
        } else if (n > 0) {
            break;
        }
        unsigned long group;
        const char *end = n <= 12 ? addr_read4(p, head + n) : NULL;
        if (end) {
            p = end;
            n += 4;
            break;
        }
        p = addr_number(p, 4, 16, 0xffff, &group);
        if (!p) return NULL;
        head[n++] = (unsigned char)(group >> 8);
        head[n++] = (unsigned char)group;
    }
    if (gap < 0 ? n != 16 : n > 14) return NULL;
    if (gap < 0) gap = n;
    memset(out, 0, 16);
    memcpy(out, head, (size_t)gap);
    memcpy(out + 16 - (n - gap), head + gap, (size_t)(n - gap));
    return p;
}

static int addr_set4(gyi_sockaddr *out, const unsigned char bytes[4], unsigned long port) {
    struct sockaddr_in in;
    memset(&in, 0, sizeof in);
    in.sin_family = AF_INET;
    in.sin_port = htons((uint16_t)port);
    memcpy(&in.sin_addr, bytes, 4);
    memcpy(&out->addr, &in, sizeof in);
    out->len = sizeof in;
    return 0;
}

static int addr_set6(gyi_sockaddr *out, const unsigned char bytes[16], unsigned long scope, unsigned long port) {
    struct sockaddr_in6 in;
    memset(&in, 0, sizeof in);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons((uint16_t)port);
    in.sin6_scope_id = (uint32_t)scope;
    memcpy(&in.sin6_addr, bytes, 16);
    memcpy(&out->addr, &in, sizeof in);
    out->len = sizeof in;
    return 0;
}

int gyi_addr_parse(const char *text, gyi_sockaddr *out) {
    unsigned char bytes[16] = {0};
    unsigned long port, scope = 0;
    bool six = *text == '[' || *text == '*';
    const char *p = text;
    if (*p == '[') {
        p = addr_read6(p + 1, bytes);
        if (p && *p == '%') p = addr_number(p + 1, 9, 10, 999999999, &scope);
        if (!p || *p++ != ']') return GY_EADDRESS;
    } else if (*p == '*') {
        p++;
    } else {
        p = addr_read4(p, bytes);
    }
    if (!p || *p++ != ':') return GY_EADDRESS;
    p = addr_number(p, 5, 10, 65535, &port);
    if (!p || *p) return GY_EADDRESS;
    return six ? addr_set6(out, bytes, scope, port) : addr_set4(out, bytes, port);
}

void gyi_addr_any4(const gyi_sockaddr *like, gyi_sockaddr *out) {
    static const unsigned char any[4];
    struct sockaddr_in6 in;
    memcpy(&in, &like->addr, sizeof in);
    addr_set4(out, any, ntohs(in.sin6_port));
}

int gyi_addr_local(const char *path, gyi_sockaddr *out) {
    struct sockaddr_un un;
    size_t len = strlen(path);
    bool abstract = path[0] == '@';
    if (len == 0 || (abstract && !ADDR_ABSTRACT)) return GY_EADDRESS;
    if (len + !abstract > sizeof un.sun_path) return -ENAMETOOLONG;
    memset(&un, 0, sizeof un);
    un.sun_family = AF_UNIX;
    memcpy(un.sun_path, path, len);
    if (abstract) un.sun_path[0] = 0;
    memcpy(&out->addr, &un, sizeof un);
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + !abstract);
    return 0;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static char *addr_put(char *p, unsigned long value, unsigned base) {
    char digits[24];
    int n = 0;
    do digits[n++] = "0123456789abcdef"[value % base];
    while (value /= base);
    while (n) *p++ = digits[--n];
    return p;
}

static char *addr_write4(char *p, const unsigned char bytes[4]) {
    for (int i = 0; i < 4; i++) {
        if (i) *p++ = '.';
        p = addr_put(p, bytes[i], 10);
    }
    return p;
}

/* The longest run of at least two zero groups, the first of equal ones, which "::" is to stand for. */
static int addr_longest_gap(const unsigned group[8], int *length) {
    int best = -1;
    *length = 1;
    for (int i = 0, run = 0; i < 8; i++) {
        run = group[i] ? 0 : run + 1;
        if (run > *length) {
            *length = run;
            best = i - run + 1;
        }
    }
    return best;
}

static char *addr_write6(char *p, const unsigned char bytes[16]) {
    unsigned group[8];
    for (int i = 0; i < 8; i++) group[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
    int length, gap = addr_longest_gap(group, &length);
    for (int i = 0; i < 8; i++) {
        if (i == gap) {
            *p++ = ':';
            *p++ = ':';
            i += length - 1;
            continue;
        }
        if (i && p[-1] != ':') *p++ = ':';
        p = addr_put(p, group[i], 16);
    }
    return p;
}

static void addr_format_local(const gyi_sockaddr *addr, gy_addr *out) {
    struct sockaddr_un un;
    size_t begin = offsetof(struct sockaddr_un, sun_path);
    size_t len = addr->len > begin ? addr->len - begin : 0;
    memcpy(&un, &addr->addr, sizeof un);
    if (len > sizeof un.sun_path) len = sizeof un.sun_path;
    if (len > sizeof out->text - 1) len = sizeof out->text - 1;
    memcpy(out->text, un.sun_path, len);
    out->text[len] = 0;
    if (len && !un.sun_path[0]) out->text[0] = len > 1 && un.sun_path[1] ? '@' : 0;
}

void gyi_addr_format(const gyi_sockaddr *addr, gy_addr *out) {
    char *p = out->text;
    *p = 0;
    if (addr->len == 0) return;
    if (addr->addr.ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, &addr->addr, sizeof in);
        p = addr_write4(p, (const unsigned char *)&in.sin_addr);
        *p++ = ':';
        p = addr_put(p, ntohs(in.sin_port), 10);
        *p = 0;
    } else if (addr->addr.ss_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, &addr->addr, sizeof in);
        *p++ = '[';
        p = addr_write6(p, (const unsigned char *)&in.sin6_addr);
        if (in.sin6_scope_id) {
            *p++ = '%';
            p = addr_put(p, in.sin6_scope_id, 10);
        }
        *p++ = ']';
        *p++ = ':';
        p = addr_put(p, ntohs(in.sin6_port), 10);
        *p = 0;
    } else if (addr->addr.ss_family == AF_UNIX) {
        addr_format_local(addr, out);
    }
}
