/* SPDX-License-Identifier: ISC */
/* Names and sentences of errors. One table: strerror() differs between systems, may be localised, and has no names. */
#include <errno.h>

#include "gyre/base.h"

#define ERROR_VERSION_TEXT(major, minor, patch) #major "." #minor "." #patch
#define ERROR_VERSION(major, minor, patch)      ERROR_VERSION_TEXT(major, minor, patch)

typedef struct error_row {
    int err;
    const char *name, *text;
} error_row;

#define ROW(e, text) {-e, #e, text}

static const error_row error_rows[] = {
    {GY_EOF, "GY_EOF", "the peer has closed its side"},
    {GY_ECANCELED, "GY_ECANCELED", "the operation was cancelled"},
    {GY_EUNHANDLED, "GY_EUNHANDLED", "an error event had no listener"},
    {GY_ECLOSED, "GY_ECLOSED", "the handle is closed"},
    {GY_EADDRESS, "GY_EADDRESS", "the text is not an address"},
    {GY_EBACKLOG, "GY_EBACKLOG", "more is queued than the limit allows"},
    {GY_EEMITTED, "GY_EEMITTED", "an error event was emitted"},
    {GY_ENONAME, "GY_ENONAME", "the name is not known"},
    {GY_ENOADDRESS, "GY_ENOADDRESS", "the name has no such address"},
    {GY_ENOSERVICE, "GY_ENOSERVICE", "the service is not known"},
    {GY_ETRYAGAIN, "GY_ETRYAGAIN", "the name could not be looked up for the moment"},
    {GY_ERESOLVER, "GY_ERESOLVER", "the name could not be looked up"},
    ROW(EPERM, "the operation is not permitted"),
    ROW(ENOENT, "there is no such file or directory"),
    ROW(ESRCH, "there is no such process"),
    ROW(EINTR, "a signal interrupted the call"),
    ROW(EIO, "input or output failed in the device"),
    ROW(ENXIO, "there is no such device or address"),
    ROW(E2BIG, "the argument list is too long"),
    ROW(EBADF, "the descriptor is not open"),
    ROW(ECHILD, "there is no such child process"),
    ROW(EAGAIN, "the resource is not available for the moment"),
    ROW(ENOMEM, "there is not enough memory"),
    ROW(EACCES, "permission is denied"),
    ROW(EFAULT, "an address is not valid"),
    ROW(EBUSY, "the object is in use"),
    ROW(EEXIST, "the file exists already"),
    ROW(EXDEV, "the files are on different devices"),
    ROW(ENODEV, "the device does not support this"),
    ROW(ENOTDIR, "a part of the path is not a directory"),
    ROW(EISDIR, "it is a directory"),
    ROW(EINVAL, "an argument is not valid"),
    ROW(ENFILE, "the system has no free file left"),
    ROW(EMFILE, "the process has no free descriptor left"),
    ROW(ENOTTY, "the descriptor is not a terminal"),
    ROW(EFBIG, "the file is too large"),
    ROW(ENOSPC, "the device is full"),
    ROW(ESPIPE, "the descriptor cannot seek"),
    ROW(EROFS, "the file system is read-only"),
    ROW(EMLINK, "the file has too many links"),
    ROW(EPIPE, "nobody reads the other end"),
    ROW(ERANGE, "a number is out of range"),
    ROW(ENAMETOOLONG, "the name is too long"),
    ROW(ENOSYS, "the system does not have this call"),
    ROW(ENOTEMPTY, "the directory is not empty"),
    ROW(ELOOP, "there are too many symbolic links"),
    ROW(EOVERFLOW, "a number is too large for its type"),
    ROW(ENOTSOCK, "the descriptor is not a socket"),
    ROW(EDESTADDRREQ, "a destination is missing"),
    ROW(EMSGSIZE, "the message is too long"),
    ROW(EPROTOTYPE, "the protocol does not fit the socket"),
    ROW(ENOPROTOOPT, "the protocol has no such option"),
    ROW(EPROTONOSUPPORT, "the protocol is not supported"),
    ROW(ENOTSUP, "this is not supported here"),
    ROW(EAFNOSUPPORT, "the address family is not supported"),
    ROW(EADDRINUSE, "the address is in use"),
    ROW(EADDRNOTAVAIL, "the address is not available here"),
    ROW(ENETDOWN, "the network is down"),
    ROW(ENETUNREACH, "the network cannot be reached"),
    ROW(ECONNABORTED, "the connection was aborted"),
    ROW(ECONNRESET, "the peer has reset the connection"),
    ROW(ENOBUFS, "the system has no buffer left"),
    ROW(EISCONN, "the socket is connected already"),
    ROW(ENOTCONN, "the socket is not connected"),
    ROW(ETIMEDOUT, "the time limit has passed"),
    ROW(ECONNREFUSED, "the peer refused the connection"),
    ROW(EHOSTUNREACH, "the host cannot be reached"),
    ROW(EALREADY, "it is under way already"),
    ROW(EINPROGRESS, "it is in progress"),
};

static const error_row *error_find(int err) {
    static const error_row ok = {0, "OK", "no error"}, unknown = {0, "UNKNOWN", "an unknown error"};
    if (err >= 0) return &ok;
    for (size_t i = 0; i < sizeof error_rows / sizeof *error_rows; i++)
        if (error_rows[i].err == err) return &error_rows[i];
    return &unknown;
}

const char *gy_error_name(int err) { return error_find(err)->name; }

const char *gy_error_text(int err) { return error_find(err)->text; }

const char *gy_version(void) { return ERROR_VERSION(GY_VERSION_MAJOR, GY_VERSION_MINOR, GY_VERSION_PATCH); }
