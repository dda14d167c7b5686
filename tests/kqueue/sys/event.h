/* SPDX-License-Identifier: ISC */
/* <sys/event.h> for the tests on Linux: as much of kqueue as the library uses, found with -Itests/kqueue.
 *
 * The numbers are those of FreeBSD, so that what is printed can be compared with what was recorded there. What this
 * imitation does and cannot do is told in tests/kqueue/kqueue.c. */
#ifndef GY_TESTS_SYS_EVENT_H
#define GY_TESTS_SYS_EVENT_H

#include <stdint.h>
#include <time.h>

struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned int fflags;
    int64_t data;
    void *udata;
};

#define EV_SET(event, id, what, how, filter_flags, value, user)                                                       \
    (*(event) = (struct kevent){(uintptr_t)(id), (short)(what), (unsigned short)(how), (unsigned int)(filter_flags),  \
                                (int64_t)(value), (user)})

#define EVFILT_READ  (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_VNODE (-4)
#define EVFILT_USER  (-11)

#define EV_ADD      0x0001
#define EV_DELETE   0x0002
#define EV_ENABLE   0x0004
#define EV_DISABLE  0x0008
#define EV_ONESHOT  0x0010
#define EV_CLEAR    0x0020
#define EV_RECEIPT  0x0040
#define EV_DISPATCH 0x0080
#define EV_ERROR    0x4000
#define EV_EOF      0x8000

#define NOTE_LOWAT      0x00000001U
#define NOTE_DELETE     0x00000001U /* these are EVFILT_VNODE's */
#define NOTE_WRITE      0x00000002U
#define NOTE_EXTEND     0x00000004U
#define NOTE_ATTRIB     0x00000008U
#define NOTE_LINK       0x00000010U
#define NOTE_RENAME     0x00000020U
#define NOTE_REVOKE     0x00000040U
#define NOTE_TRIGGER    0x01000000U
#define NOTE_FFNOP      0x00000000U
#define NOTE_FFAND      0x40000000U
#define NOTE_FFOR       0x80000000U
#define NOTE_FFCOPY     0xc0000000U
#define NOTE_FFCTRLMASK 0xc0000000U
#define NOTE_FFLAGSMASK 0x00ffffffU

int kqueue(void);
int kevent(int kq, const struct kevent *changes, int nchanges, struct kevent *events, int nevents,
           const struct timespec *timeout);

#endif
