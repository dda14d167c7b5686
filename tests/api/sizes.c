/* SPDX-License-Identifier: ISC */
/* The sizes that are promised. Checked by the compiler; the program itself has nothing left to do. */
#include <gyre/gyre.h>

#if UINTPTR_MAX > 0xffffffffU
_Static_assert(sizeof(gy_io) <= 64, "a descriptor watcher");
_Static_assert(sizeof(gy_timer) <= 72, "a timer");
_Static_assert(sizeof(gy_stream) <= 136, "an idle connection");
_Static_assert(sizeof(gy_endpoint) == 32, "an address");
_Static_assert(sizeof(gy_file_stream) <= 768, "a file as a stream, with its two jobs");
_Static_assert(sizeof(gy_pipeline) <= 320, "a pipeline without its buffer");
_Static_assert(sizeof(gy_transform) == 16, "a step of a pipeline");
_Static_assert(sizeof(gy_emitter) <= 64, "an emitter");
_Static_assert(sizeof(gy_listener) <= 88, "a listener");
_Static_assert(sizeof(gy_async_listener) <= 112, "a listener that returns promises");
_Static_assert(sizeof(gy_emission) <= 104, "a queued emit");
_Static_assert(sizeof(gy_coro) <= 200, "a coroutine without a stack");
#else
_Static_assert(sizeof(gy_coro) <= 144, "a coroutine without a stack");
#endif
_Static_assert(offsetof(gy_io, user) == 0 && offsetof(gy_timer, user) == 0 && offsetof(gy_stream, user) == 0 &&
                   offsetof(gy_write, user) == 0 && offsetof(gy_job, user) == 0 && offsetof(gy_async, user) == 0 &&
                   offsetof(gy_message, user) == 0 && offsetof(gy_signal, user) == 0 && offsetof(gy_hook, user) == 0 &&
                   offsetof(gy_work, user) == 0 && offsetof(gy_alarm, user) == 0 && offsetof(gy_udp, user) == 0 &&
                   offsetof(gy_dgram, user) == 0 && offsetof(gy_process, user) == 0 && offsetof(gy_run, user) == 0 &&
                   offsetof(gy_events, user) == 0 && offsetof(gy_dns, user) == 0 && offsetof(gy_dial, user) == 0 &&
                   offsetof(gy_scope, user) == 0 && offsetof(gy_tty, user) == 0 && offsetof(gy_fswatch, user) == 0 &&
                   offsetof(gy_emitter, user) == 0 && offsetof(gy_listener, user) == 0 &&
                   offsetof(gy_emission, user) == 0 && offsetof(gy_async_listener, user) == 0 &&
                   offsetof(gy_coro, user) == 0 &&
                   offsetof(gy_pipeline, user) == 0 && offsetof(gy_transform, user) == 0 &&
                   offsetof(gy_file_stream, stream) == 0,
               "user is the first field");

int main(void) { return 0; }
