/* SPDX-License-Identifier: ISC */
/* By hand: an eventfd in an epoll set, edge-triggered, so that it need not be read: each write is a new edge.
 *
 * One flag says that there is something to do, so that sends coalesce; another says that the loop is about to sleep, so
 * that nobody writes to a loop that will look by itself. Each side sets its own flag before it reads the other's, and
 * both are sequentially consistent, so at least one of them sees the other. A loop that is awake still asks the kernel
 * once per turn, without waiting: one that did not would never see its other descriptors.
 */
#include "async_pummel/workload.h"

#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

const char contender[] = "hand";

struct port {
    int epoll, wake;
    atomic_bool sent, asleep;
    bool (*called)(void *arg);
    void *arg;
};

struct port *contender_open(bool (*called)(void *arg), void *arg)
{
    struct port *port = bench_alloc(1, sizeof *port);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};

    port->called = called;
    port->arg = arg;
    port->epoll = epoll_create1(EPOLL_CLOEXEC);
    port->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bench_must(port->epoll >= 0 && port->wake >= 0, "make a loop");
    bench_must(epoll_ctl(port->epoll, EPOLL_CTL_ADD, port->wake, &event) == 0, "watch the eventfd");
    return port;
}

void contender_send(struct port *port)
{
    const uint64_t one = 1;

    if (atomic_exchange(&port->sent, true) || !atomic_exchange(&port->asleep, false))
        return;
    bench_must(write(port->wake, &one, sizeof one) == sizeof one, "wake the loop");
}

void contender_run(struct port *port)
{
    struct epoll_event event;

    for (;;) {
        atomic_store(&port->asleep, true);
        epoll_wait(port->epoll, &event, 1, atomic_load(&port->sent) ? 0 : -1);
        atomic_store(&port->asleep, false);
        if (atomic_exchange(&port->sent, false) && port->called(port->arg))
            return;
    }
}
