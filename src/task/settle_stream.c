/* SPDX-License-Identifier: ISC */
/* Streams as promises (request.c): reads, writes, connecting and closing. Accepting has a file of its own.
 *
 * Reading to the end is one promise for many reads. The node that waits has no room for a buffer, and needs none: the
 * stream still knows the one that was read into last. */
#include "gyre/request.h"

static void settle_read_cancel(void *request) { gy_stream_cancel(request, GY_STREAM_READ, GY_ECANCELED); }

static void settle_write_cancel(void *request) {
    gy_stream_cancel(((gy_write *)request)->stream, GY_STREAM_WRITE, GY_ECANCELED);
}

const gy_request_kind gy_kind_read = {settle_read_cancel};
const gy_request_kind gy_kind_end = {settle_read_cancel};
const gy_request_kind gy_kind_connect = {settle_read_cancel};
const gy_request_kind gy_kind_write = {settle_write_cancel};
const gy_request_kind gy_kind_close = {NULL};

void gy_settle_read(gy_stream *stream, int err, gy_buf got) {
    gy_request_settle(&stream->user, &gy_kind_read, err ? gy_err(err) : gy_num((int64_t)got.len));
}

void gy_settle_end(gy_stream *stream, int err, gy_buf got) {
    (void)got;
    if (!err) err = gy_stream_read(stream, stream->priv.buf, gy_settle_end);
    if (err) gy_request_settle(&stream->user, &gy_kind_end, err == GY_EOF ? gy_num(0) : gy_err(err));
}

void gy_settle_connect(gy_stream *stream, int err) {
    gy_request_settle(&stream->user, &gy_kind_connect, err ? gy_err(err) : gy_ptr(stream));
}

void gy_settle_write(gy_write *write, int err) {
    gy_request_settle(&write->user, &gy_kind_write, err ? gy_err(err) : gy_num(0));
}

void gy_settle_close(gy_stream *stream) { gy_request_settle(&stream->user, &gy_kind_close, gy_num(0)); }
