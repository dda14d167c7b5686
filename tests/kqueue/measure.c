/* SPDX-License-Identifier: ISC */
/* What is true of a descriptor at this moment: asked of poll(), FIONREAD and the like, told in the words of kqueue.
 *
 * Nothing is kept here, and nothing that is asked changes the descriptor. That is why the error of a connection is a
 * guess: Linux hands it out once, and it belongs to the program under test. poll() tells that there is an error;
 * whether the connection was ever established tells ECONNRESET from ECONNREFUSED. Any other error (a time-out, a
 * route that is gone) is reported as one of these two. */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/event.h"

static int measure_option(int fd, int option) {
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) ? -1 : value;
}

static int measure_ioctl(int fd, unsigned long request, int otherwise) {
    int value = 0;
    return ioctl(fd, request, &value) ? otherwise : value;
}

static unsigned measure_poll(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    return poll(&p, 1, 0) > 0 ? (unsigned)(unsigned short)p.revents : 0;
}

static int measure_socket(int fd) {
    int domain = measure_option(fd, SO_DOMAIN), type = measure_option(fd, SO_TYPE);
    if (domain == AF_UNIX && type != SOCK_DGRAM) return KIND_LOCAL;
    if ((domain == AF_INET || domain == AF_INET6) && type == SOCK_STREAM) return KIND_TCP;
    return KIND_DATAGRAM;
}

int measure_kind(int fd) {
    struct stat st;
    if (fstat(fd, &st)) return -errno;
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) return KIND_FILE;
    if (S_ISFIFO(st.st_mode)) return KIND_PIPE;
    return S_ISSOCK(st.st_mode) ? measure_socket(fd) : KIND_OTHER;
}

/* A file is readable unless it stands exactly at its end. */
static fact measure_file(int fd, short filter) {
    struct stat st;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (filter == EVFILT_WRITE) return (fact){.ready = true};
    if (fstat(fd, &st) || at < 0) return (fact){0};
    return (fact){.ready = st.st_size != at, .data = st.st_size - at};
}

static fact measure_pipe(int fd, short filter, unsigned is) {
    int unread = measure_ioctl(fd, FIONREAD, 0);
    if (filter == EVFILT_READ)
        return (fact){.ready = is & (POLLIN | POLLHUP), .eof = is & POLLHUP, .data = unread};
    return (fact){.ready = is & (POLLOUT | POLLERR), .eof = is & POLLERR, .data = fcntl(fd, F_GETPIPE_SZ) - unread};
}

/* Of a socket, TIOCOUTQ is what was sent and not yet taken; the C library knows it without the kernel's headers. */
static int64_t measure_room(int fd) {
    int room = measure_option(fd, SO_SNDBUF) - measure_ioctl(fd, TIOCOUTQ, 0);
    return room > 0 ? room : 0;
}

/* Whether this side has ended its sending, judged by the state of the connection. */
static bool measure_tcp_ended(int state) {
    return state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING || state == TCP_LAST_ACK ||
           state == TCP_TIME_WAIT || state == TCP_CLOSE;
}

static fact measure_tcp(int fd, short filter, unsigned is) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size)) return (fact){0};
    int state = info.tcpi_state;
    bool reading = filter == EVFILT_READ;
    if (state == TCP_LISTEN) return (fact){.ready = reading && (is & POLLIN), .data = info.tcpi_unacked};
    /* A socket that was never connected looks hung up, but its receiving side has not ended. */
    if (state == TCP_SYN_SENT || (state == TCP_CLOSE && !(is & (POLLRDHUP | POLLERR)))) return (fact){0};
    unsigned error = !(is & POLLERR) ? 0 : info.tcpi_options ? ECONNRESET : ECONNREFUSED;
    fact f = {.error = error, .data = reading ? measure_ioctl(fd, FIONREAD, 0) : measure_room(fd)};
    f.eof = reading ? is & (POLLRDHUP | POLLHUP) : measure_tcp_ended(state);
    f.ready = f.eof || error || (is & (reading ? POLLIN : POLLOUT));
    return f;
}

static fact measure_local(int fd, short filter, unsigned is) {
    bool reading = filter == EVFILT_READ;
    if (measure_option(fd, SO_ACCEPTCONN) > 0) return (fact){.ready = reading && (is & POLLIN), .data = 1};
    /* As above: a socket that was never connected. */
    if ((is & POLLHUP) && !(is & POLLRDHUP)) return (fact){0};
    fact f = {.error = is & POLLERR ? ECONNRESET : 0};
    f.data = reading ? measure_ioctl(fd, FIONREAD, 0) : measure_room(fd);
    f.eof = is & (reading ? POLLRDHUP | POLLHUP : POLLHUP);
    f.ready = f.eof || f.error || (is & (reading ? POLLIN : POLLOUT));
    return f;
}

static fact measure_other(int fd, short filter, unsigned is, bool socket) {
    fact f = {.eof = is & POLLHUP};
    if (filter == EVFILT_WRITE) {
        f.ready = is & (POLLOUT | POLLERR | POLLHUP);
        f.data = socket ? measure_room(fd) : 1;
    } else {
        if (socket) f.eof = is & (POLLRDHUP | POLLHUP);
        f.ready = is & (POLLIN | POLLERR | POLLHUP);
        f.data = measure_ioctl(fd, FIONREAD, is & POLLIN ? 1 : 0);
    }
    return f;
}

fact measure_fact(int fd, fd_kind kind, short filter) {
    if (kind == KIND_FILE) return measure_file(fd, filter);
    unsigned is = measure_poll(fd);
    if (is & POLLNVAL) return (fact){0};
    switch (kind) {
    case KIND_PIPE: return measure_pipe(fd, filter, is);
    case KIND_TCP: return measure_tcp(fd, filter, is);
    case KIND_LOCAL: return measure_local(fd, filter, is);
    case KIND_DATAGRAM: return measure_other(fd, filter, is, true);
    default: return measure_other(fd, filter, is, false);
    }
}

bool measure_amount(int fd, fd_kind kind, short filter, int64_t *out) {
    struct stat st;
    int value = 0;
    bool known = false;
    if (kind == KIND_FILE && filter == EVFILT_READ) {
        known = fstat(fd, &st) == 0;
        if (known) *out = st.st_size ^ (int64_t)st.st_mtim.tv_nsec ^ ((int64_t)st.st_mtim.tv_sec << 30);
        return known;
    }
    if (kind == KIND_PIPE) known = ioctl(fd, FIONREAD, &value) == 0;
    else if (filter == EVFILT_WRITE && (kind == KIND_TCP || kind == KIND_LOCAL))
        known = ioctl(fd, TIOCOUTQ, &value) == 0;
    *out = value;
    return known;
}
