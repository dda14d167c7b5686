/* SPDX-License-Identifier: ISC */
/** @file gyre.h
 *  All of gyre. The map:
 *
 *  | header     | what it gives                                                         |
 *  | ---------- | --------------------------------------------------------------------- |
 *  | base.h     | time, buffers, errors, memory, GY_OF                                  |
 *  | loop.h     | gy_loop: new, run, step, stop, embedding in another loop, fork        |
 *  | job.h      | gy_defer, gy_microtask, gy_immediate                                  |
 *  | timer.h    | gy_timer (once, repeating, absolute), gy_alarm (time of day)          |
 *  | io.h       | gy_io: readiness of any descriptor                                    |
 *  | async.h    | gy_async and gy_post: from other threads into the loop                |
 *  | signal.h   | gy_signal                                                             |
 *  | hook.h     | gy_hook: before the poll, after it, when idle                         |
 *  | stats.h    | what the loop has done, and how late it was                           |
 *  | pool.h     | gy_pool, gy_work: threads for what blocks or computes                 |
 *  | emitter.h  | gy_emitter, gy_listener: the EventEmitter                             |
 *  | stream.h   | gy_stream: tcp and local sockets                                      |
 *  | udp.h      | gy_udp: datagrams in batches, multicast                               |
 *  | stream.h   | gy_stream: tcp, local sockets, pipes; descriptors over local sockets  |
 *  | dns.h      | gy_dns, gy_dial: names to addresses and back, connecting by name       |
 *  | tty.h      | gy_tty: modes, size and colours of terminals                          |
 *  | fs.h       | gy_fs: file operations on the pool, whole files, directory trees      |
 *  | group.h    | gy_group: loops on several threads, tasks and connections between them |
 *  | fswatch.h  | gy_fswatch: changes to files and directories                          |
 *  | filestream.h | gy_file_stream: a file as a stream                                  |
 *  | pipeline.h | gy_pipeline: from stream to stream, through steps, with backpressure  |
 *  | process.h  | gy_process, gy_run: child processes                                   |
 *  | promise.h  | gy_promise: then, catch, finally, all, any, race, delay               |
 *  | cancel.h   | gy_cancel: tokens that call off whatever was given them               |
 *  | request.h  | GY_PROMISE: any request of the library as a promise                   |
 *  | emit.h     | listeners that return promises, emits that wait, the next event        |
 *  | fiber.h    | gy_fiber_start, gy_await: functions that wait; gy_events                |
 *  | coro.h     | gy_coro, GY_AWAIT: functions that wait, without a stack or allocation |
 *  | coro.hpp   | co_await in C++20, for the same requests and promises; not included here |
 *  | scope.h    | gy_scope: fibers that end before who started them                      |
 *
 *  Conventions, once: handles are the caller's memory and valid as `{0}`; options are a struct, last, in which a zero
 *  field is the default; results are 0 or negative (base.h); an operation that completes later reports only to its
 *  callback, from the loop; a loop and what runs on it belong to one thread.
 */
#ifndef GYRE_GYRE_H
#define GYRE_GYRE_H

#include "gyre/async.h"
#include "gyre/base.h"
#include "gyre/cancel.h"
#include "gyre/coro.h"
#include "gyre/dns.h"
#include "gyre/emit.h"
#include "gyre/emitter.h"
#include "gyre/fiber.h"
#include "gyre/filestream.h"
#include "gyre/fs.h"
#include "gyre/group.h"
#include "gyre/fswatch.h"
#include "gyre/hook.h"
#include "gyre/io.h"
#include "gyre/job.h"
#include "gyre/loop.h"
#include "gyre/pipeline.h"
#include "gyre/pool.h"
#include "gyre/process.h"
#include "gyre/promise.h"
#include "gyre/request.h"
#include "gyre/scope.h"
#include "gyre/signal.h"
#include "gyre/stats.h"
#include "gyre/stream.h"
#include "gyre/timer.h"
#include "gyre/tty.h"
#include "gyre/udp.h"

#endif
