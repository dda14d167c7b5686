/* SPDX-License-Identifier: ISC */
/* What the parts of the probe share: see probe.c. */
#ifndef GY_TESTS_KQUEUE_PROBE_H
#define GY_TESTS_KQUEUE_PROBE_H

#include <sys/types.h>

#include <stddef.h>
#include <sys/event.h>
#include <time.h>

/* Most groups need one queue and one pipe. */
extern int queue, ends[2];

const char *error_word(int number);
const char *filter_word(int filter);
void print_event(const struct kevent *e);
void rest(int ms);
long elapsed(const struct timespec *since);
struct timespec moment(void);
int call(int q, const struct kevent *changes, int count, struct kevent *out, int room, int ms);
int change(int q, int id, int filter, int flags, unsigned fflags, int user);
void tell(const char *tag, int result);
void tell_change(const char *tag, int id, int filter, int flags, int user);
void collect_from(int q, const char *tag, int ms);
void collect(const char *tag);
int count_events(void);
void put(int fd, const char *text);
void take(int fd, size_t most);
void fresh(void);
void level_pipe(void);
void level_socket(int fd);

/* The groups. */
void t_basic(void);
void t_intr(void);
void t_level(void);
void t_clear(void);
void t_oneshot(void);
void t_pipeeof(void);
void t_sock(void);
void t_tcp(void);
void t_oob(void);
void t_user(void);
void t_thread(void);
void t_close(void);
void t_nest(void);
void t_vnode(void);
void t_file(void);
void t_many(void);

#endif
